"""Metric math over the datapoints of one period (our model). No AWS in here.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html as far as target tracking
policies here use it: numbers, ``+ - * /``, comparisons (1 or 0), ``IF(condition, then, else)`` and ``FILL(metric, n)``,
``FILL(metric, REPEAT)``. A missing datapoint is None, and what becomes of it is not what one would guess:

- between two series, of which one has a datapoint in the period, "missing values in a time series are treated as 0";
- where no series has one there is no such point in time, and no result;
- a division by zero drops the datapoint;
- IF has no result without its condition, and 0 where the condition is true and its series is missing.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache

Value = float | None
NONE: Mapping[str, Value] = {}

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class MetricMathError(ValueError):
    """An expression is not one that this model evaluates; the message names what it does not know."""


def evaluate(expression: str, datapoints: Mapping[str, Value], before: Mapping[str, Value] = NONE) -> Value:
    """Returns the value of an expression for one period, or None if it has no datapoint there.

    Args:
        datapoints: value of each metric or expression that it names, by id; None: no datapoint.
        before: the newest earlier datapoint of each id, as far back as its reader looks; for REPEAT.

    Raises:
        MetricMathError: for a function, an operator or an id that is not known.
    """
    # Metric math has the syntax of Python expressions, as far as it is modelled here.
    try:
        tree = _parsed(expression)
    except SyntaxError as error:
        raise MetricMathError(f"cannot read {expression!r}: {error.msg}") from error
    return _Period(datapoints, before).value(tree.body)


@lru_cache(maxsize=64)  # an alarm evaluates its expression every minute
def _parsed(expression: str) -> ast.Expression:
    return ast.parse(expression.strip(), mode="eval")


class _Period:
    """One period of the series that an expression names."""

    def __init__(self, datapoints: Mapping[str, Value], before: Mapping[str, Value]) -> None:
        self._datapoints, self._before = datapoints, before

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name) if name in self._datapoints:
                return self._datapoints[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.value(operand)
                return None if value is None else -value
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
                return self._combined(_ARITHMETIC[type(sign)], left, right)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
                return self._combined(_COMPARISONS[type(sign)], left, right)
            case ast.Call(func=ast.Name(id="IF"), args=[condition, then, *rest], keywords=[]) if len(rest) < 2:
                return self._chosen(condition, then, *rest)
            case ast.Call(func=ast.Name(id="FILL"), args=[metric, filling], keywords=[]):
                value = self.value(metric)
                return self._filling(metric, filling) if value is None else value
        raise MetricMathError(f"not modelled here: {ast.unparse(node)!r}")

    def _combined(self, combine: Callable[[float, float], float], left: ast.expr, right: ast.expr) -> Value:
        first, second = self.value(left), self.value(right)
        if first is None and second is not None and self._is_series(right):
            first = 0
        if second is None and first is not None and self._is_series(left):
            second = 0
        if first is None or second is None:
            return None
        try:
            return float(combine(first, second))
        except ZeroDivisionError:
            return None

    def _chosen(self, condition: ast.expr, then: ast.expr, otherwise: ast.expr | None = None) -> Value:
        truth = self.value(condition)
        if truth is None:
            return None
        if not truth:
            return None if otherwise is None else self.value(otherwise)
        value = self.value(then)
        return 0 if value is None and self._is_series(condition) else value

    def _filling(self, metric: ast.expr, filling: ast.expr) -> Value:
        match filling:
            case ast.Name(id="REPEAT") if isinstance(metric, ast.Name):
                return self._before.get(metric.id)
        return self.value(filling)

    def _is_series(self, node: ast.expr) -> bool:
        """Whether a node has points in time of its own: whatever is made of a metric has, a number has not."""
        return any(isinstance(part, ast.Name) and part.id in self._datapoints for part in ast.walk(node))
