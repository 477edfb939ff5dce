"""A fleet in waves: every instance once, and nothing after a wave with a failure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from root_volume_replacement.fleet.handler import next_wave
from root_volume_replacement.fleet.waves import following, requested, waves
from root_volume_replacement.instances import OptIn

IDS = st.lists(st.integers(0, 300).map(lambda number: f"i-{number}"), max_size=60)


class Ec2:
    """Instances, one a page; one of them without the tag, although it was asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: Any = None

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_instances"
        return self

    def paginate(self, Filters: Any) -> Any:  # noqa: N803
        self.asked = {item["Name"]: item["Values"] for item in Filters}
        yield {"Reservations": []}
        yield {"Reservations": [{"Instances": [{"InstanceId": "i-stranger", "Tags": []}]}]}
        for number in range(self.count):
            tags = [{"Key": "opt", "Value": "in"}]
            yield {"Reservations": [{"Instances": [{"InstanceId": f"i-{number}", "Tags": tags}]}]}


def chosen(count: int, request: Any, state: Any = None, results: Any = (), reports: Any = None) -> Any:
    return next_wave(
        Ec2(count),
        {"request": request, "state": state, "results": list(results)},
        opt_in=OptIn("opt", "in"),
        wave_size=2,
        most=10,
        report=lambda subject, text: (reports if reports is not None else []).append(f"{subject}: {text}"),
    )


def results(wave: list[Any], *, ok: bool = True) -> list[dict[str, Any]]:
    return [{"instance_id": item["instance_id"], "ok": ok, "error": "TaskFailed"} for item in wave]


@given(ids=IDS, size=st.integers(1, 10))
def test_waves_hold_every_instance_once_and_no_more_than_their_size(ids: list[str], size: int) -> None:
    found = waves(ids, size)
    assert sorted(instance for wave in found for instance in wave) == sorted(set(ids))
    assert all(1 <= len(wave) <= size for wave in found)


@given(ids=IDS.filter(bool), size=st.integers(1, 5), failing=st.integers(0, 20))
def test_nothing_is_started_after_a_wave_with_a_failure(ids: list[str], size: int, failing: int) -> None:
    state: dict[str, Any] = {"request": {"to": "launch-state"}, "waves": waves(ids, size), "done": [], "failed": []}
    count, started = len(state["waves"]), 0
    state = following(state, [])
    while state["status"] == "running":
        ok = started != failing
        started += 1
        state = following(state, results(state["wave"], ok=ok))
    assert started == min(failing + 1, count)
    assert state["status"] == ("stopped" if failing < count else "done")


def test_only_running_instances_that_have_opted_in_and_have_the_tag_are_chosen() -> None:
    ec2 = Ec2(3)
    request = {"to": "image", "image_id": "ami-1", "tag": {"key": "role", "value": "ci"}}
    event: dict[str, Any] = {"request": request, "state": None, "results": []}
    first = next_wave(ec2, event, opt_in=OptIn("opt", "in"), wave_size=2, most=10, report=print)
    assert ec2.asked == {"tag:opt": ["in"], "instance-state-name": ["running"], "tag:role": ["ci"]}
    assert first["wave"] == [{"instance_id": f"i-{n}", "to": "image", "image_id": "ami-1"} for n in (0, 1)]


def test_a_fleet_goes_on_wave_by_wave_and_reports_its_end() -> None:
    reports: list[str] = []
    state = chosen(3, {"to": "launch-state"})
    state = chosen(3, {"to": "launch-state"}, state, results(state["wave"]), reports)
    assert [item["instance_id"] for item in state["wave"]] == ["i-2"] and reports == []
    state = chosen(3, {"to": "launch-state"}, state, results(state["wave"]), reports)
    assert state["status"] == "done" and reports == ["Fleet done: 3 instances replaced, to launch-state. "]


def test_a_fleet_that_stops_says_who_failed_and_how_many_were_not_started() -> None:
    reports: list[str] = []
    state = chosen(5, {"to": "launch-state"})
    state = chosen(5, {"to": "launch-state"}, state, results(state["wave"], ok=False), reports)
    assert (state["status"], state["error"]) == ("stopped", "FleetStopped")
    assert state["cause"].endswith("i-0 (TaskFailed), i-1 (TaskFailed); 3 instances were not started")
    assert reports[0].startswith("Fleet stopped")


def test_a_fleet_of_nobody_or_of_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="no running instance"):
        chosen(0, {"to": "launch-state"})
    with pytest.raises(ValueError, match="at most 10"):
        chosen(11, {"to": "launch-state"})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "must be an object"),
        ({"to": "snapshot"}, "a snapshot is of one instance"),
        ({"to": "image"}, "image_id must be given with to image"),
        ({"to": "launch-state", "image_id": "ami-1"}, "image_id must be given with to image"),
        ({"to": "launch-state", "tag": {"key": "role"}}, "'key' and 'value'"),
        ({"to": "launch-state", "wave_size": 0}, "from 1 to 100"),
        ({"to": "launch-state", "wave_size": True}, "from 1 to 100"),
        ({"to": "launch-state", "all": 1}, "unknown key 'all'"),
    ],
)
def test_what_is_no_request_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        requested(value, 2)
