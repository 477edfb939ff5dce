"""What the settings of custom_health_checks derive and refuse."""

import pytest
from pydantic import ValidationError

from stacks.custom_health_checks.settings import CustomHealthChecksSettings


def test_without_a_longer_wait_an_instance_waits_for_one_heartbeat() -> None:
    assert CustomHealthChecksSettings(heartbeat_seconds=120).longest_wait == 120
    assert CustomHealthChecksSettings(longest_wait_seconds=3600).longest_wait == 3600


@pytest.mark.parametrize(("heartbeat", "most"), [(30, 3_000), (300, 30_000), (1_728, 172_800), (7_200, 172_800)])
def test_the_longest_wait_is_a_hundred_heartbeats_or_two_days(heartbeat: int, most: int) -> None:
    wait = {"mode": "instance", "heartbeat_seconds": heartbeat, "poll_seconds": 10}
    assert CustomHealthChecksSettings.model_validate({**wait, "longest_wait_seconds": most}).longest_wait == most
    with pytest.raises(ValidationError):
        CustomHealthChecksSettings.model_validate({**wait, "longest_wait_seconds": most + 1})


@pytest.mark.parametrize(("heartbeat", "most"), [(30, 10), (60, 20), (300, 100), (7_200, 300)])
def test_an_instance_looks_three_times_in_a_heartbeat_and_a_function_does_not_care(heartbeat: int, most: int) -> None:
    CustomHealthChecksSettings(mode="instance", heartbeat_seconds=heartbeat, poll_seconds=most)
    CustomHealthChecksSettings(mode="event", heartbeat_seconds=heartbeat, poll_seconds=300)
    with pytest.raises(ValidationError):
        CustomHealthChecksSettings(mode="instance", heartbeat_seconds=heartbeat, poll_seconds=most + 1)


@pytest.mark.parametrize("value", ["a|b", "a\nb", 'a"b', "$(reboot)", "a'b", "`b`", ""])
def test_no_value_can_be_more_than_a_value_in_the_script(value: str) -> None:
    for check in ({"kind": "tag", "success": value}, {"kind": "tag", "key": value}, {"kind": "table", "table": value}):
        with pytest.raises(ValidationError):
            CustomHealthChecksSettings.model_validate({"checks": [check]})
