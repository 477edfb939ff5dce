"""An AWS on loopback, and the worker delivered to it: the assets in S3, the user data resolved."""

from __future__ import annotations

import io
import os
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from stacks.shared.filled import filled, shared_part
from tests.solutions.conftest import CREDENTIALS, REGION
from tests.variants import ROOT
from tryout.hosts.user_data import Boot, Sandbox

USER_DATA = ROOT / "stacks" / "sqs_target_scaling" / "user_data"


def zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return archive.getvalue()


@dataclass
class Delivery:
    """One copy of the stack's resources, with names of its own, at an AWS endpoint."""

    endpoint: str
    name: str = field(default_factory=lambda: f"stack-{uuid.uuid4().hex[:8]}")

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.endpoint, **keys)

    def create(self, *, assets: tuple[str, ...] = ("worker.zip", "libraries.zip")) -> None:
        files = {name: (USER_DATA / name).read_bytes() for name in ("worker.py", "sqs-worker.service")}
        contents = {"worker.zip": zipped(files), "libraries.zip": zipped({"a_library/__init__.py": b""})}
        place = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=self.name, CreateBucketConfiguration=place)
        for asset in assets:
            self.client("s3").put_object(Bucket=self.name, Key=asset, Body=contents[asset])
        self.sqs = self.client("sqs")
        self.queue = self.sqs.create_queue(QueueName=self.name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
        self.dynamodb = self.client("dynamodb")
        self.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "message_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "message_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def user_data(self) -> str:
        values = {
            "WORKER_URI": f"s3://{self.name}/worker.zip",
            "LIBRARIES_URI": f"s3://{self.name}/libraries.zip",
            "QUEUE_URL": self.queue,
            "QUEUE_NAME": self.name,
            "RESULTS_TABLE": self.name,
            "METRIC_NAMESPACE": "Worker",
            "HOOK_NAME": "drain",
            "HEARTBEAT_SECONDS": "0.3",
            "LONGEST_SECONDS": "3600",
            "REGION": REGION,
        }
        return filled(USER_DATA / "bootstrap.sh", **values, GROUP_INSTANCE=shared_part("group_instance.sh"))

    def environment(self, credentials: dict[str, str]) -> dict[str, str]:
        """The variables that stand for the instance: the endpoint, who it is, and nothing of this machine's own."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | credentials | {"AWS_ENDPOINT_URL": self.endpoint}

    def boot(self, folder: Path) -> Boot:
        folder.mkdir(exist_ok=True)
        return Sandbox(folder).run(self.user_data(), self.environment(CREDENTIALS))

    def effects(self) -> list[str]:
        items = self.dynamodb.scan(TableName=self.name, ConsistentRead=True)["Items"]
        return sorted(item["message_id"]["S"] for item in items)

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in counts.values())


@pytest.fixture(scope="session")
def deliver(endpoint: str) -> Callable[..., Delivery]:
    def create(**how: Any) -> Delivery:
        delivery = Delivery(endpoint)
        delivery.create(**how)
        return delivery

    return create


@pytest.fixture(scope="session")
def booted(deliver: Callable[..., Delivery], tmp_path_factory: pytest.TempPathFactory) -> tuple[Delivery, Boot]:
    """One stack and one instance of it, whose user data has run."""
    delivery = deliver()
    return delivery, delivery.boot(tmp_path_factory.mktemp("instance"))
