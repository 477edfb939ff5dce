"""Builds: what has changed is built once; a workload of a new stack waits for gold."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_pipelines.builds import handler


class Builder:
    """Keeps what was started."""

    def __init__(self) -> None:
        self.started: list[dict[str, str]] = []

    def start_image_pipeline_execution(self, **wanted: str) -> dict[str, str]:
        self.started.append(wanted)
        return {"imageBuildVersionArn": "arn"}


@pytest.mark.parametrize(
    ("kind", "with_new_stack", "old_recipe", "is_started"),
    [
        ("Create", "true", None, True),
        ("Create", "false", None, False),
        ("Update", "false", "old", True),
        ("Update", "true", "new", False),
        ("Delete", "true", None, False),
    ],
)
def test_what_is_started(
    monkeypatch: pytest.MonkeyPatch, kind: str, with_new_stack: str, old_recipe: str | None, is_started: bool
) -> None:
    builder = Builder()
    monkeypatch.setattr(handler, "client", lambda _: builder)
    wanted = {"Pipeline": "pipeline", "Recipe": "new", "WithNewStack": with_new_stack}
    event: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": "r-1",
        "LogicalResourceId": "Build",
        "ResourceProperties": wanted,
    }
    if old_recipe:
        event["OldResourceProperties"] = {**wanted, "Recipe": old_recipe}
    assert handler.build(event) == "builds-Build"
    assert builder.started == ([{"imagePipelineArn": "pipeline", "clientToken": "r-1"}] if is_started else [])


class Refusing:
    """Image Builder that starts nothing, and CloudFormation that says what the stack does."""

    def __init__(self, status: str) -> None:
        self.status = status

    def start_image_pipeline_execution(self, **_: str) -> dict[str, str]:
        raise ClientError({"Error": {"Code": "ServiceQuotaExceededException"}}, "StartImagePipelineExecution")

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        assert StackName == "stack"
        return {"Stacks": [{"StackStatus": self.status}]}


def refused(monkeypatch: pytest.MonkeyPatch, kind: str, status: str) -> str:
    builder = Refusing(status)
    monkeypatch.setattr(handler, "client", lambda _: builder)
    wanted = {"Pipeline": "pipeline", "Recipe": "new", "WithNewStack": "true"}
    event: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": "r-1",
        "StackId": "stack",
        "LogicalResourceId": "Build",
        "ResourceProperties": wanted,
        "OldResourceProperties": {**wanted, "Recipe": "old"},
    }
    return handler.build(event)


@pytest.mark.parametrize(("kind", "status"), [("Create", "CREATE_IN_PROGRESS"), ("Update", "UPDATE_IN_PROGRESS")])
def test_a_refused_build_fails_the_deployment(monkeypatch: pytest.MonkeyPatch, kind: str, status: str) -> None:
    with pytest.raises(ClientError, match="ServiceQuotaExceeded"):
        refused(monkeypatch, kind, status)


def test_a_refused_build_does_not_fail_the_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(monkeypatch, "Update", "UPDATE_ROLLBACK_IN_PROGRESS") == "builds-Build"
