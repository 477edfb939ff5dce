"""What grows faster than its number, or takes too long, is above its limit; the page says so."""

from collections.abc import Callable
from datetime import date

import pytest

from benchmarks import capacity_planner, gpu_monitoring, outposts_dashboard, root_volume_replacement
from benchmarks.document import page
from benchmarks.growth import Growing, Ran
from benchmarks.measured import Measured
from benchmarks.sheet import Sheet


def growing(seconds: Callable[[int], float]) -> Growing:
    return Growing(
        "plan", "things", "planned", (10, 20, 40), lambda n: Ran(seconds(n), n, {"describe_things": n // 10})
    )


@pytest.mark.parametrize(
    ("seconds", "above"),
    [
        (lambda n: n / 1000, []),
        (lambda n: n**2 / 10_000, ["plan: each of the most takes 4.0 times as long"]),
        (lambda n: n / 10, ["plan: 4.0 s"]),
    ],
)
def test_linear_and_quick_is_below_the_limits(seconds: Callable[[int], float], above: list[str]) -> None:
    found = growing(seconds).measure()
    assert list(found.above) == above
    assert [row["things"] for row in found.rows] == [10, 20, 40]
    assert {row[-1] for row in found.sheet.rows} == {"100.0"}, "calls per 1,000"


def test_the_page_has_machine_date_and_every_table() -> None:
    found = [
        Measured("a", Sheet("First", ("x",), [("1",)]), "About the first.", []),
        Measured("b", Sheet("Second", ("y",), [("2",)]), "About the second.", [], ["b: 3 s"]),
    ]
    text = page(found, 61.4, "a machine", date(2026, 11, 26))
    assert "2026-11-26, a machine; the run took 61 seconds. Above its limit: b: 3 s." in text
    assert "## First\n\nAbout the first.\n\n| x |\n| --- |\n| 1 |\n" in text
    assert "Nothing is above its limit." in page(found[:1], 1, "a machine", date(2026, 11, 26))


@pytest.mark.parametrize(
    ("benchmark", "count", "planned"),
    [
        (gpu_monitoring.GROWING, 1_200, 1_200),
        (root_volume_replacement.GROWING, 1_000, 970),
        (capacity_planner.GROWING, 12, 12),
        (outposts_dashboard.GROWING, 100, 1),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_benchmark_does_all_of_its_work(benchmark: Growing, count: int, planned: int) -> None:
    assert benchmark.run(count).planned >= planned
