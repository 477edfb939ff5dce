"""When the instance is asked to stop: only after reported minutes without a game."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from game_streaming.idle.decision import Machine, Verdict, judge
from game_streaming.idle.handler import lambda_handler, look
from tests.solutions.game_streaming.faults import IdleWorld

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=60)


def minutes(values: dict[int, float] | None = None, *, until: int = 60, since: int = 0) -> dict[datetime, float]:
    """Zeros, minute by minute before now, and other values in some of them."""
    return {NOW - timedelta(minutes=n): (values or {}).get(n, 0.0) for n in range(since, until)}


@pytest.mark.parametrize(
    ("regular", "base", "started", "running", "verdict"),
    [
        (minutes(), minutes(), 180, True, Verdict.IDLE),
        (minutes({0: 1}), minutes(), 180, True, Verdict.BUSY),
        (minutes({59: 1}), minutes(), 180, True, Verdict.BUSY),
        (minutes(), minutes({10: 1}), 180, True, Verdict.BUSY),
        (minutes(), minutes(), 44, True, Verdict.SETTLING),
        (minutes(), minutes(), 46, True, Verdict.WAITING),
        (minutes(until=40), minutes(until=40), 180, True, Verdict.WAITING),
        (minutes(since=6), minutes(), 180, True, Verdict.UNREADABLE),
        ({}, {}, 180, True, Verdict.UNREADABLE),
        (minutes(), {}, 180, True, Verdict.UNREADABLE),
        (minutes(), minutes(), 180, False, Verdict.STOPPED),
    ],
)
def test_the_reports_of_a_window_are_judged(
    regular: Any, base: Any, started: int, running: bool, verdict: Verdict
) -> None:
    machine = Machine(running, NOW - timedelta(minutes=started))
    assert judge(machine, regular, base, WINDOW, NOW) is verdict


class Account:
    """EC2, CloudWatch and Systems Manager, as far as they are asked."""

    def __init__(self, *, reports: dict[datetime, float], state: str = "running", gone: bool = False) -> None:
        self.reports, self.state, self.gone = reports, state, gone
        self.asked: list[tuple[str, list[str]]] = []
        self.published: dict[str, float] = {}

    def get_paginator(self, operation: str) -> Any:
        instance = {"State": {"Name": self.state}, "LaunchTime": NOW - timedelta(hours=3)}
        reservations = [] if self.gone else [{"Instances": [instance]}]
        data = [
            {"Id": f"m{n}", "Timestamps": list(self.reports), "Values": list(self.reports.values())} for n in (0, 1)
        ]
        answers = {
            "describe_instances": [{"Reservations": []}, {"Reservations": reservations}],
            "get_metric_data": [{"MetricDataResults": data[:1]}, {"MetricDataResults": data[1:]}],
        }
        return type("Pages", (), {"paginate": staticmethod(lambda **_: answers[operation])})

    def put_metric_data(self, **request: Any) -> None:
        self.published |= {datum["MetricName"]: datum["Value"] for datum in request["MetricData"]}

    def send_command(self, **request: Any) -> None:
        assert request["TimeoutSeconds"] < 300, "it must not be handed over after the next look"
        self.asked.append((request["DocumentName"], request["InstanceIds"]))


@pytest.mark.parametrize(
    ("account", "verdict", "asked", "unreadable"),
    [
        (Account(reports=minutes()), Verdict.IDLE, 1, 0.0),
        (Account(reports=minutes({3: 2})), Verdict.BUSY, 0, 0.0),
        (Account(reports={}), Verdict.UNREADABLE, 0, 1.0),
        (Account(reports={}, state="stopped"), Verdict.STOPPED, 0, 0.0),
        (Account(reports={}, gone=True), Verdict.STOPPED, 0, 0.0),
    ],
)
def test_silence_stops_nothing_and_is_told(account: Account, verdict: Verdict, asked: int, unreadable: float) -> None:
    found = look(
        account, account, account, document="idle", instance_id="i-1", namespace="games", window=WINDOW, now=NOW
    )
    assert found == {"verdict": verdict.value}
    assert account.asked == [("idle", ["i-1"])] * asked
    assert account.published == {"UnreadableGames": unreadable, "AskedToStop": float(asked)}


def test_it_asks_the_instance_of_its_environment(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world = IdleWorld()
    for name, value in world.env.items():
        monkeypatch.setenv(name, value)
    assert lambda_handler(world.event, None) == {"verdict": "idle"}
    world.invariant()
    world.stop()
    assert lambda_handler(world.event, None) == {"verdict": "not running"}
