"""What is simulated: the post's two tests, and the comparison of the strategies; as plain figures.

Chance has one seed. Messages are sent at random moments, as many as stated, which makes them a Poisson process of a
known number; how long each takes lies within half of the mean around it. Only ``random()`` and arithmetic that every
platform rounds alike, so that every machine computes the same figures.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from time import process_time

from benchmarks.sqs_target_scaling.assumptions import Assumptions
from benchmarks.sqs_target_scaling.model import Message, Moment, Outcome, Strategy, simulate
from benchmarks.sqs_target_scaling.strategies import Demand, DynamicTarget, FixedTarget, MetricMath
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings

HOUR = 3600
SEED = 17
SPREAD = 0.5
ASSUMPTIONS = Assumptions()
SETTINGS = SqsTargetScalingSettings()
SCENARIO_ASSUMPTIONS = (
    (
        "seed",
        SEED,
        "",
        "of the random moments and durations in the comparison; the post's tests have none",
    ),
    ("spread", SPREAD, "of the MPD", "a message takes so much more or less than the mean at most"),
    ("run_on", 1, "h", "instances are counted for so long after the last message was sent"),
)

NewStrategy = Callable[[Assumptions], Strategy]
FIXED: NewStrategy = FixedTarget
DYNAMIC_30: NewStrategy = lambda assumptions: DynamicTarget(assumptions, 30)  # noqa: E731
DYNAMIC_1: NewStrategy = lambda assumptions: DynamicTarget(assumptions, 1)  # noqa: E731
DYNAMIC_HALF: NewStrategy = lambda assumptions: DynamicTarget(  # noqa: E731
    assumptions, 1, assumptions.acceptable_latency_seconds / 2
)
METRIC_MATH: NewStrategy = MetricMath
DEMAND: NewStrategy = lambda assumptions: Demand(assumptions, 10)  # noqa: E731
COMPARED = (FIXED, DYNAMIC_30, DYNAMIC_1, DYNAMIC_HALF, METRIC_MATH, DEMAND)


@dataclass(frozen=True)
class PostTest:
    """One of the post's tests, with what it measured or estimated there.

    Attributes:
        seconds: MPD of its 50 messages.
        instances: that the post saw; None: it says nothing.
        minutes: until the last message was done, in the post's words.
    """

    name: str
    seconds: float
    new: NewStrategy
    instances: str = "-"
    minutes: str = "-"

    def outcome(self) -> Outcome:
        """The simulated test: one instance at the start, the group's default maximum."""
        assumptions = replace(ASSUMPTIONS, maximum_instances=SETTINGS.max_instances)
        messages = [Message(0, self.seconds)] * SETTINGS.test_messages
        return simulate(messages, self.new(assumptions), assumptions)


POST_TESTS = (
    PostTest("Test 1, 25 s each", 25, DYNAMIC_1, "4", "9"),
    PostTest("Test 2, 50 s each", 50, DYNAMIC_1, "8", "10"),
    PostTest("Test 2, 50 s each", 50, FIXED, "4 (its estimate)", "about 20 (its estimate)"),
    PostTest("Test 2, 50 s each", 50, METRIC_MATH),
    PostTest("Test 2, 50 s each", 50, DEMAND),
)


@dataclass(frozen=True)
class Scenario:
    """A load.

    Attributes:
        name: as the tables call it.
        messages: how many.
        hours: over which they are sent.
        duration: their MPD in seconds, by the hour since the start.
        seed: of its chance.
    """

    name: str
    messages: int
    hours: float
    duration: Callable[[float], float]
    seed: int = SEED

    def load(self) -> list[Message]:
        """The messages in order of their time."""
        chance = random.Random(self.seed)  # noqa: S311 - the same figures every time are wanted
        moments = sorted(chance.random() * self.hours * HOUR for _ in range(self.messages))
        factors = (1 - SPREAD + 2 * SPREAD * chance.random() for _ in moments)
        return [
            Message(moment, round(self.duration(moment / HOUR) * factor, 3))
            for moment, factor in zip(moments, factors, strict=True)
        ]


STEP = Scenario("step: 25 s, 75 s for two hours, 25 s", 4320, 6, lambda hour: 75 if 2 <= hour < 4 else 25)
RAMP = Scenario("ramp: from 25 s to 100 s in four hours", 4320, 6, lambda hour: 25 + 75 * min(1, hour / 4))
WAVE = Scenario("daily wave: 15 s to 85 s", 8640, 24, lambda hour: 50 - 35 * math.cos(2 * math.pi * hour / 24))
AMOUNTS = tuple(
    Scenario(f"{messages:,} messages in four hours, 50 s", messages, 4, lambda _: 50)
    for messages in (10, 100, 1_000, 10_000, 100_000)
)
SCENARIOS = (STEP, RAMP, WAVE, *AMOUNTS)

THOUSAND = AMOUNTS[2]
OTHERWISE: tuple[tuple[str, Scenario, Assumptions], ...] = (
    ("as above", THOUSAND, ASSUMPTIONS),
    ("another seed", replace(THOUSAND, seed=18), ASSUMPTIONS),
    ("a third seed", replace(THOUSAND, seed=19), ASSUMPTIONS),
    ("acceptable latency 150 s", THOUSAND, replace(ASSUMPTIONS, acceptable_latency_seconds=150)),
    ("acceptable latency 600 s", THOUSAND, replace(ASSUMPTIONS, acceptable_latency_seconds=600)),
    ("launch 90 s, boot 60 s", THOUSAND, replace(ASSUMPTIONS, launch_seconds=90, boot_seconds=60)),
    ("every metric a minute later", THOUSAND, replace(ASSUMPTIONS, metric_delay_seconds=75)),
    ("metrics of AWS 180 s late", THOUSAND, replace(ASSUMPTIONS, aws_metric_delay_seconds=180)),
)
# What no page says: how much of a group one minute's scale-in takes away. The ranking of two rules hangs on it.
SCALE_IN_SHARES = {0: "one instance", 0.1: "10 % of the group", 0.25: "25 % of the group", 1: "all at once"}
SCALE_IN_LOADS = (STEP, RAMP, WAVE, *AMOUNTS[2:4])
SCALE_IN_COMPARED = (DYNAMIC_HALF, DEMAND)

BUSY_INSTANCES = 10


def _busy(seconds: int) -> Scenario:
    messages = round(BUSY_INSTANCES * 4 * HOUR / seconds)
    return Scenario(f"{seconds} s each", messages, 4, lambda _: seconds)


DURATIONS = tuple(map(_busy, (25, 50, 100, 150, 200, 250)))


@dataclass(frozen=True)
class Figures:
    """What one strategy made of one scenario.

    Attributes:
        share: of the messages within the acceptable latency.
        instance_hours: until one hour after the last message was sent.
        timeline: minute by minute.
        seconds: of processor time that the simulation itself took.
    """

    strategy: str
    share: float
    instance_hours: float
    timeline: Sequence[Moment]
    seconds: float


@dataclass(frozen=True)
class Row:
    """One scenario under every strategy.

    Attributes:
        work_hours: what the messages take, and so the fewest instance-hours.
    """

    scenario: Scenario
    work_hours: float
    figures: Sequence[Figures]


@cache
def post_outcomes() -> tuple[Outcome, ...]:
    """The post's tests, simulated, in the order of POST_TESTS."""
    return tuple(test.outcome() for test in POST_TESTS)


@cache
def comparison() -> tuple[Row, ...]:
    """Every scenario under every strategy."""
    return tuple(compared(scenario) for scenario in SCENARIOS)


@cache
def otherwise() -> tuple[tuple[str, Row], ...]:
    """The 1,000 messages under other assumptions."""
    return tuple((name, compared(scenario, assumptions)) for name, scenario, assumptions in OTHERWISE)


@cache
def scaled_in() -> tuple[tuple[float, Row], ...]:
    """The loads under the two rules that keep the latency, and under every step of a scale-in."""
    return tuple(
        (share, compared(scenario, replace(ASSUMPTIONS, scale_in_share=share), SCALE_IN_COMPARED))
        for scenario in SCALE_IN_LOADS
        for share in SCALE_IN_SHARES
    )


@cache
def by_duration() -> tuple[Row, ...]:
    """Ten busy instances, with messages from a twelfth of the latency to nearly all of it."""
    return tuple(compared(scenario) for scenario in DURATIONS)


def compared(
    scenario: Scenario, assumptions: Assumptions = ASSUMPTIONS, strategies: Sequence[NewStrategy] = COMPARED
) -> Row:
    """One scenario under every strategy."""
    figures = [_figures(scenario, assumptions, new) for new in strategies]
    return Row(scenario, sum(message.seconds for message in _load(scenario)) / HOUR, figures)


@lru_cache(maxsize=1)
def _load(scenario: Scenario) -> Sequence[Message]:
    return scenario.load()


@cache  # several tables show the same run
def _figures(scenario: Scenario, assumptions: Assumptions, new: NewStrategy) -> Figures:
    strategy = new(assumptions)
    load = _load(scenario)
    started = process_time()
    outcome = simulate(load, strategy, assumptions, until=scenario.hours * HOUR + HOUR)
    seconds = process_time() - started
    share = outcome.share_within(assumptions.acceptable_latency_seconds)
    return Figures(strategy.name, share, outcome.instance_hours, outcome.timeline, seconds)
