"""The happy paths of custom resources, whose answers are seen.

CloudFormation's address for the answer is one of S3's in truth, so that here moto's S3 takes it: what goes wrong with
that upload is generated like every other fault. moto's CloudFormation needs packages that are not installed; the status
of the stack is in S3 too.
"""

import importlib
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError
from moto.backends import get_backend

from shared.aws import client
from tests.faults.subject import Event, Subject, World

ANSWERS = "cloudformation-answers"


class CustomResourceWorld:
    """A stack that is being updated, and a bucket for answers."""

    env: Mapping[str, str] = {}
    wanted = "SUCCESS"

    def __init__(self) -> None:
        client("s3").create_bucket(Bucket=ANSWERS)
        stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/tried/1"
        self.event: Any = {
            "RequestType": "Update",
            "ResponseURL": f"https://{ANSWERS}.example/answer",
            "StackId": stack_id,
            "RequestId": "r-1",
            "LogicalResourceId": "Guarded",
            "PhysicalResourceId": "guard-Guarded",
        }

    def answer(self) -> dict[str, Any] | None:
        """What CloudFormation has heard last."""
        found = bucket(ANSWERS).get("answer")
        return json.loads(found.value) if found else None

    def invariant(self) -> None:
        answer = self.answer()
        assert answer, "CloudFormation has heard nothing"
        assert answer["Status"] == self.wanted, f"CloudFormation was told {answer}"

    def unharmed(self) -> None:
        """Nothing yet."""


def bucket(name: str) -> Any:
    """The objects of a bucket, as moto holds them."""
    return get_backend("s3")["123456789012"]["aws"].buckets[name].keys


class StackInS3:
    """CloudFormation as far as the guard asks it, kept where moto can be throttled: in an object of S3."""

    def describe_stacks(self, **_: str) -> Any:
        """The status of the stack."""
        status = client("s3").get_object(Bucket=ANSWERS, Key="status")["Body"].read().decode()
        return {"Stacks": [{"StackStatus": status}]}


def upload(url: str, body: bytes) -> None:
    """Stands in for ``shared.custom_resource.upload``: the answer goes where it can be throttled too."""
    try:
        client("s3").put_object(Bucket=ANSWERS, Key="answer", Body=body)
    except (ClientError, BotoCoreError) as error:
        raise OSError(str(error)) from error


def custom_resource(
    path: str, world: type[World], name: str = "", tells: Callable[[Any], bool] = lambda result: False
) -> Subject:
    """Registers the handler of a custom resource, whose answers go to moto's S3.

    Args:
        tells: whether CloudFormation was told of a failure, where that is not what the world wants.
    """
    module = f"{path}.handler"

    def deliver(event: Event) -> Any:
        stack = patch("shared.guard.handler.client", lambda service: StackInS3())
        with stack, patch("shared.custom_resource.upload", upload):
            return importlib.import_module(module).lambda_handler(event, SimpleNamespace())

    return Subject(f"{path}{name}", deliver, world, module, tells=tells)
