"""The picture is the one of these prices, with the points of the acceptance cases; the benchmark plans everything."""

import pytest
from PIL import Image

from benchmarks import capacity_planner
from benchmarks.capacity_planner.picture import PICTURE, data, digest
from capacity_planner.options import ON_DEMAND, RESERVED, WITH_COMPUTE, WITH_EC2, WITH_REGIONAL


def test_the_points_of_break_even_are_those_of_use_and_of_months() -> None:
    shown = data()
    assert {kind: x for kind, (x, _) in shown["break_even_use"].items()} == pytest.approx(
        {WITH_COMPUTE: 75, WITH_EC2: 65, WITH_REGIONAL: 60}
    )
    assert {kind: x for kind, (x, _) in shown["break_even_months"].items()} == pytest.approx(
        {WITH_COMPUTE: 9, WITH_EC2: 7.8, WITH_REGIONAL: 7.2}
    )


def test_on_demand_grows_with_use_and_a_reservation_does_not() -> None:
    shown = data()["by_use"]
    assert [y for _, y in shown[ON_DEMAND]] == sorted(y for _, y in shown[ON_DEMAND])
    assert {round(y, 9) for _, y in shown[RESERVED]} == {730.0}


def test_the_picture_is_of_these_prices() -> None:
    with Image.open(PICTURE) as picture:
        assert picture.text["Description"] == digest(data()), "run 'python -m benchmarks.capacity_planner.picture'"  # type: ignore[attr-defined]


def test_the_benchmark_plans_every_workload() -> None:
    assert capacity_planner.planned(capacity_planner.workloads(30), capacity_planner.prices()) >= 30
