"""Start: so many builds at a time, by requests that CodeBuild's model takes; the other sources wait in a line."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ParamValidationError
from botocore.stub import ANY, Stubber

from graviton_porting_advisor.start.handler import NotStartedError, Starter, UnknownEventError, lambda_handler
from graviton_porting_advisor.start.store import Store, close
from shared.aws import client
from tests.solutions.graviton_porting_advisor.faults import line_table

PROJECTS = ["one", "two", "three"]


class Aws:
    """CodeBuild and SQS as Start asks them.

    Args:
        places: so many builds run or wait; the others are refused.
        broken: projects that cannot be started.
        lost: projects whose first answer gets lost.

    Attributes:
        hidden: projects whose builds may not be looked at.
    """

    def __init__(self, places: int = 99, *, broken: tuple[str, ...] = (), lost: tuple[str, ...] = ()) -> None:
        self.hidden: tuple[str, ...] = ()
        self.places, self.broken, self.lost = places, broken, set(lost)
        self.tokens: dict[str, str] = {}
        self.builds: dict[str, str] = {}
        self.sent: list[dict[str, Any]] = []
        self.seconds = 1_000.0

    def now(self) -> float:
        return self.seconds

    def start_build(self, *, projectName: str, idempotencyToken: str) -> Any:  # noqa: N803
        if projectName in self.broken:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "StartBuild")
        if idempotencyToken not in self.tokens:
            if len(self.running()) >= self.places:
                message = "Cannot have more than 1 builds in queue for the account"
                raise ClientError(
                    {"Error": {"Code": "AccountLimitExceededException", "Message": message}}, "StartBuild"
                )
            build = f"{projectName}:{len(self.builds)}"
            self.tokens[idempotencyToken], self.builds[build] = build, "IN_PROGRESS"
        if projectName in self.lost:
            self.lost.discard(projectName)
            raise ConnectionClosedError(endpoint_url="codebuild")
        return {"build": {"id": self.tokens[idempotencyToken]}}

    def batch_get_builds(self, *, ids: list[str]) -> Any:
        if any(each.startswith(f"{project}:") for each in ids for project in self.hidden):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchGetBuilds")
        began = datetime.fromtimestamp(self.seconds, UTC)
        return {
            "builds": [
                {"id": each, "buildStatus": self.builds[each], "startTime": began}
                for each in ids
                if each in self.builds
            ]
        }

    def list_builds_for_project(self, *, projectName: str, sortOrder: str) -> Any:  # noqa: N803
        return {"ids": [each for each in reversed(self.builds) if each.startswith(f"{projectName}:")]}

    def send_message(self, **request: Any) -> None:
        assert request["DelaySeconds"] == 900
        self.sent.append(json.loads(request["MessageBody"]))

    def running(self) -> list[str]:
        return [build for build, state in self.builds.items() if state == "IN_PROGRESS"]

    def end(self, project: str) -> None:
        for build in self.running():
            if build.startswith(f"{project}:"):
                self.builds[build] = "SUCCEEDED"


@pytest.fixture
def line(fresh_aws: None) -> Store:
    return Store(client("dynamodb"), line_table())


def starter(codebuild: Any, line: Store, most: int = 99) -> Starter:
    return Starter(codebuild, codebuild, line, queue="queue", most=most, now=codebuild.now)


def go_on(codebuild: Aws, line: Store, most: int = 99) -> None:
    starter(codebuild, line, most).advance([], "", watch=False)


def names(codebuild: Aws) -> list[str]:
    return [build.partition(":")[0] for build in codebuild.builds]


def test_every_source_is_started_and_looked_after(line: Store) -> None:
    codebuild = Aws()
    assert starter(codebuild, line).advance(["one", "two"], "monday", watch=True) == ["one:0", "two:1"]
    assert codebuild.sent == [{"build": "one:0", "watch": True}, {"build": "two:1", "watch": True}]


def test_so_many_run_at_a_time_and_the_end_of_one_starts_the_next(line: Store) -> None:
    codebuild = Aws()
    assert starter(codebuild, line, 1).advance(PROJECTS, "monday", watch=True) == ["one:0", "", ""]
    assert {"go_on": True, "watch": True} in codebuild.sent, "somebody comes back though no event is heard"
    go_on(codebuild, line, 1)
    assert names(codebuild) == ["one"], "nothing has ended"
    for project, wanted in zip(PROJECTS, (PROJECTS[:2], PROJECTS, PROJECTS), strict=True):
        codebuild.end(project)
        for _ in range(2):  # an end is heard several times
            go_on(codebuild, line, 1)
        assert names(codebuild) == wanted and len(codebuild.running()) <= 1


def test_a_source_that_codebuild_refuses_waits_and_is_started_when_there_is_a_place(line: Store) -> None:
    """Public reports: "Cannot have more than 1 builds in queue for the account"."""
    codebuild = Aws(places=2)
    assert starter(codebuild, line).advance(PROJECTS, "monday", watch=True) == ["one:0", "two:1", ""]
    codebuild.end("two")
    go_on(codebuild, line)
    assert names(codebuild) == PROJECTS


def test_a_run_that_comes_twice_starts_nothing_twice_also_when_it_has_ended(line: Store) -> None:
    codebuild = Aws()
    for _ in range(2):
        starter(codebuild, line).advance(["one", "two"], "monday", watch=True)
        codebuild.end("one")
        codebuild.seconds += 600  # longer than CodeBuild knows a token
        codebuild.tokens.clear()
        go_on(codebuild, line)
    assert names(codebuild) == ["one", "two"]
    assert starter(codebuild, line).advance(["one"], "tuesday", watch=True) == ["one:2"], "another run is another build"


def test_a_source_that_waits_already_does_not_wait_twice(line: Store) -> None:
    codebuild = Aws()
    for run in ("monday", "tuesday", "wednesday"):
        starter(codebuild, line, 1).advance(["one", "two"], run, watch=True)
    for _ in range(9):
        for project in ("one", "two"):
            codebuild.end(project)
            go_on(codebuild, line, 1)
    assert sorted(names(codebuild)) == ["one", "one", "two"]


@pytest.mark.parametrize("later", [10, 600])
def test_a_build_whose_answer_was_lost_is_found_again_and_not_made_twice(line: Store, later: float) -> None:
    codebuild = Aws(lost=("one",))
    with pytest.raises(NotStartedError, match="one"):
        starter(codebuild, line).advance(["one"], "monday", watch=True)
    if later > 300:
        codebuild.tokens.clear()
    codebuild.seconds += later
    assert starter(codebuild, line).advance(["one"], "monday", watch=True) == ["one:0"]
    assert {"build": "one:0", "watch": True} in codebuild.sent


def test_a_source_that_cannot_be_started_stops_no_other_is_named_and_given_up_in_the_end(line: Store) -> None:
    codebuild = Aws(broken=("broken",))
    for _ in range(3):
        with pytest.raises(NotStartedError, match=r"broken: .*ResourceNotFound"):
            starter(codebuild, line, 1).advance(["broken", "two"], "monday", watch=True)
    go_on(codebuild, line, 1)
    assert names(codebuild) == ["two"], "it has left its place to the next"


def test_a_build_that_was_deleted_keeps_no_place_for_ever(line: Store) -> None:
    codebuild = Aws()
    starter(codebuild, line, 1).advance(["one", "two"], "monday", watch=True)
    codebuild.builds.clear()
    go_on(codebuild, line, 1)
    assert names(codebuild) == []
    codebuild.seconds += 3_601
    go_on(codebuild, line, 1)
    assert names(codebuild) == ["two"]


def test_a_build_of_a_source_that_was_removed_keeps_nobodys_place_for_ever(line: Store) -> None:
    """The role names its project no more, and CodeBuild denies a call with one such build as a whole."""
    codebuild = Aws()
    starter(codebuild, line, 3).advance([*PROJECTS, "four", "five"], "monday", watch=True)
    codebuild.hidden = ("two",)
    codebuild.end("three")
    go_on(codebuild, line, 3)
    assert names(codebuild) == [*PROJECTS, "four"], "the others end as before"
    codebuild.seconds += 3_601
    go_on(codebuild, line, 3)
    assert names(codebuild) == [*PROJECTS, "four", "five"], "its place is free"


def test_another_refusal_than_that_of_a_permission_is_told(line: Store) -> None:
    codebuild = Aws()
    starter(codebuild, line, 1).advance(PROJECTS, "monday", watch=True)
    fault = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slowly"}}, "BatchGetBuilds")
    with patch.object(codebuild, "batch_get_builds", side_effect=fault), pytest.raises(ClientError, match="slowly"):
        go_on(codebuild, line, 1)


def test_a_line_that_closes_between_two_turns_starts_no_more(line: Store) -> None:
    """A deletion stops what runs, and would miss what starts after it has looked."""

    class Closing(Aws):
        def start_build(self, **request: str) -> Any:
            found = super().start_build(**request)
            close(client("dynamodb"), "line")
            return found

    codebuild = Closing()
    starter(codebuild, line).advance(PROJECTS, "monday", watch=True)
    assert names(codebuild) == ["one"]


def test_a_closed_line_starts_nothing(line: Store) -> None:
    codebuild = Aws()
    starter(codebuild, line, 1).advance(["one", "two"], "monday", watch=True)
    close(client("dynamodb"), "line")
    codebuild.end("one")
    go_on(codebuild, line, 1)
    assert starter(codebuild, line).advance(["three"], "tuesday", watch=True) == [""]
    assert names(codebuild) == ["one"]


def test_two_that_change_the_line_at_once_lose_nothing(line: Store) -> None:
    codebuild, other = Aws(), Aws()
    original = line._dynamodb
    calls: list[int] = []

    class Slow:
        """Another one changes the line between the reading and the writing."""

        exceptions = original.exceptions
        update_item = original.update_item

        def get_item(self, **request: Any) -> Any:
            found = original.get_item(**request)
            if not calls:
                calls.append(1)
                starter(other, Store(original, "line"), 1).advance(["two"], "monday", watch=False)
            return found

    starter(codebuild, Store(Slow(), "line"), 1).advance(["one"], "monday", watch=False)
    assert names(other) == ["two"] and names(codebuild) == [], "one at a time, whoever starts it"


def test_the_request_is_one_of_codebuilds_model_and_in_its_case(line: Store) -> None:
    codebuild = boto3.client("codebuild", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    made = Starter(codebuild, Aws(), line, queue="queue", most=1)
    with Stubber(codebuild) as stub:
        stub.add_response("start_build", {"build": {"id": "one:1"}}, {"projectName": "one", "idempotencyToken": ANY})
        assert made.advance(["one"], "monday", watch=True) == ["one:1"]
    with pytest.raises(ParamValidationError, match="ProjectName"):  # as the universal target of a schedule wants it
        codebuild.start_build(ProjectName="one")


@pytest.mark.parametrize(
    "event",
    [{}, {"projects": ["one"]}, {"projects": []}, {"projects": "one"}, {"projects": [1]}, {"go_on": "yes"}, None, []],
)
def test_an_event_without_projects_starts_nothing(event: Any) -> None:
    with pytest.raises(UnknownEventError):
        lambda_handler(event, SimpleNamespace(aws_request_id="r"))
