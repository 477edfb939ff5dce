"""Rules between the keys of ``common``."""

import pytest
from pydantic import ValidationError

from config.models import CommonSettings

KEY = "arn:aws:kms:eu-central-1:{account}:key/11111111-2222-3333-4444-555555555555"
TOPIC = "arn:aws:sns:eu-central-1:{account}:alarms"


def errors(**common: object) -> list[str]:
    return [found.message for found in CommonSettings(**common).problems() if not found.warning]  # type: ignore[arg-type]


@pytest.mark.parametrize("name, arn", [("kms_key_arn", KEY), ("alarm_topic_arn", TOPIC)])
@pytest.mark.parametrize("account", ["123456789012", "210987654321"])
def test_a_key_and_a_topic_are_of_the_region_and_of_any_account(name: str, arn: str, account: str) -> None:
    common = {"account": "123456789012", name: arn.format(account=account)}
    assert errors(**common, region="eu-central-1") == []
    assert errors(**common, region="eu-west-1") == ["must be of common.region eu-west-1; correct one of the two"]


def test_a_key_needs_the_region_by_name_and_a_topic_does_not() -> None:
    account = "123456789012"
    (message,) = errors(kms_key_arn=KEY.format(account=account))
    assert message == "must be eu-central-1, the Region of kms_key_arn, got null; set region: eu-central-1"
    assert errors(alarm_topic_arn=TOPIC.format(account=account)) == []


def test_an_image_needs_the_region_by_name() -> None:
    images = {"arm64": "ami-0123456789abcdef0"}
    (message,) = errors(linux_images=images)
    assert message == "must be the Region of linux_images.arm64 ami-0123456789abcdef0, got null; set region"
    assert errors(linux_images=images, region="eu-central-1") == []


LONGEST = "p" * 500 + "/" + "p" * 9  # and the slashes around it: 512 characters of a path


@pytest.mark.parametrize("name", ["b", "b" * 128, "Dev_+=,.@-1", "team/Dev", f"{LONGEST}/{'b' * 128}"])
def test_a_boundary_has_any_name_that_iam_takes(name: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html: PolicyName and Path."""
    assert CommonSettings(permissions_boundary=name).permissions_boundary == name


@pytest.mark.parametrize(
    "name",
    ["", "b" * 129, "a b", "a*", "é", "/Dev", "team/", "a//b", "a\n", f"{LONGEST}p/Dev", f"{LONGEST}/{'b' * 129}"],
)
def test_a_boundary_has_no_name_that_iam_refuses(name: str) -> None:
    with pytest.raises(ValidationError, match="permissions_boundary"):
        CommonSettings(permissions_boundary=name)


def test_an_arn_of_a_boundary_is_answered_with_its_name_and_path() -> None:
    with pytest.raises(ValidationError, match="write 'team/Dev'"):
        CommonSettings(permissions_boundary="arn:aws:iam::123456789012:policy/team/Dev")
