"""CloudFormation takes what is gone already for deleted, and nothing else that a service does not find."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.core.api import client_error
from emulator.core.resource import ResourceType

ENDPOINT = "vpce-0123456789abcdef0"


def deleted(physical_id: str, code: str, message: str) -> None:
    def delete(*_: Any) -> None:
        raise client_error(code, message)

    ResourceType(create=lambda _: physical_id, delete=delete).handler()["delete"](physical_id, {})


@pytest.mark.parametrize(
    ("physical_id", "code", "message"),
    [
        (ENDPOINT, "InvalidVpcEndpointId.NotFound", f"The VpcEndpoint ID '{ENDPOINT}' does not exist"),
        ("rtb-0123456789abcdef0|0.0.0.0/0", "InvalidRoute.NotFound", "no route to 0.0.0.0/0 in rtb-0123456789abcdef0"),
        ("arn:aws:elasticloadbalancing:us-east-1:1:listener/app/a/b", "ListenerNotFound", "listeners not found"),
        ("group", "ValidationError", "AutoScalingGroup name not found - group"),
    ],
)
def test_what_is_gone_already_is_deleted(physical_id: str, code: str, message: str) -> None:
    deleted(physical_id, code, message)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidRoute.NotFound", "no route with destination pl-63a5400a in route table rtb-0123456789abcdef0"),
        ("DependencyViolation", f"{ENDPOINT} is in use"),
    ],
)
def test_what_is_there_and_cannot_be_deleted_is_told(code: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        deleted(ENDPOINT, code, message)
