"""Lifecycle: a deployment is a refresh, and a deletion takes what was made at run time, and only that."""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from outposts_dashboard.ledger import Ledger
from outposts_dashboard.lifecycle import handler
from outposts_dashboard.wanted import Wanted
from shared import aws, custom_resource
from tests.solutions.outposts_dashboard.test_discovery import wanted
from tests.solutions.outposts_dashboard.test_refresh import boards, ledger

__all__ = ["ledger"]
OWNER = "arn:aws:cloudformation:eu-west-1:123456789012:stack/outposts-dashboard/1"


class Stacks:
    """CloudFormation with some stacks, which are gone so many looks after they are deleted."""

    def __init__(self, *stacks: tuple[str, str], looks: int = 1, ends: str = "DELETE_COMPLETE") -> None:
        self.stacks = {name: {"tag": owner, "status": "CREATE_COMPLETE", "looks": looks} for name, owner in stacks}
        self.deleted: list[str] = []
        self.ends = ends

    def get_paginator(self, _: str) -> Any:
        found = [
            {"StackName": name, "StackId": f"id/{name}", "Tags": [{"Key": "deployed-by", "Value": stack["tag"]}]}
            for name, stack in self.stacks.items()
        ]
        return SimpleNamespace(paginate=lambda: [{"Stacks": found[:1]}, {"Stacks": found[1:]}])

    def delete_stack(self, *, StackName: str) -> None:  # noqa: N803
        self.deleted.append(StackName)
        self.stacks[StackName.removeprefix("id/")]["status"] = "DELETE_IN_PROGRESS"

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803
        stack: dict[str, Any] = self.stacks[StackName.removeprefix("id/")]
        stack["looks"] -= 1
        if stack["looks"] <= 0 and stack["status"] == "DELETE_IN_PROGRESS":
            stack["status"] = self.ends
        return {"Stacks": [{"StackStatus": stack["status"]}]}


class Pipeline:
    """CodePipeline with one run under way, which ends a look after it is stopped."""

    def __init__(self, *statuses: str) -> None:
        self.runs = [{"pipelineExecutionId": f"run-{number}", "status": one} for number, one in enumerate(statuses)]
        self.started: list[str] = []
        self.stopped: list[str] = []

    def get_paginator(self, _: str) -> Any:
        seen = [dict(run) for run in self.runs]
        for run in self.runs:
            run["status"] = "Stopped" if run["status"] == "Stopping" else run["status"]
        return SimpleNamespace(paginate=lambda **_: [{"pipelineExecutionSummaries": seen}])

    def start_pipeline_execution(self, *, name: str) -> None:
        self.started.append(name)

    def stop_pipeline_execution(self, *, pipelineExecutionId: str, abandon: bool, **_: Any) -> None:  # noqa: N803
        assert not abandon, "a deployment would be cut off"
        self.stopped.append(pipelineExecutionId)
        next(run for run in self.runs if run["pipelineExecutionId"] == pipelineExecutionId)["status"] = "Stopping"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    answers: list[dict[str, Any]] = []
    monkeypatch.setattr(custom_resource, "upload", lambda url, body: answers.append(json.loads(body)))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    yield answers


def request(kind: str, **properties: str) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": "https://example.com/answer",
        "StackId": OWNER,
        "RequestId": "r-1",
        "LogicalResourceId": "Begun",
        "ResourceProperties": properties or {"TableName": "ledger", "QueueUrl": queue(), "Wanted": wanted().text()},
    }


def queue() -> str:
    return str(aws.client("sqs").create_queue(QueueName="waiting")["QueueUrl"])


def waiting() -> int:
    found = aws.client("sqs").get_queue_attributes(QueueUrl=queue(), AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def use(monkeypatch: pytest.MonkeyPatch, stacks: Stacks, pipeline: Pipeline) -> None:
    monkeypatch.setattr(handler, "client", lambda name: {"cloudformation": stacks, "codepipeline": pipeline}[name])


OF_PIPELINE = {"PipelineName": "pipeline", "StackName": "Deploy"}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployment_asks_for_a_refresh(kind: str, ledger: Ledger, heard: list[dict[str, Any]]) -> None:
    handler.lambda_handler(request(kind), None)
    assert heard[0]["Status"] == "SUCCESS" and waiting() == 1


def test_the_refresh_gets_any_number_of_values(ledger: Ledger, heard: list[dict[str, Any]]) -> None:
    many = wanted(*(f"op-{number:017x}" for number in range(1_000)))
    asked = request("Update")
    asked["ResourceProperties"]["Wanted"] = many.text()
    handler.lambda_handler(asked, None)
    assert len(many.text()) > 4_096, "so much has room in an environment of Lambda"
    assert heard[0]["Status"] == "SUCCESS" and Wanted.read(ledger.wanted()) == many


def test_a_deletion_takes_the_dashboards_of_the_ledger_and_no_other(
    ledger: Ledger, heard: list[dict[str, Any]]
) -> None:
    for name in ("board", "board-page-2", "board-of-mine"):
        aws.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    ledger.claim("board")
    ledger.claim("board-page-2")
    ledger.claim("board-page-3")  # never written: the process was stopped in between
    handler.lambda_handler(request("Delete"), None)
    assert heard[0]["Status"] == "SUCCESS"
    assert list(boards()) == ["board-of-mine"] and ledger.ours() == set()


def test_a_deletion_waits_for_a_refresh_under_way(
    ledger: Ledger, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.take("a", now=0, until=4_000_000_000)
    ends = iter([False, False, True])
    monkeypatch.setattr(time, "sleep", lambda seconds: ledger.drop("a") if next(ends) else None)
    handler.lambda_handler(request("Delete"), None)
    assert heard[0]["Status"] == "SUCCESS" and list(ends) == []


def test_a_refresh_that_does_not_end_fails_the_deletion_with_a_sentence(
    ledger: Ledger, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.take("a", now=0, until=4_000_000_000)
    clock = iter(range(0, 100_000, 400))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    handler.lambda_handler(request("Delete"), None)
    assert heard[0]["Status"] == "FAILED" and "still at work" in heard[0]["Reason"]


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployment_starts_the_pipeline(
    kind: str, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline()
    use(monkeypatch, Stacks(), pipeline)
    handler.lambda_handler(request(kind, **OF_PIPELINE), None)
    assert heard[0]["Status"] == "SUCCESS" and pipeline.started == ["pipeline"]


def test_a_deletion_stops_the_pipeline_then_deletes_what_it_has_deployed(
    heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline("InProgress", "Succeeded", "Failed")
    stacks = Stacks(("Deploy", OWNER), ("Deploy-page-2", OWNER), ("Deploy-mine", "me"), ("Deployment", OWNER), looks=3)
    use(monkeypatch, stacks, pipeline)
    handler.lambda_handler(request("Delete", **OF_PIPELINE), None)
    assert heard[0]["Status"] == "SUCCESS"
    assert pipeline.stopped == ["run-0"]
    assert stacks.deleted == ["id/Deploy", "id/Deploy-page-2"]


@pytest.mark.parametrize("code", ["DuplicatedStopRequestException", "PipelineExecutionNotStoppableException"])
def test_a_run_that_ends_before_it_is_stopped_fails_no_deletion(
    code: str, heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline("InProgress")

    def too_late(**_: Any) -> None:
        pipeline.runs[0]["status"] = "Succeeded"
        raise ClientError({"Error": {"Code": code}}, "StopPipelineExecution")

    monkeypatch.setattr(pipeline, "stop_pipeline_execution", too_late)
    use(monkeypatch, Stacks(), pipeline)
    handler.lambda_handler(request("Delete", **OF_PIPELINE), None)
    assert heard[0]["Status"] == "SUCCESS"


def test_a_run_that_may_not_be_stopped_fails_the_deletion(
    heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline("InProgress")

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "StopPipelineExecution")

    monkeypatch.setattr(pipeline, "stop_pipeline_execution", denied)
    use(monkeypatch, Stacks(), pipeline)
    handler.lambda_handler(request("Delete", **OF_PIPELINE), None)
    assert heard[0]["Status"] == "FAILED" and "AccessDenied" in heard[0]["Reason"]


def test_a_stack_that_cannot_be_deleted_fails_the_deletion_and_is_named(
    heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Stacks(("Deploy", OWNER), ends="DELETE_FAILED"), Pipeline())
    handler.lambda_handler(request("Delete", **OF_PIPELINE), None)
    assert heard[0]["Status"] == "FAILED" and "id/Deploy" in heard[0]["Reason"]


def test_runs_and_stacks_together_are_waited_for_in_the_time_of_one_function(
    heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 100_000, 100))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    use(monkeypatch, Stacks(("Deploy", OWNER), looks=1_000), Pipeline("InProgress"))
    handler.lambda_handler(request("Delete", **OF_PIPELINE), None)
    assert heard[0]["Status"] == "FAILED" and "still being deleted" in heard[0]["Reason"]
    assert next(clock) <= 1_000, "Lambda would have ended the function before its answer"


def test_without_anything_deployed_a_deletion_is_done(
    heard: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Stacks(), Pipeline())
    handler.lambda_handler(request("Delete", **OF_PIPELINE), None)
    assert heard[0]["Status"] == "SUCCESS"
