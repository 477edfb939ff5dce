"""Metric math over the datapoints of one period (our model). No AWS in here.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html as far as target tracking
policies here use it: numbers, ``+ - * /``, comparisons (1 or 0), ``IF(condition, then, else)`` and ``FILL(metric, n)``.
A missing datapoint is None, and so is whatever is computed from one: "if one of the time series is missing a datapoint,
the result has none".
"""

import ast
import operator
from collections.abc import Callable, Mapping

Value = float | None

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


def evaluate(expression: str, datapoints: Mapping[str, Value]) -> Value:
    """Returns the value of an expression for one period, or None if it has no datapoint there.

    Args:
        datapoints: value of each metric or expression that it names, by id; None: no datapoint.

    Raises:
        MetricMathError: for a function, an operator or an id that is not known.
    """
    # Metric math has the syntax of Python expressions, as far as it is modelled here.
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError as error:
        raise MetricMathError(f"cannot read {expression!r}: {error.msg}") from error
    return _value(tree.body, datapoints)


def _value(node: ast.expr, datapoints: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in datapoints:
            return datapoints[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, datapoints)
            return None if value is None else -value
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            return _combined(_ARITHMETIC[type(sign)], _value(left, datapoints), _value(right, datapoints))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
            return _combined(_COMPARISONS[type(sign)], _value(left, datapoints), _value(right, datapoints))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise], keywords=[]):
            chosen = _value(condition, datapoints)
            return None if chosen is None else _value(then if chosen else otherwise, datapoints)
        case ast.Call(func=ast.Name(id="FILL"), args=[metric, filling], keywords=[]):
            value = _value(metric, datapoints)
            return _value(filling, datapoints) if value is None else value
    raise MetricMathError(f"not modelled here: {ast.unparse(node)!r}")


def _combined(combine: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """None if either is missing, or for a division by zero, which yields no datapoint."""
    if left is None or right is None:
        return None
    try:
        return float(combine(left, right))
    except ZeroDivisionError:
        return None
