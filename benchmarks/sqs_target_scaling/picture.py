"""The picture of the simulation: the post's tests, a day, and what each strategy costs and keeps."""

import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.sqs_target_scaling.scenarios import (
    AMOUNTS,
    POST_TESTS,
    RAMP,
    STEP,
    WAVE,
    Row,
    comparison,
    post_outcomes,
)

SHOWN = (0, 1, 2)  # of the post's tests
COLOURS = ("#1f77b4", "#d62728", "#7f7f7f")
STRATEGY_COLOURS = ("#7f7f7f", "#9ecae1", "#1f77b4", "#9467bd", "#ff7f0e", "#2ca02c")
MARKERS = {STEP: "s", RAMP: "^", WAVE: "o", **dict(zip(AMOUNTS[2:], "Xd*", strict=True))}
DAY = ("dynamic target, 1 min", "demand")


def data() -> dict[str, Any]:
    """Every number that the picture shows, by panel."""
    tests = [(POST_TESTS[index], post_outcomes()[index]) for index in SHOWN]
    rows = [row for row in comparison() if row.scenario in MARKERS]
    (wave,) = [row for row in rows if row.scenario is WAVE]
    return {
        "tests": [
            {
                "label": f"{test.name.split(',')[0]}, {test.seconds:g} s, {outcome_label}",
                "done": round(outcome.minutes, 1),
                "minutes": [moment.minute for moment in outcome.timeline],
                "visible": [moment.visible for moment in outcome.timeline],
                "in_service": [moment.in_service for moment in outcome.timeline],
            }
            for (test, outcome), outcome_label in zip(tests, ("dynamic", "dynamic", "fixed target"), strict=True)
        ],
        "day": {
            figures.strategy: [moment.in_service for moment in figures.timeline]
            for figures in wave.figures
            if figures.strategy in DAY
        },
        "needed": [_needed(wave, hour / 4) for hour in range(4 * int(WAVE.hours) + 1)],
        "points": [
            {
                "scenario": row.scenario.name,
                "strategy": figures.strategy,
                "cost": round(figures.instance_hours / row.work_hours, 2),
                "share": round(100 * figures.share, 1),
            }
            for row in rows
            for figures in row.figures
        ],
    }


def digest(shown: dict[str, Any]) -> str:
    """The fingerprint of the data, which the picture carries: a picture of other figures is found out."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def draw(path: Path) -> None:
    """Writes the picture, the same bytes for the same data and version of matplotlib."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = data()
    with mpl.rc_context({"font.size": 10, "axes.grid": True, "grid.alpha": 0.3, "axes.titlesize": 11}):
        figure = Figure(figsize=(11, 8.2), layout="constrained")
        (waiting, instances), (day, cost) = figure.subplots(2, 2)
        _tests(waiting, instances, shown)
        _day(day, shown)
        _cost(cost, shown)
        figure.savefig(path, dpi=110, metadata={"Software": None, "Description": digest(shown)})


def _tests(waiting: Any, instances: Any, shown: dict[str, Any]) -> None:
    for test, colour, style in zip(shown["tests"], COLOURS, ("-", "-", "--"), strict=True):
        waiting.plot(
            [0, *test["minutes"], test["done"]],
            [50, *test["visible"], 0],
            style,
            color=colour,
            label=f"{test['label']}: {test['done']:g} min",
        )
        sizes = [1, *test["in_service"], test["in_service"][-1]]
        instances.step([0, *test["minutes"], test["done"]], sizes, style, where="post", color=colour)
    for minutes, colour in ((9, COLOURS[0]), (10, COLOURS[1])):
        waiting.plot(minutes, 0, "v", color=colour, markersize=9, clip_on=False, zorder=3)
    waiting.plot([], [], "kv", label="all done in the post: 9 and 10 min")
    waiting.set(title="The post's tests: messages waiting", xlabel="minutes", ylabel="messages visible")
    waiting.set(xlim=(0, 15), ylim=(0, 52))
    waiting.legend(fontsize=9)
    instances.set(title="The post's tests: instances (post: 4, 8, 4)", xlabel="minutes", ylabel="instances in service")
    instances.set(xlim=(0, 15), ylim=(0, 10))


def _day(day: Any, shown: dict[str, Any]) -> None:
    for (name, in_service), colour in zip(
        shown["day"].items(), (STRATEGY_COLOURS[2], STRATEGY_COLOURS[5]), strict=True
    ):
        hours = [minute / 60 for minute in range(1, len(in_service) + 1)]
        day.plot(hours, in_service, color=colour, linewidth=0.9, label=name)
    day.plot(
        [quarter / 4 for quarter in range(len(shown["needed"]))], shown["needed"], "k--", label="needed to keep up"
    )
    day.set(title="A day whose messages take 15 s to 85 s", xlabel="hours", ylabel="instances in service")
    day.set(xlim=(0, 24), ylim=(0, 18), xticks=range(0, 25, 4))
    day.legend(fontsize=9, loc="upper left")


def _cost(cost: Any, shown: dict[str, Any]) -> None:
    names = list(dict.fromkeys(point["strategy"] for point in shown["points"]))
    colours = dict(zip(names, STRATEGY_COLOURS, strict=True))
    markers = {scenario.name: marker for scenario, marker in MARKERS.items()}
    for point in shown["points"]:
        marker = markers[point["scenario"]]
        cost.plot(point["cost"], point["share"], marker, color=colours[point["strategy"]], markersize=7, clip_on=False)
    strategies = [cost.plot([], [], "o", color=colours[name], label=name)[0] for name in names]
    loads = [
        cost.plot([], [], marker, color="k", label=name.split(":")[0].removesuffix(" in four hours, 50 s"))[0]
        for name, marker in markers.items()
    ]
    cost.set(title="What it keeps and what it costs (best: top left)", ylim=(0, 103))
    cost.set(xlabel="instance-hours per hour of work", ylabel="messages within the latency, %")
    first = cost.legend(handles=strategies, fontsize=8, loc="center right", bbox_to_anchor=(1, 0.58))
    cost.add_artist(first)
    cost.legend(handles=loads, fontsize=8, loc="lower right", ncols=2)


def _needed(row: Row, hour: float) -> float:
    """Messages per second * seconds each."""
    scenario = row.scenario
    return round(scenario.messages / (scenario.hours * 3600) * scenario.duration(hour), 2)
