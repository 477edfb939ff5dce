"""Which metrics a SEARCH finds (our model). No AWS in here.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html for searches with
exact terms, all of which must hold: ``SEARCH('{"Own space",Dimension} MetricName="Name"', 'Sum', 300)``. A schema finds
only metrics that have exactly its dimensions; without one the search names its ``Namespace``. A term in quotation marks
matches the whole value, ``Dimension=("one" OR "two")`` either, and one without a name the metric's name or any value;
``:aws.AccountId="…"`` searches another account. Partial terms and NOT are not modelled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.models.metric_math import MetricMathError

METRIC_NAME, NAMESPACE, ACCOUNT = "MetricName", "Namespace", ":aws.AccountId"

_TEXT = r'"(?:[^"\\]|\\.)*"'
CALL = r"SEARCH\(\s*'(?P<query>(?:[^'\\]|\\.)*)'\s*,\s*'(?P<stat>[^']*)'\s*(?:,\s*(?P<period>\d+)\s*)?\)"
_SCHEMA = re.compile(rf"\s*\{{\s*((?:{_TEXT}|[^\"{{}}])*)\}}")
_NAME = re.compile(rf"\s*({_TEXT}|[^\",]+?)\s*(?:,|$)")
_TERM = re.compile(
    rf"\s*(?:AND\s+)?(?:(?P<name>{_TEXT}|:?[\w.-]+)\s*=\s*)?"
    rf"(?:(?P<one>{_TEXT})|\(\s*(?P<any>{_TEXT}(?:\s+OR\s+{_TEXT})*)\s*\))"
)


@dataclass(frozen=True)
class Search:
    """A search that was read.

    Attributes:
        dimensions: exactly those of a metric that it finds; None: any.
        terms: name of what is compared (empty: name and values) and what it may be; all must hold.
        period: in seconds; None: the widget's.
        account: where it searches; empty: where the dashboard is.
    """

    namespace: str
    dimensions: frozenset[str] | None
    terms: tuple[tuple[str, frozenset[str]], ...]
    stat: str
    period: int | None
    account: str = ""

    def finds(self, metric: str, dimensions: Mapping[str, str]) -> bool:
        """Whether it finds a metric of its namespace."""
        if self.dimensions is not None and self.dimensions != set(dimensions):
            return False
        known = {METRIC_NAME: metric, **dimensions}
        return all(
            bool(allowed & ({known[name]} if name in known else set()) if name else allowed & set(known.values()))
            for name, allowed in self.terms
        )


def read(call: str) -> Search:
    """Reads ``SEARCH(…)``.

    Raises:
        MetricMathError: it is not one that this model knows.
    """
    whole = re.fullmatch(CALL, call.strip())
    if not whole:
        raise MetricMathError(f"not modelled here: {call}")
    query = _unescaped(whole["query"], "'")
    schema = _SCHEMA.match(query)
    names = [_plain(name) for name in _NAME.findall(schema[1])] if schema else []
    terms: list[tuple[str, frozenset[str]]] = []
    place = schema.end() if schema else 0
    while query[place:].strip():
        term = _TERM.match(query, place)
        if not term:
            raise MetricMathError(f"not modelled here: {query[place:].strip()!r} of a SEARCH")
        allowed = [term["one"]] if term["one"] else re.findall(_TEXT, term["any"])
        terms.append((_plain(term["name"] or ""), frozenset(_plain(value) for value in allowed)))
        place = term.end()
    period = int(whole["period"]) if whole["period"] else None
    # What names one thing, and is no term of the metric itself.
    where = {name: next(iter(one)) for name, one in terms if name in (NAMESPACE, ACCOUNT) and len(one) == 1}
    if not schema and NAMESPACE not in where:
        raise MetricMathError(f"not modelled here: {call}")
    left = tuple(term for term in terms if term[0] not in where)
    exactly = frozenset(names[1:]) if schema else None
    namespace = names[0] if schema else where[NAMESPACE]
    return Search(namespace, exactly, left, whole["stat"], period, where.get(ACCOUNT, ""))


def _plain(text: str) -> str:
    return _unescaped(text[1:-1], '"\\') if text.startswith('"') else text


def _unescaped(text: str, marks: str) -> str:
    return re.sub(rf"\\([{re.escape(marks)}])", r"\1", text)
