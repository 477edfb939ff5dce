"""What the settings of image_pipelines refuse because the deployment would."""

import json
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.image_pipelines import settings as section
from stacks.image_pipelines.settings import ImagePipelinesSettings, size
from tests.prepared import largest, template
from tests.solutions.image_pipelines.conformance import LARGEST

REGIONS = [{"name": f"ap-{part}-{number}"} for part in ("southeast", "northeast") for number in range(10)]


@pytest.mark.parametrize(("files", "fits"), [(1, True), (3, False)])
def test_workloads_and_their_files_must_fit_into_one_stack(files: int, fits: bool) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""
    workloads = [
        {"name": f"w{number:02}", "components": [f"w{number:02}/{file}.yaml" for file in range(files)]}
        for number in range(30)
    ]
    settings = ImagePipelinesSettings.model_validate({"workloads": workloads})
    told = [problem.message for problem in settings.problems() if "resources of a stack" in problem.message]
    assert bool(told) is not fits, told
    assert fits or "30 workloads and 91 component files" in told[0]


def no_room(workloads: list[dict[str, Any]], prefix: str | None = None, **more: Any) -> list[tuple[Any, str]]:
    """What the rule on the template's bytes says: where, and what."""
    settings = ImagePipelinesSettings.model_validate({"workloads": workloads, **more})
    told = settings.problems_with(CommonSettings(prefix=prefix))
    return [(problem.key, problem.message) for problem in told if "bytes of a template" in problem.message]


@pytest.mark.parametrize(("letters", "prefix", "fits"), [(3, None, True), (40, None, False), (3, "p" * 31, False)])
def test_copies_must_fit_into_one_template_which_holds_more_of_them_with_short_names(
    letters: int, prefix: str | None, fits: bool
) -> None:
    workloads = [{"name": f"w{number:02}".ljust(letters, "n")} for number in range(50)]
    accounts = [f"{210_987_654_321 + number}" for number in range(8)]
    told = no_room(workloads, prefix, regions=REGIONS, accounts=accounts)
    assert (told == []) is fits
    assert fits or (told[0][0] == "regions" and "50 workloads, 21 Regions, 8 accounts" in told[0][1])


@pytest.mark.parametrize(("characters", "fits"), [(1_000, True), (16_000, False)])
def test_what_is_in_the_component_files_must_fit_into_one_template(
    monkeypatch: pytest.MonkeyPatch, characters: int, fits: bool
) -> None:
    """A document of Image Builder stands in the template as it is."""
    monkeypatch.setattr(section, "text_of", lambda _: "x" * characters)
    workloads = [{"name": f"w{n:02}", "components": [f"w{n:02}/{file}.yaml" for file in range(6)]} for n in range(10)]
    told = no_room(workloads)
    assert (told == []) is fits
    assert fits or (told[0][0] == "workloads" and "61 component files" in told[0][1])


@pytest.mark.parametrize("number", range(len(LARGEST)))
def test_the_template_needs_what_the_rule_says_or_a_tenth_less(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    common, section_of = LARGEST[number]
    estimates: list[int] = []

    def noted(*pipelines: Any, **more: Any) -> int:
        estimates.append(size.template_bytes(*pipelines, **more))
        return estimates[-1]

    monkeypatch.setattr(section, "template_bytes", noted)
    settings = ImagePipelinesSettings.model_validate(section_of)
    assert [one for one in settings.problems_with(CommonSettings.model_validate(common)) if not one.warning] == []
    actual = len(json.dumps(template(largest("image_pipelines")[number]), separators=(",", ":")))
    assert 0.9 * estimates[-1] < actual <= estimates[-1]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["c" * 96 + ".yaml"], ""),
        (["c" * 97 + ".yaml"], "at most 128 characters"),
        (["a/x.yaml", "b/x.yaml", "a-x.yaml"], "another component than a/x.yaml"),
    ],
)
def test_each_component_file_gives_a_name_that_image_builder_takes(files: list[str], says: str) -> None:
    """A name has the stack's before it, here 31 characters and a hyphen."""
    settings = ImagePipelinesSettings.model_validate({"workloads": [{"name": "web", "components": files}]})
    told = settings.problems_with(CommonSettings(prefix="p" * 15))
    found = [problem.message for problem in told if "component" in problem.message]
    assert any(says in message for message in found) if says else found == []
