"""``python -m benchmarks.capacity_planner.picture``: what the options cost against utilization and against months.

The prices are those of config/capacity_prices.yaml, which are invented, for ten instances.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.timing import REPOSITORY
from capacity_planner.options import KINDS, ON_DEMAND, RESERVED, WITH_REGIONAL, ZONAL, Option, options
from capacity_planner.workload_file import read_workloads
from capacity_planner.workloads import HOURS_A_WEEK, Workload
from stacks.capacity_planner.settings import read_price_file

PICTURE = REPOSITORY / "docs" / "capacity_planner.png"
PRICES = read_price_file(REPOSITORY / "config" / "capacity_prices.yaml")
STEPS = 24
COLOURS = ("#555555", "#d95f02", "#1f77b4", "#2ca02c", "#9467bd")
SHOWN = tuple(kind for kind in KINDS if kind != ZONAL)  # it costs what the regional one costs, and reserves capacity


def workload(**changes: Any) -> Workload:
    """Ten instances of the file's type."""
    (shape,) = PRICES.cards
    entry = {"name": "w", "type": shape.instance_type, "region": shape.region, "count": 10, **changes}
    return read_workloads({"workloads": [entry]})[0]


def cheapest(wanted: Workload) -> Iterator[Option]:
    """The cheapest option of each kind that is priced."""
    found = [each for each in options(wanted, PRICES.cards[wanted.shape]) if isinstance(each, Option)]
    for kind in SHOWN:
        if own := [each for each in found if each.offer.kind == kind]:
            yield min(own, key=lambda each: each.monthly)


def data() -> dict[str, Any]:
    """Every line of the picture, and the points where one crosses another."""
    by_use: dict[str, list[tuple[float, float]]] = {}
    for step in range(1, STEPS + 1):
        hours = HOURS_A_WEEK * step // STEPS
        for option in cheapest(workload(hours_a_week=hours)):
            by_use.setdefault(option.offer.kind, []).append((100 * hours / HOURS_A_WEEK, float(option.monthly)))
    by_months: dict[str, list[tuple[float, float]]] = {}
    for months in range(1, 13):
        for option in cheapest(workload(months=months)):
            if option.offer.kind != ON_DEMAND:
                by_months.setdefault(option.offer.kind, []).append((months, float(option.total)))
    full = list(cheapest(workload()))
    return {
        "by_use": by_use,
        "by_months": by_months,
        "break_even_use": {
            each.offer.kind: (100 * float(each.break_even_use), float(each.monthly))
            for each in full
            if each.break_even_use is not None
        },
        "break_even_months": {
            each.offer.kind: (float(each.break_even_months), float(each.term_cost))
            for each in full
            if each.break_even_months is not None and each.term_cost is not None
        },
    }


def digest(shown: dict[str, Any]) -> str:
    """The fingerprint of the data, which the picture carries: a picture of other prices is found out."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def draw(path: Path) -> None:
    """Writes the picture, the same bytes for the same data and version of matplotlib."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = data()
    with mpl.rc_context({"font.size": 10}):
        figure = Figure(figsize=(12, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        _lines(left, shown["by_use"], shown["break_even_use"], "%")
        left.set(xlabel="utilization, %", ylabel=f"{PRICES.currency} a month", xlim=(0, 102), ylim=(0, 800))
        left.set_title("cost against utilization: a commitment pays from ...", loc="left", fontweight="bold")
        _lines(right, shown["by_months"], shown["break_even_months"], " months")
        right.set(xlabel="months that the capacity is needed", ylabel=PRICES.currency, xlim=(0, 12.3), ylim=(0, 9_200))
        right.set_title("cost against months: capacity always reserved", loc="left", fontweight="bold")
        left.legend(loc="lower right", fontsize=8)
        figure.savefig(path, dpi=110, metadata={"Software": None, "Description": digest(shown)})


def _lines(axes: Any, lines: dict[str, Any], points: dict[str, tuple[float, float]], unit: str) -> None:
    for kind, line in lines.items():
        colour = COLOURS[SHOWN.index(kind)]
        label = f"{kind} (zonal RI: the same)" if kind == WITH_REGIONAL else kind
        style = "--" if kind in (ON_DEMAND, RESERVED) else "-"
        axes.plot([x for x, _ in line], [y for _, y in line], style, color=colour, label=label, linewidth=1.8)
    for kind, (x, y) in points.items():
        colour = COLOURS[SHOWN.index(kind)]
        axes.plot([x], [y], "o", color=colour)
        axes.annotate(f"{x:.1f}{unit}", (x, y), (5, -13), textcoords="offset points", color=colour, fontsize=8)
    axes.grid(alpha=0.25)


if __name__ == "__main__":
    draw(PICTURE)
    print(f"wrote {PICTURE.relative_to(REPOSITORY)} on {date.today():%Y-%m-%d}")
