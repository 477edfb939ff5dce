"""The figures of the simulation as tables: in the terminal, and in the README of the solution."""

from collections.abc import Sequence
from dataclasses import fields

from benchmarks.sheet import Sheet
from benchmarks.sqs_target_scaling.scenarios import (
    ASSUMPTIONS,
    BUSY_INSTANCES,
    POST_TESTS,
    SCALE_IN_SHARES,
    SCENARIO_ASSUMPTIONS,
    Figures,
    Row,
    by_duration,
    comparison,
    otherwise,
    post_outcomes,
    scaled_in,
)


def post_sheet() -> Sheet:
    """The post's tests: what it says, and what the model says."""
    rows = [
        (
            test.name,
            test.new(ASSUMPTIONS).name,
            test.instances,
            test.minutes,
            str(outcome.most_instances),
            f"{outcome.minutes:.1f}",
        )
        for test, outcome in zip(POST_TESTS, post_outcomes(), strict=True)
    ]
    columns = ("50 messages", "strategy", "post: instances", "post: minutes", "model: instances", "model: minutes")
    return Sheet("The post's tests", columns, rows)


def comparison_sheet() -> Sheet:
    """Share of messages within the latency, and instance-hours, of every strategy."""
    return _compared("load", [(row.scenario.name, row) for row in comparison()])


def otherwise_sheet() -> Sheet:
    """The same for 1,000 messages if the assumptions were others."""
    return _compared("1,000 messages, but", otherwise())


def scale_in_sheet() -> Sheet:
    """The two rules that keep the latency, by how much of the group a scale-in takes away each minute."""
    rows: dict[tuple[str, str], list[str]] = {}
    for _, row in scaled_in():
        for figures in row.figures:
            rows.setdefault((row.scenario.name, figures.strategy), []).append(_cell(figures))
    columns = ("a scale-in takes each minute", "", *SCALE_IN_SHARES.values())
    return Sheet(
        "How it depends on the step of a scale-in", columns, [(*names, *cells) for names, cells in rows.items()]
    )


def duration_sheet() -> Sheet:
    """Where a rule ends: messages that take more and more of the latency."""
    rows = [(row.scenario.name, row) for row in by_duration()]
    return _compared(f"{BUSY_INSTANCES} busy instances, messages of", rows)


def _compared(first: str, found: Sequence[tuple[str, Row]]) -> Sheet:
    columns = (first, "work", *(figures.strategy for figures in found[0][1].figures))
    rows = [
        (
            name,
            _hours(row.work_hours),
            *(_cell(figures) for figures in row.figures),
        )
        for name, row in found
    ]
    return Sheet("Share of messages within the acceptable latency, and instance-hours", columns, rows)


def assumptions_sheet() -> Sheet:
    """What the model takes for granted."""
    ours = [(item.name, getattr(ASSUMPTIONS, item.name), item.metadata) for item in fields(ASSUMPTIONS)]
    rows = [(name, f"{value:g} {metadata['unit']}", metadata["says"]) for name, value, metadata in ours]
    rows += [(name, f"{value:g} {unit}".strip(), says) for name, value, unit, says in SCENARIO_ASSUMPTIONS]
    return Sheet("Assumptions", ("assumption", "value", "what it is"), rows)


def _cell(figures: Figures) -> str:
    return f"{100 * figures.share:.1f} %, {_hours(figures.instance_hours)}"


def _hours(hours: float) -> str:
    return f"{hours:,.1f} h" if hours < 100 else f"{hours:,.0f} h"
