"""Versions: content gets a version that nothing has, and keeps it until it changes."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_pipelines.versions import handler
from image_pipelines.versions.choice import NUMBERS, ExhaustedError, first_patch, free_version

CONTENTS = st.text("0123456789abcdef", min_size=64, max_size=64)
FEW = 4  # patch numbers, so that hashes collide all the time


def test_the_patch_is_the_content_s_own_where_it_is_free() -> None:
    content = "00000000000000ff" + "0" * 48
    assert free_version("1.0", content, []) == "1.0.255"
    assert first_patch("f" * 64) == NUMBERS - 1


def test_a_taken_number_is_passed_over_and_the_search_goes_round() -> None:
    last = "f" * 64
    assert free_version("1.0", last, [f"1.0.{NUMBERS - 1}"]) == "1.0.0"
    assert free_version("1.0", last, [f"1.0.{NUMBERS - 1}", "1.0.0"]) == "1.0.1"


def test_numbers_of_another_major_or_minor_version_are_free() -> None:
    content = "0" * 64
    assert free_version("1.1", content, ["1.0.0", "2.1.0"]) == "1.1.0"


def test_a_major_and_minor_version_without_a_free_number_is_told() -> None:
    with pytest.raises(ExhaustedError, match="raise version"):
        free_version("1.0", "0" * 64, [f"1.0.{number}" for number in range(FEW)], numbers=FEW)


@given(st.lists(CONTENTS, max_size=FEW))
def test_with_everything_kept_no_two_contents_ever_share_a_version(history: list[str]) -> None:
    """Each content, also one that comes back, meets all that were before it."""
    taken: list[str] = []
    for content in history:
        taken.append(free_version("1.0", content, taken, numbers=FEW))
    assert len(set(taken)) == len(taken)
    assert all(0 <= int(version.rsplit(".", 1)[1]) < FEW for version in taken)


@given(st.lists(st.tuples(CONTENTS, st.booleans()), max_size=20))
def test_whatever_is_kept_or_deleted_a_new_version_collides_with_nothing_that_is_there(
    history: list[tuple[str, bool]],
) -> None:
    there: list[str] = []
    for content, deleted in history:
        if deleted and there:
            there.pop(0)
        if len(there) == FEW:
            break
        version = free_version("1.0", content, there, numbers=FEW)
        assert version not in there
        there.append(version)


# The handler


class Builder:
    """Image Builder's lists, one item a page."""

    def __init__(self, **lists: list[str]) -> None:
        self.lists = lists
        self.asked: list[tuple[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        self.operation = operation
        return self

    def paginate(self, **wanted: Any) -> Iterator[dict[str, Any]]:
        self.asked.append((self.operation, wanted))
        key = next(items for pairs in handler.LISTS.values() for name, items in pairs if name == self.operation)
        yield {key: []}
        for arn in self.lists.get(self.operation, []):
            yield {key: [{"arn": arn}]}


ARN = "arn:aws:imagebuilder:us-east-1:123456789012"
SEVEN = "0000000000000007" + "0" * 48


def request(kind: str = "image-recipe", **more: Any) -> dict[str, Any]:
    wanted = {"Kind": kind, "Name": "stack-gold", "MajorMinor": "1.0", "Content": SEVEN}
    return {"RequestType": "Create", "ResourceProperties": wanted, **more}


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    found = Builder()
    monkeypatch.setattr(handler, "client", lambda service: {"imagebuilder": found}[service])
    return found


def test_a_kept_recipe_and_a_left_image_are_in_the_way_and_other_names_are_not(builder: Builder) -> None:
    builder.lists = {
        "list_image_recipes": [f"{ARN}:image-recipe/stack-gold/1.0.7", f"{ARN}:image-recipe/stack-golden/1.0.9"],
        "list_images": [f"{ARN}:image/stack-gold/1.0.8"],
    }
    assert handler.version(request()) == "1.0.9"
    assert [name for name, _ in builder.asked] == ["list_image_recipes", "list_images"]
    assert all(wanted["owner"] == "Self" for _, wanted in builder.asked)


def test_builds_of_a_component_count_as_their_version(builder: Builder) -> None:
    builder.lists = {"list_components": [f"{ARN}:component/stack-gold/1.0.7/2"]}
    assert handler.version(request("component")) == "1.0.8"


def test_the_same_content_keeps_its_version_whatever_is_there(builder: Builder) -> None:
    same = request(RequestType="Update", PhysicalResourceId="1.0.12")
    same["OldResourceProperties"] = {**same["ResourceProperties"], "ServiceToken": "another function"}
    assert handler.version(same) == "1.0.12"
    assert builder.asked == []


@pytest.mark.parametrize("key", ["Content", "MajorMinor", "Name"])
def test_any_change_of_what_it_is_gets_a_new_version(builder: Builder, key: str) -> None:
    changed = request(RequestType="Update", PhysicalResourceId="1.0.12")
    changed["OldResourceProperties"] = {**changed["ResourceProperties"], key: "other"}
    assert handler.version(changed) == "1.0.7"


def test_deleting_asks_nothing(builder: Builder) -> None:
    assert handler.version({**request(), "RequestType": "Delete", "PhysicalResourceId": "1.0.7"}) == "1.0.7"
    assert builder.asked == []
