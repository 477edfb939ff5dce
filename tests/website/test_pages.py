"""The site's pages before a generator sees them: what alarms, the chooser and the guide point at exists."""

import json
import re
from functools import cache

import pytest

from stacks.series import SOLUTIONS
from website import documents, facts
from website.build import pages
from website.links import Links
from website.page import ROOT, Page, anchor, headings
from website.pages.landing import themes
from website.reference import settings

SLUGS = [solution.slug for solution in SOLUTIONS]
every_solution = pytest.mark.parametrize("slug", SLUGS)


@cache
def built() -> dict[str, Page]:
    return {page.path: page for page in pages(Links("https://forge.example/code"))}


def anchors(page: Page) -> set[str]:
    given = re.findall(r"\{ #([\w-]+) \}$", page.text, re.MULTILINE)
    return {anchor(title) for _, title in headings(page.text)} | set(given)


@every_solution
def test_every_alarm_of_every_template_has_its_section_on_the_page_that_runbook_url_leads_to(slug: str) -> None:
    for variant, template in facts.templates(slug).items():
        for alarm in set(re.findall(r"(?:README\.md|/alarms/)#([\w-]+)", json.dumps(template))):
            if f"{slug}/README.md#{alarm}" in json.dumps(template) and not alarm.startswith(("alarm", "stop")):
                continue  # a word on something else, beside the alarms
            assert alarm in anchors(built()[f"solutions/{slug}/alarms.md"]), f"{variant}: {alarm}"


@every_solution
def test_every_alarm_is_in_the_table_of_its_page_and_in_that_of_the_night(slug: str) -> None:
    night = built()["guide/at_night.md"].text
    for alarm in facts.alarms(slug):
        assert alarm.fires and f"[{alarm.says}](#{alarm.anchor})" in built()[f"solutions/{slug}/alarms.md"].text
        assert f"(../solutions/{slug}/alarms.md#{alarm.anchor})" in night


def test_the_alarms_of_the_site_are_those_of_the_templates() -> None:
    described = {
        resource["Properties"]["AlarmDescription"].partition(". ")[0]
        for slug in SLUGS
        for template in facts.templates(slug).values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "What to do" in resource["Properties"]["AlarmDescription"]
    }
    assert described == {alarm.says for slug in SLUGS for alarm in facts.alarms(slug)} != set()


def test_the_chooser_has_every_solution_once_and_leads_to_its_command() -> None:
    assert sorted(slug for slugs in themes().values() for slug in slugs) == sorted(SLUGS)
    first = built()["index.md"].text
    for slug in SLUGS:
        assert f'<a href="solutions/{slug}/">' in first
        assert f"make try SOLUTION={slug}\n" in built()[f"solutions/{slug}/index.md"].text


@every_solution
def test_every_key_of_the_configuration_has_its_place(slug: str) -> None:
    text = built()[f"solutions/{slug}/settings.md"].text
    keys = settings(slug)
    assert len({setting.anchor for setting in keys}) == len(keys)
    for setting in keys:
        assert f"### `{setting.key}` {{ #{setting.anchor} }}" in text
        assert setting.takes and (setting.description or setting.key.endswith("[]")), setting.key


@every_solution
def test_every_refusal_that_the_tests_keep_is_beside_a_key_or_in_the_list(slug: str) -> None:
    text = built()["settings/errors.md"].text
    for _, message in facts.refusals(slug):
        assert message.replace("|", "¦") in text


def test_every_page_has_one_title_and_a_sentence() -> None:
    for page in built().values():
        assert [level for level, _ in headings(page.text)].count(1) == 1, page.path
        assert page.title and page.description.endswith("."), page.path


def test_the_keys_to_move_to_exist() -> None:
    text = (ROOT / "docs/guide/moving.md").read_text(encoding="utf-8")
    for chapter in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        slug = re.search(r"\[`(\w+)`\]", chapter)
        assert slug, chapter[:60]
        known = {setting.key for setting in settings(slug[1])} | {f"common.{one.key}" for one in settings("common")}
        for row in re.findall(r"^\| .* \| (.*) \|$", chapter, re.MULTILINE)[2:]:
            for key in re.findall(r"`([a-z_.]+)(?::[^`]*)?`", row):
                assert key in known, f"{slug[1]}: {key}"


def test_the_catalogue_of_the_readme_is_current() -> None:
    assert documents.README.read_text(encoding="utf-8") == documents.readme(), "run 'make docs'"
