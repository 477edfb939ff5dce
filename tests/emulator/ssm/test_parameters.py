"""Parameters: one whose value is an image changes after the call, and never becomes another kind."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws

NAME, IMAGE = "/tried/image", "aws:ec2:image"


@pytest.fixture
def ssm(aws: EmbeddedAws) -> Any:
    return aws.client("ssm")


def value(ssm: Any) -> str | None:
    found = ssm.get_parameters(Names=[NAME])["Parameters"]
    return found[0]["Value"] if found else None


def put(ssm: Any, image: str, kind: str, **more: Any) -> None:
    ssm.put_parameter(Name=NAME, Value=image, Type="String", DataType=kind, **more)


def test_an_image_is_there_some_time_after_the_call(aws: EmbeddedAws, ssm: Any) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html."""
    put(ssm, "ami-1", IMAGE)
    assert value(ssm) is None
    aws.minutes_pass()
    assert value(ssm) == "ami-1"
    put(ssm, "ami-2", IMAGE, Overwrite=True)
    assert value(ssm) == "ami-1"
    aws.minutes_pass()
    assert value(ssm) == "ami-2"


def test_text_is_there_at_once(ssm: Any) -> None:
    put(ssm, "ami-1", "text")
    put(ssm, "ami-2", "text", Overwrite=True)
    assert value(ssm) == "ami-2"


@pytest.mark.parametrize(("before", "after"), [("text", IMAGE), (IMAGE, "text")])
def test_no_parameter_becomes_one_of_an_image_and_none_of_an_image_another(
    aws: EmbeddedAws, ssm: Any, before: str, after: str
) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-data-types.html."""
    put(ssm, "ami-1", before)
    aws.minutes_pass()
    assert value(ssm) == "ami-1"
    with pytest.raises(ClientError, match="cannot be changed"):
        put(ssm, "ami-2", after, Overwrite=True)


def test_a_value_without_a_type_keeps_that_of_the_parameter(aws: EmbeddedAws, ssm: Any) -> None:
    put(ssm, "ami-1", IMAGE)
    aws.minutes_pass()
    assert value(ssm) == "ami-1"
    ssm.put_parameter(Name=NAME, Value="ami-2", Overwrite=True)
    assert value(ssm) == "ami-1"
    aws.minutes_pass()
    assert value(ssm) == "ami-2"


def test_one_that_is_there_is_not_overwritten_unasked(ssm: Any) -> None:
    put(ssm, "ami-1", "text")
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        put(ssm, "ami-2", "text")
