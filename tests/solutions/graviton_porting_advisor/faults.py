"""The happy paths of the functions of graviton_porting_advisor."""

import importlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto.backends import get_backend

from graviton_porting_advisor.report.message import Link
from graviton_porting_advisor.start.store import Store
from graviton_porting_advisor.verdict import Result, Verdict
from shared.aws import client
from tests.faults.custom_resources import CustomResourceWorld, custom_resource
from tests.faults.subject import Event, Subject, request_id

ACCOUNT, REGION = "123456789012", "us-east-1"
BUILD, SLUG = "scans:1", "github-org-a-1"
VARIABLES = [{"name": "SOURCE", "value": "github/org/a"}, {"name": "SLUG", "value": SLUG}]
SUBJECT = "[FAIL] above-max: github/org/a"
KEY = f"reports/{SLUG}/1/result.json"


def _state() -> dict[str, Any]:
    """Builds, which moto ends at once, kept in moto's memory, so that each world has its own."""
    found: dict[str, Any] = vars(get_backend("codebuild")[ACCOUNT][REGION]).setdefault("builds_of_ours", {})
    return found


class Builds:
    """CodeBuild as the functions ask it, by an object of S3 so that its answers can be throttled."""

    def start_build(self, **request: str) -> Any:
        """One build for each token."""
        client("s3").head_bucket(Bucket="reports")
        build = f"{request['projectName']}:{request['idempotencyToken'][:8]}"
        _state().setdefault(build, "IN_PROGRESS")
        return {"build": {"id": build}}

    def stop_build(self, **request: str) -> Any:
        """Ends it."""
        _state()[request["id"]] = "STOPPED"
        return {}

    def list_builds_for_project(self, **_: str) -> Any:
        """All of them."""
        client("s3").head_bucket(Bucket="reports")
        return {"ids": list(_state())}

    def batch_get_builds(self, **request: Any) -> Any:
        """Those that were asked for."""
        client("s3").head_bucket(Bucket="reports")
        return {
            "builds": [
                {"id": each, "buildStatus": _state()[each], "environment": {"environmentVariables": VARIABLES}}
                for each in request["ids"]
                if each in _state()
            ]
        }


class Functions:
    """Lambda as Report asks it, by an object of S3 too."""

    def invoke(self, **request: Any) -> Any:
        """Notes it down."""
        client("s3").head_bucket(Bucket="reports")
        asked = vars(get_backend("codebuild")[ACCOUNT][REGION]).setdefault("asked_of_start", [])
        asked.append((request["FunctionName"], request["InvocationType"], json.loads(request["Payload"])))
        return {"StatusCode": 202}


def asked_of_start() -> list[Any]:
    """What Report has asked of Start."""
    return list(vars(get_backend("codebuild")[ACCOUNT][REGION]).get("asked_of_start", []))


def clients(service: str, attempts: int = 5) -> Any:
    """Our CodeBuild and Lambda, and moto's everything else."""
    ours = {"codebuild": Builds, "lambda": Functions}
    return ours[service]() if service in ours else client(service, attempts)


def line_table() -> str:
    """The table of the line."""
    client("dynamodb").create_table(
        TableName="line",
        KeySchema=[{"AttributeName": "line", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "line", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "line"


def messages(queue: str) -> list[Any]:
    """What waits in a queue."""
    found = get_backend("sqs")[ACCOUNT][REGION].queues[queue]
    return [json.loads(one.body) for one in found._messages]


class StartWorld:
    """Two projects."""

    def __init__(self) -> None:
        client("s3").create_bucket(Bucket="reports")
        url = client("sqs").create_queue(QueueName="ended")["QueueUrl"]
        self.env: Mapping[str, str] = {"BUILDS_AT_ONCE": "2", "QUEUE_URL": url, "TABLE_NAME": line_table()}
        self.event: Any = {"projects": ["one", "two"], "run": "2026-01-01T00:00:00Z"}

    def invariant(self) -> None:
        builds = set(_state())
        assert {build.partition(":")[0] for build in builds} == {"one", "two"}, f"builds are {builds}"
        watched = {message["build"] for message in messages("ended") if "build" in message}
        assert watched == builds, f"looked after are {watched}"

    def unharmed(self) -> None:
        """Another run is another build; the same run never is."""
        assert len(_state()) <= 4, f"a source was started twice in a run: {sorted(_state())}"


class FullWorld(StartWorld):
    """Three projects, of which one may be built at a time, and the first build has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.env = {**self.env, "BUILDS_AT_ONCE": "1"}
        entries = [
            {"project": "zero", "run": "monday", "state": "runs", "since": 0.0, "tries": 0, "build": "zero:1"},
            {"project": "one", "run": "monday", "state": "waits", "since": 0.0, "tries": 0, "build": ""},
            {"project": "two", "run": "monday", "state": "waits", "since": 0.0, "tries": 0, "build": ""},
        ]
        item = {"line": {"S": "builds"}, "mark": {"S": "x"}, "entries": {"S": json.dumps(entries)}}
        client("dynamodb").put_item(TableName="line", Item=item)
        _state()["zero:1"] = "SUCCEEDED"
        self.event = {"go_on": True, "watch": True}

    def invariant(self) -> None:
        builds = {build.partition(":")[0] for build in _state()}
        assert builds == {"zero", "one"}, f"builds are {builds}: one at a time, and the first in the line"
        assert {"go_on": True, "watch": True} in messages("ended"), "nobody comes back for the last"

    def unharmed(self) -> None:
        running = [build for build, state in _state().items() if state == "IN_PROGRESS"]
        assert len(running) <= 1, f"at a time run {running}"


class ReportWorld:
    """A scan that has ended with a result, and nobody was told yet."""

    def __init__(self) -> None:
        client("s3").create_bucket(Bucket="reports")
        client("dynamodb").create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "build", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "build", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        verdict = Verdict(Result.ABOVE_MAX, passed=False, says="37 issues", issues=37, files=1)
        body = json.dumps({"source": "github/org/a", **verdict.to_json()}).encode()
        client("s3").put_object(Bucket="reports", Key=KEY, Body=body)
        _state()[BUILD] = "FAILED"
        topic = client("sns").create_topic(Name="scans")["TopicArn"]
        self.env: Mapping[str, str] = {
            "AWS_REGION": REGION,
            "BUCKET": "reports",
            "KIND_METRICS": "false",
            "LINK_MINUTES": "60",
            "LONGEST_SECONDS": "70",
            "METRIC_NAMESPACE": "Tried",
            "NOTIFY": "all",
            "QUEUE_URL": client("sqs").create_queue(QueueName="ended")["QueueUrl"],
            "READER_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/reader",
            "START_FUNCTION": "start",
            "TABLE_NAME": "ledger",
            "TOPIC_ARN": topic,
        }
        record = {"messageId": "m-1", "body": json.dumps({"build": BUILD})}
        self.event: Any = {"Records": [record]}

    def sent(self) -> list[str]:
        """The subjects of the notifications so far."""
        (topic,) = get_backend("sns")[ACCOUNT][REGION].topics.values()
        return [str(each[2]) for each in topic.sent_notifications]

    def invariant(self) -> None:
        assert set(self.sent()) == {SUBJECT}, f"sent were {self.sent()}"
        data = get_backend("cloudwatch")[ACCOUNT][REGION].metric_data
        assert {item.value for item in data if item.name == "Issues"} == {37.0}
        assert ("start", "Event", {"go_on": True, "watch": False}) in asked_of_start(), "the next one waits for ever"

    def unharmed(self) -> None:
        """SNS has no token: where its answer is lost, the same is said again. Nothing else ever is."""
        assert set(self.sent()) <= {SUBJECT}, f"sent were {self.sent()}"


class StoppingWorld(CustomResourceWorld):
    """A stack that is being deleted while a build runs."""

    def __init__(self) -> None:
        super().__init__()
        client("s3").create_bucket(Bucket="reports")
        _state().update({"one:1": "IN_PROGRESS", "one:2": "SUCCEEDED"})
        self.env = {**self.env, "TABLE_NAME": line_table()}
        named = {"PhysicalResourceId": "builds", "LogicalResourceId": "Stopped"}
        self.event |= {"RequestType": "Delete", "ResourceProperties": {"Projects": ["one"]}, **named}

    def invariant(self) -> None:
        super().invariant()
        assert _state() == {"one:1": "STOPPED", "one:2": "SUCCEEDED"}, f"builds are {_state()}"
        assert Store(client("dynamodb"), "line").change(lambda line: line) is None, "somebody may start another one"


def unsigned(sts: Any, role: str, *_: Any, **more: Any) -> Link:
    """Takes the reader's role and signs nothing: a signature is no call that could fail."""
    sts.assume_role(RoleArn=role, RoleSessionName="report", DurationSeconds=3600)
    return Link("https://link", datetime(2026, 1, 1, tzinfo=UTC), 60)


def deliver(name: str) -> Any:
    """A function under our CodeBuild."""

    def delivered(event: Event) -> Any:
        handler = importlib.import_module(f"graviton_porting_advisor.{name}.handler")
        with (
            patch.object(handler, "client", clients),
            patch("graviton_porting_advisor.report.handler.signed", unsigned),
        ):
            return handler.lambda_handler(event, SimpleNamespace(aws_request_id=request_id(event)))

    return delivered


def stopping(subject: Subject) -> Subject:
    """The custom resource under our CodeBuild."""

    def delivered(event: Event) -> Any:
        handler = importlib.import_module("graviton_porting_advisor.lifecycle.handler")
        with patch.object(handler, "client", clients):
            return subject.deliver(event)

    return Subject(subject.name, delivered, subject.world, subject.module, tells=subject.tells)


SUBJECTS: list[Subject] = [
    Subject(
        "graviton_porting_advisor.start",
        deliver("start"),
        StartWorld,
        module="graviton_porting_advisor.start.handler",
    ),
    Subject(
        "graviton_porting_advisor.start (line)",
        deliver("start"),
        FullWorld,
        module="graviton_porting_advisor.start.handler",
    ),
    Subject(
        "graviton_porting_advisor.report",
        deliver("report"),
        ReportWorld,
        module="graviton_porting_advisor.report.handler",
    ),
    stopping(
        custom_resource(
            "graviton_porting_advisor.lifecycle",
            StoppingWorld,
            tells=lambda result: bool(isinstance(result, dict) and result.get("status") == "FAILED"),
        )
    ),
]
