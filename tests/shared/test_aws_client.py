"""The functions' clients: what a service says for "try again" is tried again, and nothing else is."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from moto.core.botocore_stubber import MockRawResponse

from shared import aws

CALLS = [
    ("imagebuilder", "list_images", "CallRateLimitExceededException", 429),
    ("sns", "list_topics", "Throttled", 429),
    ("sqs", "list_queues", "KmsThrottled", 400),
    ("ssm", "describe_parameters", "TooManyUpdates", 400),
    ("stepfunctions", "list_state_machines", "KmsThrottlingException", 400),
    ("autoscaling", "describe_auto_scaling_groups", "ResourceContention", 500),
    ("cloudwatch", "list_dashboards", "ConcurrentModificationException", 429),
]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    aws.client.cache_clear()
    yield
    aws.client.cache_clear()


def attempts(service: str, operation: str, code: str, status: int, *, times: int = 5) -> int:
    """How often a call is sent when each answer is this error."""
    sent: list[Any] = []
    client = aws.client(service, times)
    protocol = client.meta.service_model.resolved_protocol

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        body = json.dumps({"__type": code}).encode()
        if protocol in ("query", "rest-xml"):
            body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
        if protocol == "smithy-rpc-v2-cbor":
            body = b"\xa1\x66__type" + bytes([0x78, len(code)]) + code.encode()
        headers = {"x-amzn-errortype": code, "smithy-protocol": "rpc-v2-cbor"}
        return AWSResponse(request.url, status, headers, MockRawResponse(body))

    client.meta.events.register("before-send", answer)
    with pytest.raises(ClientError, match=code):
        getattr(client, operation)()
    return len(sent)


@pytest.mark.parametrize(("service", "operation", "code", "status"), CALLS)
def test_a_services_own_word_is_tried_again(service: str, operation: str, code: str, status: int) -> None:
    assert attempts(service, operation, code, status) == 5
    aws.client.cache_clear()
    assert attempts(service, operation, code, status, times=1) == 1


def test_another_word_is_not() -> None:
    assert attempts("imagebuilder", "list_images", "InvalidRequestException", 400) == 1
