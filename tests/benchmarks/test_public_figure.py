"""The model beside the one public record of the post's tests: the figure of AWS's own sample, minute by minute.

https://github.com/awslabs/ec2-spot-labs/tree/master/ec2-asg-dynamic-target-tracking, images/TestComparison.png.
"""

import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.sqs_target_scaling.model import Message, Moment, simulate
from benchmarks.sqs_target_scaling.scenarios import ASSUMPTIONS, DYNAMIC_1, SETTINGS

FIGURE = Path(__file__).with_name("public_figure.csv")
# The minute in which the test's messages are there, the seconds each takes, and the size that the group has then.
TESTS = {"Test 1": ("22:57", 25, 4), "Test 2": ("23:22", 50, 8)}


class Seen(NamedTuple):
    """A minute of the figure; None where it shows nothing."""

    visible: float | None
    in_service: float | None


def seen(name: str) -> list[Seen]:
    """The figure from the minute in which a test's messages are there."""
    with FIGURE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    begin = [row["time"] for row in rows].index(TESTS[name][0])
    end = begin + 25 if name == "Test 1" else len(rows)
    names = ("messages_visible", "instances_in_service")
    return [Seen(*(float(row[key]) if row[key] else None for key in names)) for row in rows[begin:end]]


def modelled(name: str) -> list[Moment]:
    """The same minutes of the simulation, and some more."""
    assumptions = replace(ASSUMPTIONS, maximum_instances=SETTINGS.max_instances)
    messages = [Message(0, TESTS[name][1])] * SETTINGS.test_messages
    return list(simulate(messages, DYNAMIC_1(assumptions), assumptions, until=45 * 60).timeline)


def way_in(sizes: list[float]) -> list[float]:
    """From the last minute at the largest size to the end."""
    largest = max(sizes)
    return sizes[max(i for i, size in enumerate(sizes) if size > largest - 0.5) :]


@pytest.mark.parametrize("name", TESTS)
def test_scale_in_takes_one_instance_a_minute(name: str) -> None:
    figure = [minute.in_service for minute in seen(name) if minute.in_service is not None]
    model = [float(moment.in_service) for moment in modelled(name)]
    for sizes in (figure, model):
        steps = [before - after for before, after in pairwise(way_in(sizes))]
        assert sum(steps) >= 2.85, "it did scale in"
        assert max(steps) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("name", TESTS)
def test_the_group_has_its_size_in_the_same_minute(name: str) -> None:
    size = TESTS[name][2]
    figure = next(i for i, minute in enumerate(seen(name), 1) if (minute.in_service or 0) > size - 0.5)
    model = next(moment.minute for moment in modelled(name) if moment.in_service == size)
    assert model == pytest.approx(figure, abs=1)


def test_scale_in_begins_fifteen_datapoints_after_the_last_scale_out() -> None:
    up = next(i for i, minute in enumerate(seen("Test 1")) if (minute.in_service or 0) > 3.5)
    down = next(i for i, minute in enumerate(seen("Test 1")) if i > up and (minute.in_service or 4) < 3.5)
    timeline = modelled("Test 1")
    grown = next(moment.minute for moment in timeline if moment.in_service == 4)
    shrunk = next(moment.minute for moment in timeline if moment.minute > grown and moment.in_service < 4)
    assert shrunk - grown == pytest.approx(down - up, abs=2)


@pytest.mark.parametrize(("name", "later"), [("Test 1", 1), ("Test 2", 2)])
def test_messages_go_as_fast_but_for_the_first_boot(name: str, later: int) -> None:
    """There a new worker takes its first message a minute or two later: it updates the system first."""
    pairs = zip(seen(name)[later:], modelled(name), strict=False)
    errors = [abs(minute.visible - moment.visible) for minute, moment in pairs if minute.visible is not None]
    assert len(errors) >= 7
    assert sum(errors) / len(errors) < 4
