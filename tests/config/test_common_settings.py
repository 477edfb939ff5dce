"""Rules between the keys of ``common``."""

import pytest
from pydantic import ValidationError

from config.models import CommonSettings

KEY = "arn:aws:kms:eu-central-1:{account}:key/11111111-2222-3333-4444-555555555555"
TOPIC = "arn:aws:sns:eu-central-1:{account}:alarms"


@pytest.mark.parametrize("name, arn", [("kms_key_arn", KEY), ("alarm_topic_arn", TOPIC)])
@pytest.mark.parametrize("account", ["123456789012", "210987654321"])
def test_a_key_and_a_topic_are_of_the_region_and_of_any_account(name: str, arn: str, account: str) -> None:
    common = {"account": "123456789012", name: arn.format(account=account)}
    assert CommonSettings.model_validate({**common, "region": "eu-central-1"})
    with pytest.raises(ValidationError, match=f"region must be eu-central-1, the Region of {name}, got eu-west-1"):
        CommonSettings.model_validate({**common, "region": "eu-west-1"})


def test_a_key_needs_the_region_by_name_and_a_topic_does_not() -> None:
    account = "123456789012"
    with pytest.raises(ValidationError, match="got null; set region: eu-central-1"):
        CommonSettings.model_validate({"kms_key_arn": KEY.format(account=account)})
    assert CommonSettings.model_validate({"alarm_topic_arn": TOPIC.format(account=account)}).region is None
