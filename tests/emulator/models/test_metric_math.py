"""The model of metric math against the examples of its page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.models.metric_math import MetricMathError, Value, evaluate

NUMBERS = st.floats(min_value=-1e6, max_value=1e6)
VALUES = st.one_of(st.none(), NUMBERS)


def series(expression: str, **metrics: list[Value]) -> list[Value]:
    """The values of an expression, period by period."""
    names = list(metrics)
    return [evaluate(expression, dict(zip(names, row, strict=True))) for row in zip(*metrics.values(), strict=True)]


# The page's examples

NO: Value = None
METRIC1: list[Value] = [30, 20, 0, 0]
METRIC2: list[Value] = [20, NO, 20, NO]


def test_between_two_series_a_missing_value_counts_as_zero() -> None:
    assert series("metric1 < metric2", metric1=METRIC1, metric2=METRIC2) == [0, 0, 1, 0]
    assert series("metric1 >= 30", metric1=METRIC1) == [1, 0, 0, 0]
    assert series("metric1 + metric2", metric1=METRIC1, metric2=METRIC2) == [50, 20, 20, 0]


@pytest.mark.parametrize(
    ("metric2", "metric3", "result"),
    [
        ("[30, NO, 0, 0, 30]", "[0, 0, 20, NO, 20]", [30, 0, 20, NO, NO]),
        ("5", "[0, 0, 20, NO, 20]", [5, 5, 20, NO, NO]),
        ("[30, NO, 0, 0, 30]", "5", [30, 0, 5, 5, NO]),
    ],
)
def test_if_takes_series_and_numbers(metric2: str, metric3: str, result: list[Value]) -> None:
    rows: dict[str, list[Value]] = {"condition": [1, 1, 0, 0, NO]}
    if metric2 != "5":
        rows["metric2"] = [30, NO, 0, 0, 30]
    if metric3 != "5":
        rows["metric3"] = [0, 0, 20, NO, 20]
    expression = f"IF(condition, {'metric2' if 'metric2' in rows else 5}, {'metric3' if 'metric3' in rows else 5})"
    assert series(expression, **rows) == result


def test_if_without_an_alternative_shows_only_what_the_condition_lets_through() -> None:
    assert series("IF(metric1 < 400, metric1)", metric1=[300, 500, NO]) == [300, NO, NO]


def test_if_can_show_highs_and_lows() -> None:
    assert series("IF(metric1 < 400, 10, 2)", metric1=[300, 500]) == [10, 2]


@pytest.mark.parametrize("condition", [-1, 0.5])
def test_any_value_but_zero_is_true(condition: float) -> None:
    assert evaluate("IF(m1, 1, 2)", {"m1": condition}) == 1


def test_the_backlog_per_instance_of_the_auto_scaling_guide() -> None:
    assert series("(m1)/(m2)", m1=[100, 0, 30], m2=[4, 4, 0]) == [25, 0, NO], "a division by zero drops the datapoint"


# Missing data


def test_where_no_series_has_a_datapoint_there_is_none() -> None:
    assert evaluate("5 * m1", {"m1": None}) is None
    assert evaluate("m1 + m2", {"m1": None, "m2": None}) is None
    assert evaluate("m1 > 5", {"m1": None}) is None
    assert evaluate("-m1", {"m1": None}) is None


def test_a_missing_divisor_is_zero_and_drops_the_datapoint() -> None:
    assert evaluate("m1 / m2", {"m1": 1, "m2": None}) is None


def test_fill_takes_a_number_another_metric_or_the_value_before() -> None:
    assert evaluate("FILL(m1, 10)", {"m1": None}) == 10
    assert evaluate("FILL(m1, m2)", {"m1": None, "m2": 3}) == 3
    assert evaluate("FILL(m1, 10)", {"m1": 0}) == 0
    assert evaluate("FILL(m1, REPEAT)", {"m1": None}, before={"m1": 7}) == 7
    assert evaluate("FILL(m1, REPEAT)", {"m1": 2}, before={"m1": 7}) == 2
    assert evaluate("FILL(m1, REPEAT)", {"m1": None}) is None, "nothing to repeat"
    assert evaluate("FILL(FILL(m1, REPEAT), 4)", {"m1": None}) == 4


# Reading


@pytest.mark.parametrize(
    ("expression", "value"),
    [("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("-5 * m1", -10), (" m1 - 1 - 1 ", 0), ("8 / m1 / 2", 2), ("m1 != 2", 0)],
)
def test_operators_bind_as_usual(expression: str, value: float) -> None:
    assert evaluate(expression, {"m1": 2}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "RATE(m1)",
        "m2",
        "m1 ^ 2",
        "1 < m1 < 3",
        "m1 +",
        "",
        "True",
        "'text'",
        "IF(m1)",
        "IF(m1, 1, 2, 3)",
        "FILL(m1, LINEAR)",
        "fill(m1, 1)",
        "m1.real",
        "__import__('os')",
    ],
)
def test_what_is_not_modelled_is_an_error_and_not_a_number(expression: str) -> None:
    with pytest.raises(MetricMathError):
        evaluate(expression, {"m1": None})


def test_an_error_names_what_is_not_known() -> None:
    with pytest.raises(MetricMathError, match=r"not modelled here: 'RATE\(m1\)'"):
        evaluate("1 + RATE(m1)", {"m1": 1})


# Whatever comes


@given(VALUES, VALUES, st.sampled_from("+-*"))
def test_two_series_have_a_result_where_either_has_a_datapoint(one: Value, other: Value, sign: str) -> None:
    result = evaluate(f"m1 {sign} m2", {"m1": one, "m2": other})
    assert (result is None) == (one is None and other is None)


@given(VALUES, NUMBERS)
def test_what_is_filled_is_never_missing(value: Value, filling: float) -> None:
    assert evaluate(f"FILL(m1, {filling!r})", {"m1": value}) == (filling if value is None else value)


@given(VALUES, VALUES, VALUES)
def test_a_condition_decides_and_what_it_does_not_choose_has_no_say(condition: Value, one: Value, two: Value) -> None:
    result = evaluate("IF(m1, m2, m3)", {"m1": condition, "m2": one, "m3": two})
    assert result == (None if condition is None else (one or 0) if condition else two)
