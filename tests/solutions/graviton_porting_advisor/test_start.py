"""Start: one build for each source, by requests that CodeBuild's model takes."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import ANY, Stubber

from graviton_porting_advisor.start.handler import NotStartedError, UnknownEventError, lambda_handler, start


class Aws:
    """CodeBuild and SQS as Start asks them; a project named broken cannot be started."""

    def __init__(self) -> None:
        self.started: list[dict[str, str]] = []
        self.sent: list[dict[str, Any]] = []

    def start_build(self, **request: str) -> Any:
        if request["projectName"] == "broken":
            raise ClientError({"Error": {"Code": "AccountLimitExceededException", "Message": "no"}}, "StartBuild")
        self.started.append(request)
        return {"build": {"id": f"{request['projectName']}:1"}}

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


def test_every_source_is_started_and_looked_after() -> None:
    aws = Aws()
    assert start(aws, aws, ["one", "two"], "monday", "queue") == ["one:1", "two:1"]
    assert [json.loads(each["MessageBody"]) for each in aws.sent] == [
        {"build": "one:1", "watch": True}, {"build": "two:1", "watch": True},
    ]  # fmt: skip
    assert {each["DelaySeconds"] for each in aws.sent} == {900}


def test_the_same_run_has_the_same_token_and_no_two_sources_share_one() -> None:
    aws = Aws()
    for run in ("monday", "monday", "tuesday"):
        start(aws, aws, ["one", "two"], run, "queue")
    tokens = [each["idempotencyToken"] for each in aws.started]
    assert tokens[:2] == tokens[2:4] and len(set(tokens)) == 4


def test_a_source_that_cannot_be_started_stops_no_other_and_is_named() -> None:
    aws = Aws()
    with pytest.raises(NotStartedError, match=r"broken: .*AccountLimitExceeded"):
        start(aws, aws, ["broken", "two"], "monday", "queue")
    assert [each["projectName"] for each in aws.started] == ["two"]


def test_the_request_is_one_of_codebuilds_model_and_in_its_case() -> None:
    codebuild = boto3.client("codebuild", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(codebuild) as stub:
        stub.add_response("start_build", {"build": {"id": "one:1"}}, {"projectName": "one", "idempotencyToken": ANY})
        assert start(codebuild, Aws(), ["one"], "monday", "queue") == ["one:1"]
    with pytest.raises(ParamValidationError, match="ProjectName"):  # as the universal target of a schedule wants it
        codebuild.start_build(ProjectName="one")


@pytest.mark.parametrize(
    "event", [{}, {"projects": ["one"]}, {"projects": []}, {"projects": "one"}, {"projects": [1]}, None, []]
)
def test_an_event_without_projects_starts_nothing(event: Any) -> None:
    with pytest.raises(UnknownEventError):
        lambda_handler(event, SimpleNamespace(aws_request_id="r"))
