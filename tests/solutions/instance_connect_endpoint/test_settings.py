"""What the settings of instance_connect_endpoint refuse with ``common``."""

import re

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.models import CommonSettings
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings


def test_with_a_trail_the_topic_is_of_the_account_because_eventbridge_reaches_no_other() -> None:
    topic = "arn:aws:sns:eu-central-1:999999999999:alarms"
    common = CommonSettings(account="123456789012", region="eu-central-1", alarm_topic_arn=topic)
    (problem,) = InstanceConnectEndpointSettings(trail="existing").problems_with(common)
    assert problem.path == ("trail",) and "999999999999" in problem.message
    assert not list(InstanceConnectEndpointSettings().problems_with(common))


NAMES = ["a", "_", "a" * 32, "ec2-user", "svc.app@corp", "host$", "a" * 31 + "$", "1a", "1" * 31 + "a", "1.", "12_a-$"]
REFUSED = ["", "1", "12", "$", "-a", "@a", "a$b", "a" * 33, "1" * 32 + "a", "a" * 32 + "$", "a b", "é", "a;b", "a\n"]


def taken(name: str) -> bool:
    try:
        return InstanceConnectEndpointSettings(os_users=(name,)).os_users == (name,)
    except ValidationError:
        return False


@pytest.mark.parametrize(
    ("name", "is_taken"), [*((name, True) for name in NAMES), *((name, False) for name in REFUSED)]
)
def test_an_os_user_is_one_that_instance_connect_takes(name: str, is_taken: bool) -> None:
    """https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html."""
    assert taken(name) is is_taken


SHAPE = Session().get_service_model("ec2-instance-connect").shape_for("InstanceOSUser").metadata


@given(st.text("ab1@.$-_ ", max_size=6) | st.text("a1$", min_size=30, max_size=34))
def test_the_pattern_is_that_of_the_service(name: str) -> None:
    fits = re.fullmatch(SHAPE["pattern"], name) and SHAPE["min"] <= len(name) <= SHAPE["max"]
    assert taken(name) is bool(fits)
