"""The worker with boto3's clients, against moto's SQS, DynamoDB and CloudWatch in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from stacks.sqs_target_scaling.user_data.worker import Drain, Settings, Watch, Worker
from tests.solutions.sqs_target_scaling.fakes import Metadata, body

REGION = "eu-west-1"


@dataclass
class Account:
    """The resources of the stack, and a worker on them."""

    sqs: Any = field(default_factory=lambda: boto3.client("sqs", REGION))
    dynamodb: Any = field(default_factory=lambda: boto3.client("dynamodb", REGION))
    cloudwatch: Any = field(default_factory=lambda: boto3.client("cloudwatch", REGION))
    lines: list[dict[str, Any]] = field(default_factory=list)

    def create(self, name: str) -> Worker:
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
        attributes = {"VisibilityTimeout": "90", "RedrivePolicy": redrive}
        self.queue = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.name = name
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "message_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "message_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        settings = Settings(self.queue, name, name, "Ns", "hook", REGION, 30, 43_200, poll_seconds=0.001)
        drain = Drain(log=lambda event, **facts: self.lines.append({"event": event} | facts))
        watch = Watch(Metadata(), drain)  # type: ignore[arg-type]
        return Worker(settings, drain, watch, self.sqs, self.dynamodb, self.cloudwatch, autoscaling=None)

    def send(self, text: str) -> None:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=text)

    def left(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())

    def metric(self, name: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        found = self.cloudwatch.get_metric_statistics(
            Namespace="Ns",
            MetricName=name,
            Dimensions=[{"Name": "QueueName", "Value": self.name}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=3600,
            Statistics=["SampleCount", "Sum"],
        )
        (point,) = found["Datapoints"]
        return dict(point)


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "testing")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        # The server on loopback shares moto's memory, so nothing may be forgotten here.
        mock = mock_aws()
        mock.start(reset=False)
        yield
        mock.stop(remove_data=False)


def test_a_message_is_done_once_and_measured(aws: None) -> None:
    account = Account()
    worker = account.create("once")
    for _ in range(2):
        account.send(body("a", 0.02))
        worker.work_once()
    (item,) = account.dynamodb.scan(TableName="once")["Items"]
    assert (item["message_id"], item["duration_seconds"]) == ({"S": "a"}, {"N": "0.020"})
    assert int(item["expires_at"]["N"]) - int(item["finished_at"]["N"]) == 7 * 86_400
    assert account.left(account.queue) == 0
    measured = account.metric("MsgProcessingDuration")
    assert (measured["SampleCount"], measured["Unit"]) == (1, "Seconds")
    assert 0.02 <= measured["Sum"] < 5
    assert account.metric("DuplicateMessages")["Sum"] == 1


def test_a_malformed_message_ends_in_the_dead_letters_and_the_next_one_is_done(aws: None) -> None:
    account = Account()
    worker = account.create("malformed")
    account.send("{")
    for _ in range(3):
        worker.work_once()
    account.send(body("b", 0))
    worker.work_once()
    assert [line["event"] for line in account.lines] == ["malformed"] * 3 + ["received", "done"]
    assert [line["receives"] for line in account.lines[:3]] == [1, 2, 3]
    assert (account.left(account.queue), account.left(account.dead)) == (0, 1)


def test_a_heartbeat_of_real_work_is_accepted(aws: None) -> None:
    account = Account()
    worker = account.create("beating")
    worker.settings = Settings(account.queue, "q", "beating", "Ns", "hook", REGION, 0.01, 43_200, poll_seconds=0.001)
    account.send(body("c", 0.1))
    worker.work_once()
    assert [line["event"] for line in account.lines] == ["received", "done"]


def test_a_released_message_is_there_at_once(aws: None) -> None:
    account = Account()
    worker = account.create("released")
    account.send(body("d", 3600))
    worker.drain.begin("spot", 120)
    worker.drain.begun.clear()
    worker.work_once()
    assert account.lines[-1]["event"] == "released"
    assert len(account.sqs.receive_message(QueueUrl=account.queue)["Messages"]) == 1
