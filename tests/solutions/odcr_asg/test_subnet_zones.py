"""Subnet-Zones: CloudFormation hears the zones of the subnets, or why there are none, whatever happens."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from odcr_asg.subnet_zones import handler
from odcr_asg.subnet_zones.zones import SubnetZonesError, zones_of
from shared import custom_resource


class CloudFormation:
    """Takes answers, as behind a signed address."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.answers.append(json.loads(body))
                assert self.headers["Content-Type"] == ""
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/answer?signature=1"


class Ec2:
    """Describes subnets on two pages, in an order of its own."""

    def __init__(self, error: Exception | None = None, **zones: str) -> None:
        self.error, self.zones = error, zones

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_subnets"
        return self

    def paginate(self, SubnetIds: list[str]) -> Iterator[dict[str, Any]]:  # noqa: N803
        if self.error:
            raise self.error
        for subnet_id in sorted(SubnetIds, reverse=True):
            if subnet_id in self.zones:
                yield {"Subnets": [{"SubnetId": subnet_id, "AvailabilityZone": self.zones[subnet_id]}]}


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    found = CloudFormation()
    yield found
    found.server.shutdown()
    found.server.server_close()


def deliver(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation, ec2: Ec2, kind: str = "Create", **more: Any
) -> dict[str, Any]:
    monkeypatch.setattr(handler, "client", lambda _: ec2)
    event = {
        "RequestType": kind,
        "ResponseURL": cloudformation.url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Zones",
        "ResourceProperties": {"SubnetIds": ["s1", "s2", "s3"]},
        **more,
    }
    handler.lambda_handler(event, None)
    return cloudformation.answers[-1]


def test_zones_come_in_the_order_of_the_subnets(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation
) -> None:
    answer = deliver(monkeypatch, cloudformation, Ec2(s1="a", s2="c", s3="b"))
    assert answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "Zones",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Zones",
        "Data": {"Zone1": "a", "Zone2": "c", "Zone3": "b"},
    }


def test_an_update_keeps_the_id_and_a_deletion_asks_nothing(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation
) -> None:
    ec2 = Ec2(s1="a", s2="b", s3="c")
    assert deliver(monkeypatch, cloudformation, ec2, "Update", PhysicalResourceId="x")["PhysicalResourceId"] == "x"
    denied = Ec2(EndpointConnectionError(endpoint_url="https://ec2"))
    answer = deliver(monkeypatch, cloudformation, denied, "Delete", PhysicalResourceId="x")
    assert (answer["Status"], "Data" in answer) == ("SUCCESS", False)


@pytest.mark.parametrize(
    ("ec2", "says"),
    [
        (Ec2(s1="a", s2="b", s3="a"), "s1 and s3 are both in a; name one subnet of each zone"),
        (Ec2(s1="a", s2="b"), "EC2 knows no subnet s3"),
        (Ec2(EndpointConnectionError(endpoint_url="https://ec2")), "EndpointConnectionError"),
        (Ec2(ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "DescribeSubnets")), "UnauthorizedOperation"),
    ],
)
def test_what_went_wrong_is_what_cloudformation_shows(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation, ec2: Ec2, says: str
) -> None:
    answer = deliver(monkeypatch, cloudformation, ec2)
    assert answer["Status"] == "FAILED"
    assert says in answer["Reason"]


def test_properties_of_another_shape_fail_too(monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation) -> None:
    assert deliver(monkeypatch, cloudformation, Ec2(), ResourceProperties={"Subnets": []})["Status"] == "FAILED"


def test_a_reason_stays_within_what_cloudformation_takes(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation
) -> None:
    answer = deliver(monkeypatch, cloudformation, Ec2(SubnetZonesError("ä" * 10_000)))
    assert len(json.dumps(answer)) < 4_096


def test_an_answer_that_does_not_arrive_fails_the_invocation_so_that_lambda_tries_again(
    monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation
) -> None:
    monkeypatch.setattr(custom_resource, "PAUSES", (0.0, 0.0))
    cloudformation.status = 500
    with pytest.raises(OSError, match="500"):
        deliver(monkeypatch, cloudformation, Ec2(s1="a", s2="b", s3="c"))
    assert len(cloudformation.answers) == 3


def test_an_event_of_somebody_else_fails() -> None:
    with pytest.raises(ValueError, match="not a request of CloudFormation"):
        handler.lambda_handler({"detail-type": "Scheduled Event"}, None)


def test_zones_of_one_subnet_each() -> None:
    described = [{"SubnetId": "s2", "AvailabilityZone": "b"}, {"SubnetId": "s1", "AvailabilityZone": "a"}]
    assert zones_of(["s1", "s2"], described) == {"Zone1": "a", "Zone2": "b"}
