"""Lifecycle: builds are stopped and have ended before the bucket is emptied."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from graviton_porting_advisor.lifecycle.handler import stop
from shared.custom_resource import RefusedError


class Codebuild:
    """Builds by project; a stopped one goes on for some looks more."""

    def __init__(self, builds: dict[str, dict[str, str]], looks: int = 0) -> None:
        self.builds, self._looks = builds, looks
        self.stopped: set[str] = set()

    def list_builds_for_project(self, *, projectName: str, sortOrder: str) -> Any:  # noqa: N803
        if projectName not in self.builds:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "ListBuildsForProject")
        return {"ids": list(self.builds[projectName])}

    def batch_get_builds(self, *, ids: list[str]) -> Any:
        known = {build: status for each in self.builds.values() for build, status in each.items()}
        return {"builds": [{"id": each, "buildStatus": known[each]} for each in ids]}

    def stop_build(self, *, id: str) -> None:
        self.stopped.add(id)
        self._looks -= 1
        if self._looks < 0:
            for each in self.builds.values():
                if id in each:
                    each[id] = "STOPPED"


def test_only_what_runs_is_stopped_and_its_end_is_waited_for() -> None:
    codebuild = Codebuild({"one": {"one:1": "IN_PROGRESS", "one:2": "SUCCEEDED"}, "two": {}}, looks=2)
    stop(codebuild, ["one", "two", "gone"], iter([None] * 9))
    assert codebuild.stopped == {"one:1"} and codebuild.builds["one"]["one:1"] == "STOPPED"


def test_a_build_that_does_not_end_stops_the_deletion_by_name() -> None:
    codebuild = Codebuild({"one": {"one:1": "IN_PROGRESS"}}, looks=99)
    with pytest.raises(RefusedError, match="one have not ended"):
        stop(codebuild, ["one"], iter([None] * 3))


def test_a_build_that_appears_after_the_first_look_is_stopped() -> None:
    """Start asked for it just before the line was closed."""
    codebuild = Codebuild({"one": {}, "two": {}})

    def pauses() -> Iterator[None]:
        yield
        codebuild.builds["two"]["two:1"] = "IN_PROGRESS"
        yield from [None] * 9

    stop(codebuild, ["one", "two"], pauses())
    assert codebuild.stopped == {"two:1"} and codebuild.builds["two"]["two:1"] == "STOPPED"
