"""The pages of one solution: what it is, its settings, its alarms, and what is known to work."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from config.models import CommonSettings
from stacks.catalog import commands_of
from stacks.costs import NOTE
from stacks.series import Solution
from website import facts
from website.architecture import diagram
from website.links import Links
from website.markup import NOTHING, chips, command, plural, sentence, table
from website.page import ROOT, Page, Section, sections
from website.pages import settings

_GENERATED = re.compile(r"^<!-- .* -->\n", re.MULTILINE)


@dataclass
class Readme:
    """A solution's README, cut into pages.

    Attributes:
        introduction: what stands before the first section, with the diagram.
    """

    solution: Solution
    introduction: str
    sections: list[Section]

    @classmethod
    def of(cls, solution: Solution) -> "Readme":
        """As it stands in the repository."""
        text = (ROOT / "stacks" / solution.slug / "README.md").read_text(encoding="utf-8")
        return cls(solution, *sections(_GENERATED.sub("", text)))

    @property
    def file(self) -> str:
        """Below the repository."""
        return f"stacks/{self.solution.slug}/README.md"

    def page_of(self, section: Section) -> str:
        """The page that has the section."""
        if any(re.match(r"Alarm[: ]", title) for title in _titles(section)):
            return f"solutions/{self.solution.slug}/alarms.md"
        return f"solutions/{self.solution.slug}/{'settings' if section.title == 'Settings' else 'index'}.md"

    def register(self, links: Links) -> None:
        """Says where its parts are."""
        links.pages[self.file] = f"solutions/{self.solution.slug}/index.md"
        links.pages[self.file.replace("README", "unconfirmed")] = f"solutions/{self.solution.slug}/evidence.md"
        for section in self.sections:
            for name in section.anchors:
                links.parts[self.file, name] = self.page_of(section)

    def on(self, page: str) -> list[Section]:
        """The sections of a page."""
        return [section for section in self.sections if self.page_of(section) == page]


def pages(readme: Readme, links: Links) -> Iterator[Page]:
    """All pages of the solution."""
    solution = readme.solution
    name = solution.stack_name(CommonSettings())
    here = f"solutions/{solution.slug}"
    description = f"{sentence(solution.summary)}: an AWS CDK stack with its settings, cost, alarms and evidence."
    yield Page(f"{here}/index.md", name, _overview(readme, links), description, label="Overview", boost=4)
    text = settings.of_solution(solution, _written(readme, links, f"{here}/settings.md"))
    yield Page(f"{here}/settings.md", f"Settings of {name}", text, f"Every setting of {name}.", label="Settings")
    if facts.alarms(solution.slug):
        text = _alarms(readme, links)
        yield Page(
            f"{here}/alarms.md", f"Alarms of {name}", text, f"What to do when an alarm of {name} fires.", "Alarms"
        )
    text = _evidence(solution, name, links)
    yield Page(
        f"{here}/evidence.md",
        f"Evidence for {name}",
        text,
        f"What was tried of {name}, and what was not.",
        "Evidence",
        boost=0,  # steps and types: half an index more, in which nobody's problem is found
    )


def _titles(section: Section) -> Iterator[str]:
    yield from re.findall(r"^### (.*)$", section.text, re.MULTILINE)


def _written(readme: Readme, links: Links, page: str) -> str:
    """What the README has for a page, without the heading of a section that stands alone."""
    return links.rewritten("\n".join(section.body for section in readme.on(page)), file=readme.file, page=page)


def _overview(readme: Readme, links: Links) -> str:
    solution, page = readme.solution, f"solutions/{readme.solution.slug}/index.md"
    slug = solution.slug
    facts_of_it = (
        f'<p class="facts">{chips(solution.services, "service")}</p>\n'
        f'<dl class="facts">'
        f"<div><dt>Needs</dt><dd>{', '.join(facts.needs(solution))}</dd></div>"
        f"<div><dt>Idle bill</dt><dd>{facts.cost_class(slug)}</dd></div>"
        f'<div><dt>Tried</dt><dd><a href="evidence/">{_in_short(slug)}</a></dd></div>'
        f"<div><dt>Deploy in</dt><dd>{solution.accounts}</dd></div></dl>\n"
    )
    parts = [f"# {sentence(solution.summary)}\n", facts_of_it]
    parts.append(
        f"Try it without an account, from a checkout of the repository:\n\n{command(f'make try SOLUTION={slug}')}"
    )
    parts.append(links.rewritten(readme.introduction, file=readme.file, page=page))
    for section in readme.on(page):
        # Why it is built as it is: to be read here, and nothing that a search for a problem should find.
        text = section.text.replace("## Decisions\n", "## Decisions { data-search-exclude }\n", 1)
        parts.append(links.rewritten(text, file=readme.file, page=page))
        if section.title == "Cost":
            parts.append(_idle_month(slug))
    parts.append(
        f"## Problems that {solution.stack_name(CommonSettings())} solves\n\n"
        + "".join(f"- {sentence(phrase)}\n" for phrase in solution.problems)
    )
    return "\n".join(parts)


def _in_short(slug: str) -> str:
    found = facts.tried(slug)
    if not found:
        return "not recorded yet"
    steps = plural(sum(one.passed for one in found), "step")
    return f"{steps}<br>{max(one.found['date'] for one in found)}"


def _idle_month(slug: str) -> str:
    units = facts.billed(slug)
    if not units:
        return "An idle month of the defaults bills nothing.\n"
    rows = [(f"`{unit.unit}`", f"{unit.quantity:,.0f}", unit.of) for unit in units]
    note = getattr(commands_of(slug), "COST_NOTE", NOTE)
    return f"An idle month of the defaults, in units:\n\n{table(('unit', 'a month', 'of'), rows)}\n{note}\n"


def _alarms(readme: Readme, links: Links) -> str:
    solution, page = readme.solution, f"solutions/{readme.solution.slug}/alarms.md"
    rows = [(f"[{alarm.says}](#{alarm.anchor})", alarm.fires) for alarm in facts.alarms(solution.slug)]
    name = solution.stack_name(CommonSettings())
    return (
        f"# Alarms of {name}\n\nAn alarm goes to the topic of the stack's output `AlarmTopicArn`, or to that of "
        f"`common.alarm_topic_arn`. With `common.runbook_url` its mail ends with the link to its section here.\n\n"
        + table(("alarm", "fires when"), rows)
        + "\n"
        + _written(readme, links, page)
    )


def _evidence(solution: Solution, name: str, links: Links) -> str:
    slug = solution.slug
    # Its links are those of the page that is assembled from it.
    page = f"solutions/{slug}/evidence.md"
    open_questions = links.rewritten(facts.unconfirmed(slug), file="docs/unconfirmed.md", page=page)
    parts = [
        f"# Evidence for {name}\n\nNothing here was seen on AWS. `make try` deploys, plays and destroys each variant "
        "on the embedded AWS; every step says what it rests on ([what the levels mean](../../evidence/index.md)).\n"
    ]
    for one in facts.tried(slug):
        found = one.found
        rows = [(step["step"], facts.LEVELS[step["evidence"]]) for step in found["steps"]]
        rows += [(step["step"], f"not run: {step['why']}") for step in found["not_run"]]
        after = "destroyed without a trace" if found["destroyed_clean"] else "left something behind"
        diff = "no difference after the deployment" if found["diff_empty"] else "a difference after the deployment"
        parts.append(
            f"## Variant {one.variant}\n\n{plural(found['resources'], 'resource')}, {diff}, {after}; "
            f"{found['date']}, commit `{found['commit'][:12]}`.\n\n{table(('step', 'rests on'), rows)}"
        )
    if not facts.tried(slug):
        parts.append("No try-out is recorded for the present commit.\n")
    parts.append(f"## Not yet verified on AWS\n\n{open_questions}\n")
    parts.append(_created(slug))
    return "\n".join(parts)


def _created(slug: str) -> str:
    """The parts of the default template as a diagram, and counts of resource types, by variant."""
    counts = {
        name: Counter(r["Type"] for r in found["Resources"].values()) for name, found in facts.templates(slug).items()
    }
    types = sorted({kind for count in counts.values() for kind in count})
    rows = [(f"`{kind}`", *(str(count[kind] or NOTHING) for count in counts.values())) for kind in types]
    listed = table(("type", *counts), rows)
    said = "Resources by type, for each configuration that the tests keep."
    drawn = diagram(next(iter(facts.templates(slug).values())))
    parts = (
        "Drawn from the default template: an arrow is what a trigger starts, or what a role allows. Roles, "
        f"permissions, log groups and subnets are no boxes, and all alarms are one.\n\n```mermaid\n{drawn}```\n\n"
    )
    return f"## What is created {{ data-search-exclude }}\n\n{parts if drawn else ''}{said}\n\n{listed}"
