"""The simulation: the post's figures, the laws of its model, and the documents that show its results."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.sqs_target_scaling import __main__ as simulation
from benchmarks.sqs_target_scaling.assumptions import Assumptions
from benchmarks.sqs_target_scaling.model import Message, Outcome, View, simulate
from benchmarks.sqs_target_scaling.picture import data, digest
from benchmarks.sqs_target_scaling.scenarios import (
    AMOUNTS,
    COMPARED,
    DEMAND,
    DYNAMIC_1,
    DYNAMIC_30,
    DYNAMIC_HALF,
    FIXED,
    OTHERWISE,
    POST_TESTS,
    RAMP,
    STEP,
    WAVE,
    Figures,
    NewStrategy,
    Scenario,
    by_duration,
    comparison,
    otherwise,
    post_outcomes,
    scaled_in,
)
from benchmarks.sqs_target_scaling.strategies import MetricMath
from emulator.models.target_tracking import TargetTracking
from tests.variants import ROOT

TEST_1, TEST_2, TEST_2_FIXED, _, TEST_2_DEMAND = range(5)
ASSUMPTIONS = Assumptions()
SMALL = replace(ASSUMPTIONS, maximum_instances=6)


class Held:
    """A strategy that shows its policy the values of a list, one a minute, and then the last one for ever."""

    name = "held"

    def __init__(self, *values: float | None, target: float = 1, from_aws: bool = False) -> None:
        self.policies, self.from_aws = [TargetTracking(target)], from_aws
        self.values, self.views = list(values), list[View]()

    def datapoints(self, view: View) -> Sequence[float | None]:
        self.views.append(view)
        return [self.values.pop(0) if len(self.values) > 1 else self.values[0]]


# The post


def test_test_1_takes_four_instances_and_nine_minutes() -> None:
    outcome = post_outcomes()[TEST_1]
    assert outcome.most_instances == 4
    assert outcome.minutes == pytest.approx(9, rel=0.2)


def test_test_2_takes_eight_instances_and_ten_minutes() -> None:
    outcome = post_outcomes()[TEST_2]
    assert outcome.most_instances == 8
    assert outcome.minutes == pytest.approx(10, rel=0.2)


def test_the_fixed_target_takes_four_instances_and_much_longer() -> None:
    fixed, dynamic = post_outcomes()[TEST_2_FIXED], post_outcomes()[TEST_2]
    assert fixed.most_instances == 4
    assert fixed.minutes >= 1.4 * dynamic.minutes


def test_no_delay_gives_the_posts_two_measurements_and_its_estimate_together() -> None:
    def minutes(test: int, launch_seconds: int) -> float:
        assumptions = replace(ASSUMPTIONS, maximum_instances=10, launch_seconds=launch_seconds)
        return simulate(
            [Message(0, POST_TESTS[test].seconds)] * 50, POST_TESTS[test].new(assumptions), assumptions
        ).minutes

    for launch_seconds in range(0, 600, 15):
        found = [minutes(test, launch_seconds) for test in (TEST_1, TEST_2, TEST_2_FIXED)]
        assert found != pytest.approx([9, 10, 20], rel=0.15)


def test_as_in_the_posts_figure_the_instances_come_at_minute_four_or_five() -> None:
    for test, wanted in ((TEST_1, 4), (TEST_2, 8)):
        sizes = [moment.in_service for moment in post_outcomes()[test].timeline]
        assert sizes[:3] == [1, 1, 1]
        assert sizes[4] == wanted


def test_no_strategy_does_a_burst_within_the_latency() -> None:
    for test, outcome in zip(POST_TESTS, post_outcomes(), strict=True):
        assert outcome.share_within(300) < 0.5, test


# The comparison


def figures(scenario: Scenario, new: NewStrategy) -> Figures:
    (row,) = [row for row in comparison() if row.scenario is scenario]
    return row.figures[COMPARED.index(new)]


LASTING = [STEP, RAMP, WAVE, *AMOUNTS[2:]]


@pytest.mark.parametrize("scenario", LASTING, ids=lambda scenario: scenario.name)
def test_demand_and_half_the_latency_keep_it_and_no_other_rule_does(scenario: Scenario) -> None:
    demand, half = figures(scenario, DEMAND), figures(scenario, DYNAMIC_HALF)
    assert demand.share >= 0.99 and half.share >= 0.99
    others = [figures(scenario, other) for other in COMPARED if other not in (DEMAND, DYNAMIC_HALF)]
    assert all(other.share < 0.9 for other in others)
    assert demand.instance_hours < 1.35 * figures(scenario, DYNAMIC_30).instance_hours


def test_which_of_the_two_costs_less_hangs_on_the_load_and_on_how_gradual_a_scale_in_is() -> None:
    cheaper: dict[float, list[bool]] = {}
    for share, row in scaled_in():
        half, demand = row.figures
        assert min(half.share, demand.share) >= 0.976, "both keep the latency at every step"
        cheaper.setdefault(share, []).append(demand.instance_hours < half.instance_hours)
    assert all(cheaper.pop(1)), "all at once, as nobody has seen it"
    for share in (0, 0.1):
        assert any(cheaper[share]) and not all(cheaper[share])


def test_both_keep_it_up_to_a_third_of_the_latency_and_nothing_keeps_it_much_beyond() -> None:
    for row in by_duration():
        seconds = row.scenario.duration(0)
        half, demand = (row.figures[COMPARED.index(new)].share for new in (DYNAMIC_HALF, DEMAND))
        if seconds <= ASSUMPTIONS.acceptable_latency_seconds / 3:
            assert min(half, demand) >= 0.975
        elif seconds > ASSUMPTIONS.acceptable_latency_seconds / 2:
            assert max(half, demand) < 0.9


@pytest.mark.parametrize("scenario", AMOUNTS[:2], ids=lambda scenario: scenario.name)
def test_one_instance_is_enough_for_few_messages_under_every_strategy(scenario: Scenario) -> None:
    for new in COMPARED:
        assert figures(scenario, new).share == 1
        assert figures(scenario, new).instance_hours == pytest.approx(scenario.hours + 1)


def test_a_target_that_follows_beats_a_fixed_one_wherever_messages_take_longer_than_estimated() -> None:
    for scenario in (STEP, RAMP, WAVE, *AMOUNTS[2:]):
        assert figures(scenario, DYNAMIC_1).share > figures(scenario, FIXED).share


@pytest.mark.parametrize("name", [name for name, _, _ in OTHERWISE])
def test_demand_is_better_than_the_posts_rule_also_under_other_assumptions(name: str) -> None:
    (row,) = [row for found, row in otherwise() if found == name]
    ours = row.figures[COMPARED.index(DEMAND)]
    assert ours.share >= 0.9
    assert all(ours.share > row.figures[COMPARED.index(posts)].share for posts in (DYNAMIC_1, DYNAMIC_30))
    assert ours.instance_hours < 1.35 * row.figures[COMPARED.index(DYNAMIC_30)].instance_hours


def test_a_long_latency_is_kept_for_less_by_the_posts_rule_at_half_of_it() -> None:
    (row,) = [row for name, row in otherwise() if name == "acceptable latency 600 s"]
    half, ours = row.figures[COMPARED.index(DYNAMIC_HALF)], row.figures[COMPARED.index(DEMAND)]
    assert half.share > 0.99 and half.instance_hours < ours.instance_hours


# What cannot be otherwise


LOADS = st.lists(st.tuples(st.floats(0, 2000), st.floats(0.001, 400)), min_size=1, max_size=25)
NEW = st.sampled_from(COMPARED)


def ordered(load: list[tuple[float, float]]) -> list[Message]:
    return [Message(*message) for message in sorted(load)]


@settings(max_examples=40)
@given(LOADS, NEW)
def test_every_message_is_done_once_and_none_before_its_time(load: list[tuple[float, float]], new: NewStrategy) -> None:
    messages = ordered(load)
    outcome = simulate(messages, new(SMALL), SMALL)
    for message, done_at, latency in zip(messages, outcome.done_at, outcome.latencies, strict=True):
        assert done_at >= message.sent_at + message.seconds + SMALL.receive_seconds - 1e-6
        assert latency == done_at - message.sent_at


@settings(max_examples=40)
@given(LOADS, NEW)
def test_capacity_and_hours_are_bounded(load: list[tuple[float, float]], new: NewStrategy) -> None:
    messages = ordered(load)
    outcome = simulate(messages, new(SMALL), SMALL)
    work, end = sum(message.seconds for message in messages) / 3600, max(outcome.done_at) / 3600
    assert all(1 <= moment.in_service <= 6 for moment in outcome.timeline)
    assert max(work, end) - 1e-6 <= outcome.instance_hours <= 6 * end + 1e-6


@settings(max_examples=40)
@given(LOADS, NEW)
def test_messages_are_seen_until_they_are_done(load: list[tuple[float, float]], new: NewStrategy) -> None:
    outcome = simulate(ordered(load), new(SMALL), SMALL)
    for moment in outcome.timeline:
        now = moment.minute * 60
        left = sum(sent <= now for sent, _ in load) - sum(done_at <= now for done_at in outcome.done_at)
        assert 0 <= moment.visible <= left


@settings(max_examples=40)
@given(LOADS, st.integers(1, 5))
def test_more_instances_are_never_later(load: list[tuple[float, float]], instances: int) -> None:
    messages = ordered(load)
    few, more = (
        simulate(messages, Held(1), replace(SMALL, minimum_instances=size)) for size in (instances, instances + 1)
    )
    assert more.minutes <= few.minutes + 1e-9


def test_the_same_run_twice_is_the_same() -> None:
    for new in COMPARED:
        one, two = (simulate(AMOUNTS[1].load(), new(SMALL), SMALL) for _ in range(2))
        assert one == two


def test_a_load_is_in_order_within_its_hours_and_has_its_mean() -> None:
    messages = AMOUNTS[3].load()
    assert all(one.sent_at <= other.sent_at for one, other in pairwise(messages))
    assert messages[0].sent_at >= 0 and messages[-1].sent_at < 4 * 3600
    assert all(25 <= message.seconds <= 75 for message in messages)
    assert sum(message.seconds for message in messages) / len(messages) == pytest.approx(50, rel=0.02)


# The assumptions, one by one


def idle(values: Sequence[float], minutes: int = 30, load: Sequence[Message] = (), **changed: float) -> Outcome:
    """A group under these datapoints, with one short message, or with a load."""
    assumptions = replace(SMALL, **changed)  # type: ignore[arg-type]
    return simulate(load or [Message(0, 1)], Held(*values), assumptions, until=minutes * 60)


def first(outcome: Outcome, instances: int) -> float:
    """The minute in which so many are seen first."""
    return next(moment.minute for moment in outcome.timeline if moment.in_service == instances)


def test_instances_are_in_service_after_three_datapoints_their_delay_and_the_launch() -> None:
    # Seen at the end of minutes 1, 2 and 3, weighed 15 s later, in service 30 s after that: seen at minute 4.
    assert first(idle([2], launch_seconds=30), 2) == 4
    assert first(idle([2], launch_seconds=130), 2) == 6
    assert first(idle([2], launch_seconds=30, metric_delay_seconds=90), 2) == 6


def test_metrics_of_aws_come_later() -> None:
    outcome = simulate([Message(0, 1)], Held(2, from_aws=True), SMALL, until=1800)
    assert first(outcome, 2) == first(idle([2]), 2) + 1


def test_a_new_instance_takes_messages_only_after_its_boot() -> None:
    load = [Message(0, 600), Message(0, 1)]
    ends = [idle([2], load=load, boot_seconds=boot).done_at[1] for boot in (30, 90)]
    assert ends[1] - ends[0] == pytest.approx(60)


def test_a_second_scale_out_waits_for_the_warm_up() -> None:
    quick, slow = (idle([2], warmup_seconds=seconds) for seconds in (0, 300))
    assert first(quick, 4) < first(slow, 4)


def test_a_busy_instance_is_not_killed() -> None:
    load = [Message(0, 2000), Message(250, 2000)]
    outcome = idle([2, 2, 2, 0], minutes=60, load=load)
    assert outcome.timeline[-1].in_service == 1
    assert outcome.latencies[1] < 2030, "it was done without interruption"


def test_an_instance_that_drains_counts_in_hours_until_its_message_is_done() -> None:
    short, long = (
        idle([2, 2, 2, 0], minutes=60, load=[Message(0, seconds), Message(250, 1)]).instance_hours
        for seconds in (1, 2500)
    )
    assert long > short


def test_what_is_seen_at_the_end_of_a_minute() -> None:
    strategy = Held(1)
    simulate([Message(0, 100), Message(1, 20), Message(61, 20)], strategy, SMALL, until=181)
    one, two, three = strategy.views[:3]
    assert (one.now, one.visible, one.in_flight, one.in_service, one.sent) == (60, 1, 1, 1, 2)
    assert (two.visible, two.in_flight, two.sent) == (1, 1, 1)
    assert (three.sums, three.counts) == ({1: 100, 2: 40}, {1: 1, 2: 2})


def test_metric_math_is_the_expression_of_the_template() -> None:
    view = View(now=120, visible=50, in_flight=4, in_service=4, sent=0, sums={1: 75.0}, counts={1: 3})
    assert MetricMath(ASSUMPTIONS).datapoints(view) == [50 * 25 / 4]
    assert MetricMath(ASSUMPTIONS).datapoints(view._replace(sums={}, counts={}, in_service=0)) == [1250]


def test_a_dynamic_target_moves_only_at_its_interval() -> None:
    strategy = DYNAMIC_30(ASSUMPTIONS)
    view = View(now=29 * 60, visible=0, in_flight=0, in_service=1, sent=0, sums={5: 100.0}, counts={5: 2})
    strategy.datapoints(view)
    assert strategy.policies[0].target == 12
    strategy.datapoints(view._replace(now=30 * 60))
    assert strategy.policies[0].target == 6
    strategy.datapoints(view._replace(now=60 * 60))
    assert strategy.policies[0].target == 6, "without a message it stays"


# The documents


def test_the_readme_has_the_tables_that_the_command_computes() -> None:
    text = simulation.README.read_text(encoding="utf-8")
    assert simulation.tables() in text, "run 'make simulate'"
    assert f"]({'../../'}{simulation.PICTURE.relative_to(ROOT)})" in text


def test_the_picture_shows_what_the_command_computes() -> None:
    with Image.open(simulation.PICTURE) as picture:
        assert picture.info["Description"] == digest(data()), "run 'make simulate'"
        assert set(picture.info) <= {"Description", "dpi"}, "a date or a version would change it every time"


def test_the_report_holds_every_figure() -> None:
    report = simulation.report()
    assert len(report["post"]) == len(POST_TESTS)
    assert [len(row["strategies"]) for row in report["comparison"]] == [len(COMPARED)] * len(comparison())
    assert all(math.isfinite(row["work_hours"]) for row in report["comparison"])


def test_every_assumption_has_a_unit_and_a_word() -> None:
    for item in Assumptions.__dataclass_fields__.values():
        assert item.metadata["unit"] and item.metadata["says"]


def test_the_command_prints_json_and_writes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden: Callable[..., None] = lambda *_: pytest.fail("it wrote")  # noqa: E731
    monkeypatch.setattr(simulation, "draw", forbidden)
    monkeypatch.setattr("sys.argv", ["sqs_target_scaling", "--json"])
    assert simulation.main() == 0
    assert '"instance_hours"' in capsys.readouterr().out
