"""The model of lifecycle hooks, on a clock of its own."""

import pytest

from emulator.models.lifecycle import LAUNCHING, Hook, Wait, Waits

DRAIN = Hook("drain", "autoscaling:EC2_INSTANCE_TERMINATING", 300, "CONTINUE")
ARCHIVE = Hook("archive", "autoscaling:EC2_INSTANCE_TERMINATING", 60, "ABANDON")


def _waiting(*hooks: Hook) -> Waits:
    waits = Waits()
    waits.begin("workers", "i-1", hooks, now=1000.0)
    return waits


def _finished(waits: Waits, now: float) -> list[str]:
    waits.expire(now)
    return [wait.instance_id for wait in waits.finished()]


def _completed(waits: Waits, hook: str, result: str) -> None:
    wait, action = waits.action("workers", hook, "i-1", None)
    wait.complete(action.hook.name, result)


def test_an_instance_waits_until_its_action_is_completed() -> None:
    waits = _waiting(DRAIN)
    assert _finished(waits, 1299) == []
    _completed(waits, "drain", "CONTINUE")
    assert _finished(waits, 1299) == ["i-1"]


def test_an_instance_proceeds_when_the_time_is_over() -> None:
    assert _finished(_waiting(DRAIN), 1300) == ["i-1"]


def test_a_heartbeat_starts_the_time_anew() -> None:
    waits = _waiting(DRAIN)
    waits.action("workers", "drain", "i-1", None)[1].heartbeat(1200)
    assert _finished(waits, 1499) == []
    assert _finished(waits, 1500) == ["i-1"]


@pytest.mark.parametrize(("timeout", "longest"), [(30, 3000), (3600, 172_800)])
def test_heartbeats_reach_100_times_their_length_and_48_hours_at_most(timeout: int, longest: int) -> None:
    hook = Hook("drain", DRAIN.transition, timeout, "CONTINUE")
    waits = _waiting(hook)
    for now in range(1000, 1000 + longest, timeout):
        waits.action("workers", "drain", "i-1", None)[1].heartbeat(now)
        waits.expire(now)
    assert _finished(waits, 999 + longest) == []
    assert _finished(waits, 1000 + longest) == ["i-1"]


def test_continue_lets_other_hooks_complete_and_abandon_stops_them() -> None:
    waits = _waiting(DRAIN, ARCHIVE)
    _completed(waits, "drain", "CONTINUE")
    assert _finished(waits, 1001) == []
    _completed(waits, "archive", "CONTINUE")
    assert _finished(waits, 1001) == ["i-1"]
    waits = _waiting(DRAIN, ARCHIVE)
    _completed(waits, "drain", "ABANDON")
    assert _finished(waits, 1001) == ["i-1"]


def test_a_time_out_has_the_default_result_of_its_hook() -> None:
    assert _finished(_waiting(DRAIN, ARCHIVE), 1060) == ["i-1"]


def test_an_action_is_found_by_its_token_too() -> None:
    waits = Waits()
    (action,) = waits.begin("workers", "i-1", [DRAIN], now=0)
    assert waits.action("workers", "drain", None, action.token)[1] is action


@pytest.mark.parametrize(
    ("group", "hook", "instance"), [("others", "drain", "i-1"), ("workers", "x", "i-1"), ("workers", "drain", "i-2")]
)
def test_an_action_that_is_not_open_is_an_error(group: str, hook: str, instance: str) -> None:
    with pytest.raises(LookupError, match=f"No active Lifecycle Action found with instance ID {instance}"):
        _waiting(DRAIN).action(group, hook, instance, None)


def test_completing_twice_does_no_harm() -> None:
    wait = Wait("workers", "i-1", LAUNCHING)
    wait.complete("drain", "CONTINUE")
    wait.complete("drain", "CONTINUE")
    assert wait.actions == {}
