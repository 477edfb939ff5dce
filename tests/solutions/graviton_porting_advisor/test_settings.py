"""What the settings of graviton_porting_advisor refuse, each with its own reason, and what they derive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stacks.graviton_porting_advisor.issue_types import ISSUE_TYPES, unknown_type
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings, Source
from stacks.graviton_porting_advisor.sources import Location


def settings(**more: Any) -> GravitonPortingAdvisorSettings:
    return GravitonPortingAdvisorSettings.model_validate(more)


def said(**more: Any) -> list[str]:
    return [problem.message for problem in settings(**more).problems()]


def test_a_kind_that_the_tool_does_not_have_is_refused_with_the_nearest_names() -> None:
    (message,) = said(issue_types=["InlineAsn"])
    assert "InlineAsm" in message and "PragmaSimd" not in message
    assert said(issue_types=["+intrinsic"]) == ["must be one of the advisor's kinds; did you mean Intrinsic"
        " or Avx512Intrinsic or Avx256Intrinsic?"]  # fmt: skip
    assert unknown_type("OtherIssues"), "it stands for what the tool leaves out, and cannot be asked for"


@pytest.mark.parametrize(
    ("kinds", "option"),
    [([], ""), (["InlineAsm", "Intrinsic"], "InlineAsm,Intrinsic"), (["+CompilerSpecific", "-Intrinsic"], None)],
)
def test_kinds_go_to_the_tool_as_they_are(kinds: list[str], option: str | None) -> None:
    found = settings(issue_types=kinds)
    assert found.issue_type_option == (",".join(kinds) if option is None else option)
    assert found.variables(found.sources[0]).get("ISSUE_TYPES", "") == found.issue_type_option
    assert not said(issue_types=kinds)


def test_every_kind_of_the_closed_list_is_taken() -> None:
    assert not said(issue_types=sorted(ISSUE_TYPES))


@pytest.mark.parametrize("folder", ["../x", "/etc", ".", "a/../b", "a//b", "~/x", "a\\b", "./a", ""])
def test_a_folder_outside_the_source_is_refused(folder: str) -> None:
    with pytest.raises(ValidationError):
        settings(exclude=[folder])


@pytest.mark.parametrize("folder", ["node_modules", "third_party/x86", "third_party/x86/", "a file.c", ".github"])
def test_a_folder_below_the_source_is_taken(folder: str) -> None:
    assert settings(exclude=[folder]).exclude == (folder.rstrip("/"),)


def test_three_sources_have_three_folders_and_three_names_and_one_twice_is_refused() -> None:
    places = [Location.read(text) for text in ("org/a", "other/a", "s3://b-c/a.zip")]
    assert len({place.slug for place in places}) == len({place.label for place in places}) == 3
    same = [{"location": "org/a"}, {"location": "Org/A.git"}]
    assert said(sources=same) == ["must not be listed twice; remove one"]
    assert not said(sources=[{"location": "s3://bkt/a.zip"}, {"location": "s3://bkt/A.zip"}])


name = st.from_regex(r"[A-Za-z0-9_.-]{1,40}", fullmatch=True)


@given(st.lists(st.tuples(name, name), min_size=2, max_size=8, unique_by=lambda pair: "/".join(pair).casefold()))
def test_no_folder_of_a_source_begins_with_that_of_another(pairs: list[tuple[str, str]]) -> None:
    slugs = {f"{Location('s3', '/'.join(pair)).slug}/" for pair in pairs}
    assert len(slugs) == len({"/".join(pair) for pair in pairs})
    assert not [one for one in slugs for other in slugs if one != other and one.startswith(other)]
    assert all(slug.isascii() and "*" not in slug and "$" not in slug for slug in slugs)


def test_gitlab_needs_a_connection_and_s3_has_none() -> None:
    connection = "arn:aws:codeconnections:eu-central-1:123456789012:connection/1234abcd-12ab-34cd-56ef-1234567890ab"
    assert "only with a connection" in next(iter(Source(location="gitlab:o/n").problems())).message
    assert not list(Source(location="gitlab:o/n", connection_arn=connection).problems())
    assert list(Source(location="s3://bkt/a.zip", connection_arn=connection).problems())


@pytest.mark.parametrize("minutes", [61, 1440, 11_520])
def test_a_link_of_more_than_an_hour_is_refused_because_no_role_could_keep_the_promise(minutes: int) -> None:
    with pytest.raises(ValidationError, match="less than or equal to 60"):
        settings(link_minutes=minutes)


def test_a_source_has_its_own_limit_and_folders_beside_the_common_ones() -> None:
    found = settings(
        sources=[{"location": "org/a", "exclude": ["vendor"], "max_issues": 0}],
        exclude=["docs", "vendor"],
        max_issues=9,
    )
    scan = json.loads(found.variables(found.sources[0])["SCAN"])
    assert (scan["exclude"], scan["max_issues"]) == (["docs", "vendor"], 0)


def test_what_does_not_fit_into_a_variable_of_a_build_is_refused() -> None:
    fits = {"sources": [{"location": "org/a", "exclude": [f"{number}{'x' * 95}" for number in range(26)]}]}
    assert not said(**fits)
    assert "3000 characters" in said(**fits, exclude=["y" * 200, "z" * 200])[0]


REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "name",
    [
        "ab:1", "a" * 256 + ":1", "team/advisor:1", "a.b_c__d---e/f:1", f"advisor:{'t' * 128}", "advisor:_1.2-A",
        f"advisor@sha256:{'0' * 64}",
    ],
)  # fmt: skip
def test_an_image_has_any_name_that_ecr_takes(name: str) -> None:
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html."""
    assert settings(image=f"{REGISTRY}/{name}").image == f"{REGISTRY}/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "a:1", "a" * 257 + ":1", "Advisor:1", "-ab:1", "ab-:1", "a..b:1", "a___b:1", "a.-b:1", "a//b:1", "a/:1",
        "advisor", f"advisor:{'t' * 129}", "advisor:.1", "advisor:-1", "advisor:é",
        f"advisor@sha256:{'0' * 63}", "advisor:1\n",
    ],
)  # fmt: skip
def test_an_image_has_no_name_that_ecr_or_a_pull_refuses(name: str) -> None:
    with pytest.raises(ValidationError, match="image"):
        settings(image=f"{REGISTRY}/{name}")
