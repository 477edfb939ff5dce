"""What the settings of custom_health_checks derive and refuse."""

from typing import Any

import pytest
from awscli.shorthand import ShorthandParser
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stacks.custom_health_checks.checks import TagCheck
from stacks.custom_health_checks.settings import LONGEST_WAIT_SECONDS, CustomHealthChecksSettings


def test_without_a_longer_wait_an_instance_waits_for_one_heartbeat() -> None:
    assert CustomHealthChecksSettings(heartbeat_seconds=120).longest_wait == 120
    assert CustomHealthChecksSettings(longest_wait_seconds=3600).longest_wait == 3600


@pytest.mark.parametrize(("heartbeat", "most"), [(30, 3_000), (300, 30_000), (1_728, 172_800), (7_200, 172_800)])
def test_the_longest_wait_is_a_hundred_heartbeats_or_two_days(heartbeat: int, most: int) -> None:
    wait = {"mode": "instance", "heartbeat_seconds": heartbeat, "poll_seconds": 10}
    allowed = CustomHealthChecksSettings.model_validate({**wait, "longest_wait_seconds": most})
    assert allowed.longest_wait == most and not list(allowed.problems())
    if most < LONGEST_WAIT_SECONDS:
        longer = CustomHealthChecksSettings.model_validate({**wait, "longest_wait_seconds": most + 1})
        assert [problem.key for problem in longer.problems()] == ["longest_wait_seconds"]
    else:
        with pytest.raises(ValidationError):
            CustomHealthChecksSettings.model_validate({**wait, "longest_wait_seconds": most + 1})


@pytest.mark.parametrize(("heartbeat", "most"), [(30, 10), (60, 20), (300, 100), (7_200, 300)])
def test_an_instance_looks_three_times_in_a_heartbeat_and_a_function_does_not_care(heartbeat: int, most: int) -> None:
    def problems(**settings: Any) -> list[Any]:
        return [each.key for each in CustomHealthChecksSettings(heartbeat_seconds=heartbeat, **settings).problems()]

    assert problems(mode="instance", poll_seconds=most) == problems(mode="event", poll_seconds=300) == []
    if most < 300:
        assert problems(mode="instance", poll_seconds=most + 1) == ["poll_seconds"]


@pytest.mark.parametrize("value", ["a|b", "a\nb", 'a"b', "$(reboot)", "a'b", "`b`", ""])
def test_no_value_can_be_more_than_a_value_in_the_script(value: str) -> None:
    for check in ({"kind": "tag", "success": value}, {"kind": "tag", "key": value}, {"kind": "table", "table": value}):
        with pytest.raises(ValidationError):
            CustomHealthChecksSettings.model_validate({"checks": [check]})


@pytest.mark.parametrize("value", [" a", "a ", "=a", "="])
def test_no_value_is_changed_on_its_way_through_the_aws_cli(value: str) -> None:
    for check in ({"kind": "tag", "success": value}, {"kind": "tag", "key": value}):
        with pytest.raises(ValidationError):
            CustomHealthChecksSettings.model_validate({"checks": [check]})


@given(text=st.text("aB0_ .:/=+@-", min_size=1, max_size=20))
def test_what_a_tag_may_be_the_aws_cli_reads_as_it_is(text: str) -> None:
    """As the script asks for a tag, and as the output for people sets it."""
    try:
        check = TagCheck(key=text, success=f"{text}0")
    except ValidationError:
        return
    read = ShorthandParser().parse
    assert read(f"Name=key,Values={check.key}") == {"Name": "key", "Values": text}
    assert read(f"Key={check.key},Value={check.success}") == {"Key": text, "Value": f"{text}0"}
