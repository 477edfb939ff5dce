"""The happy paths of the functions of outposts_dashboard."""

import importlib
import json
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto.backends import get_backend

from shared.aws import client
from tests.faults.custom_resources import CustomResourceWorld, custom_resource
from tests.faults.subject import Event, Subject, request_id

NAME = "board"
TAG = {"Key": "OutpostID", "Value": "op-1"}
WANTED = {
    "dashboard_name": NAME,
    "tag_name": TAG["Key"],
    "tag_values": [TAG["Value"]],
    "by_tag_value": False,
    "explorer": False,
    "s3_namespace": "S3Outposts",
    "other_outposts": {},
    "written_by": "stack tried",
}
EMPTY = '{"widgets": []}'


class NoOutposts:
    """Outposts, which moto lacks: there are none."""

    def get_paginator(self, _: str) -> Any:
        """One page with nothing in it."""
        return SimpleNamespace(paginate=lambda **_: [{"Outposts": []}])


class RefreshWorld:
    """A tagged instance, an older dashboard of ours, and one of somebody else."""

    def __init__(self) -> None:
        client("dynamodb").create_table(
            TableName="ledger",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for name in (f"{NAME}-page-2", "somebody-elses", f"{NAME}-of-somebody-else"):
            client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=EMPTY)
        client("dynamodb").put_item(TableName="ledger", Item={"id": {"S": f"dashboard#{NAME}-page-2"}})
        settings = {"id": {"S": "settings"}, "text": {"S": json.dumps(WANTED)}}
        client("dynamodb").put_item(TableName="ledger", Item=settings)
        tags = [{"ResourceType": "instance", "Tags": [TAG]}]
        launched = client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=tags)
        self.instance = launched["Instances"][0]["InstanceId"]
        self.env: Mapping[str, str] = {
            "TABLE_NAME": "ledger",
            "ACCOUNT_ID": "123456789012",
            "AWS_REGION": "us-east-1",
            "METRIC_NAMESPACE": "Tried",
            "LONGEST_SECONDS": "310",
            "QUEUE_URL": client("sqs").create_queue(QueueName="events")["QueueUrl"],
        }
        sent = str(int(time.time() * 1000))
        record = {
            "messageId": "m-1",
            "eventSource": "aws:sqs",
            "attributes": {"SentTimestamp": sent},
            "body": "x",
            "receiptHandle": "r-1",
        }
        self.event: Any = {"Records": [record]}

    def invariant(self) -> None:
        boards = dashboards()
        assert self.instance in boards.get(NAME, ""), "the dashboard does not show the instance"
        assert f"{NAME}-page-2" not in boards, "a dashboard that is not wanted any more is still there"

    def unharmed(self) -> None:
        boards = dashboards()
        for name in ("somebody-elses", f"{NAME}-of-somebody-else"):
            assert boards.get(name) == EMPTY, f"{name} was touched"


class ClosingWorld(CustomResourceWorld):
    """A stack that is being deleted, with two dashboards of its own and one of somebody else."""

    request = "Delete"

    def __init__(self) -> None:
        super().__init__()
        RefreshWorld()
        client("cloudwatch").put_dashboard(DashboardName=NAME, DashboardBody=EMPTY)
        client("dynamodb").put_item(TableName="ledger", Item={"id": {"S": f"dashboard#{NAME}"}})
        self.queue = client("sqs").create_queue(QueueName="waiting")["QueueUrl"]
        properties = {"TableName": "ledger", "QueueUrl": self.queue, "Wanted": json.dumps(WANTED)}
        named = {"PhysicalResourceId": "dashboards", "LogicalResourceId": "Begun"}
        self.event |= {"RequestType": self.request, "ResourceProperties": properties, **named}

    def invariant(self) -> None:
        super().invariant()
        left = [name for name in dashboards() if name in (NAME, f"{NAME}-page-2")]
        assert not left, f"left are {left}"

    def unharmed(self) -> None:
        boards = dashboards()
        assert "somebody-elses" in boards and f"{NAME}-of-somebody-else" in boards, "somebody else's is gone"


class DeployedWorld(ClosingWorld):
    """A stack that was deployed."""

    request = "Update"

    def invariant(self) -> None:
        CustomResourceWorld.invariant(self)
        waiting = get_backend("sqs")["123456789012"]["us-east-1"].queues["waiting"].messages
        assert waiting, "nobody was told to refresh"

    def unharmed(self) -> None:
        super().unharmed()
        assert NAME in dashboards(), "a dashboard is gone"


def dashboards() -> dict[str, str]:
    """Bodies of all dashboards by their names, in moto's own memory."""
    found = get_backend("cloudwatch")["123456789012"]["us-east-1"].dashboards
    return {name: board.body for name, board in found.items()}


def refreshing(event: Event) -> Any:
    """Delivers a batch of messages."""
    handler = importlib.import_module("outposts_dashboard.refresh.handler")

    def clients(service: str) -> Any:
        return NoOutposts() if service == "outposts" else client(service)

    with patch.object(handler, "client", clients):
        return handler.lambda_handler(event, SimpleNamespace(aws_request_id=request_id(event)))


def says_failed(result: Any) -> bool:
    """Whether CloudFormation was told of a failure."""
    return bool(isinstance(result, dict) and result.get("status") == "FAILED")


SUBJECTS: list[Subject] = [
    Subject(
        "outposts_dashboard.refresh",
        refreshing,
        RefreshWorld,
        module="outposts_dashboard.refresh.handler",
        # A section that fails is told by a metric, on the dashboard, and in the answer.
        tells=lambda result: bool(isinstance(result, dict) and result.get("failed")),
    ),
    custom_resource("outposts_dashboard.lifecycle", DeployedWorld, tells=says_failed),
    custom_resource("outposts_dashboard.lifecycle", ClosingWorld, " (deletes)", tells=says_failed),
]
