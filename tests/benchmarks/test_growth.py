"""What grows faster than its number, or takes too long, is above its limit; the page says so."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import pytest

from benchmarks import capacity_planner, gpu_monitoring, outposts_dashboard, root_volume_replacement
from benchmarks.document import page
from benchmarks.growth import Figures, Growing, Ran
from benchmarks.measured import Measured
from benchmarks.sheet import Sheet
from benchmarks.timing import LAMBDAS, REPOSITORY


def growing(seconds: Callable[[int], float]) -> Growing:
    return Growing(
        "plan", "things", "planned", (10, 20, 40), lambda n: Ran(seconds(n), n, {"describe_things": n // 10})
    )


def found_by(benchmark: Growing) -> list[Figures]:
    """The figures of runs that need no process."""
    ran = [(count, benchmark.run(count)) for count in benchmark.counts]
    return [Figures(count, each.seconds, 1, each.planned, sum(each.calls.values())) for count, each in ran]


@pytest.mark.parametrize(
    ("seconds", "above"),
    [
        (lambda n: n / 1000, []),
        (lambda n: n**2 / 10_000, ["plan: each of the most takes 4.0 times as long"]),
        (lambda n: n / 10, ["plan: 4.0 s"]),
    ],
)
def test_linear_and_quick_is_below_the_limits(seconds: Callable[[int], float], above: list[str]) -> None:
    benchmark = growing(seconds)
    found = benchmark.judged(found_by(benchmark))
    assert list(found.above) == above
    assert [row["things"] for row in found.rows] == [10, 20, 40]
    assert {row[-1] for row in found.sheet.rows} == {"100.0"}, "calls per 1,000"


SMALL = """
from benchmarks.growth import Growing, Ran
heap = []
def run(count):
    heap.extend(bytearray(2**20) for _ in range(count))
    return Ran(count, len(heap), {})
for found in Growing("plan", "things", "planned", (10, 40), run).figures():
    print(found.count, found.seconds, found.planned, found.peak)
"""


def test_no_run_sees_the_memory_of_another() -> None:
    command = [sys.executable, "-c", SMALL]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    few, most = [line.split() for line in printed.splitlines()]
    assert few[:3] == ["10", "10", "11"] and most[:3] == ["40", "40", "41"], "of the one run before there is 1"
    assert 9 < float(few[3]) < 20 and 39 < float(most[3]) < 50


def test_a_measured_process_that_fails_is_an_error() -> None:
    command = [sys.executable, "-c", "from benchmarks.alone import alone\nalone(int, 'x')"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode and "invalid literal" in ended.stderr and "a measured process failed" in ended.stderr


def test_an_import_is_timed_with_and_without_boto3() -> None:
    command = [sys.executable, "-m", "benchmarks.imports", "custom_health_checks.prober.handler", "botocore.session"]
    variables = {**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{LAMBDAS}"}
    printed = subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout
    alone, within = map(json.loads, printed.splitlines())
    assert not alone["common"] and alone["seconds"] < alone["boto3"], "the prober needs no boto3"
    assert within["beyond"] < within["boto3"] / 10, "boto3 has it already"


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
