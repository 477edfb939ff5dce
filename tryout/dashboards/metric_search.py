"""Which metrics a SEARCH finds (our model). No AWS in here.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html for searches with a
schema and exact terms, all of which must hold: ``SEARCH('{"Own space",Dimension} MetricName="Name"', 'Sum', 300)``. A
schema finds only metrics that have exactly its dimensions; a term in quotation marks matches the whole value,
``Dimension=("one" OR "two")`` either, and one without a name the metric's name or any value. Partial terms, NOT, and
accounts are not modelled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.models.metric_math import MetricMathError

METRIC_NAME = "MetricName"

_TEXT = r'"(?:[^"\\]|\\.)*"'
CALL = r"SEARCH\(\s*'(?P<query>(?:[^'\\]|\\.)*)'\s*,\s*'(?P<stat>[^']*)'\s*(?:,\s*(?P<period>\d+)\s*)?\)"
_SCHEMA = re.compile(rf"\s*\{{\s*((?:{_TEXT}|[^\"{{}}])*)\}}")
_NAME = re.compile(rf"\s*({_TEXT}|[^\",]+?)\s*(?:,|$)")
_TERM = re.compile(
    rf"\s*(?:AND\s+)?(?:(?P<name>{_TEXT}|[\w.-]+)\s*=\s*)?"
    rf"(?:(?P<one>{_TEXT})|\(\s*(?P<any>{_TEXT}(?:\s+OR\s+{_TEXT})*)\s*\))"
)


@dataclass(frozen=True)
class Search:
    """A search that was read.

    Attributes:
        terms: name of what is compared (empty: name and values) and what it may be; all must hold.
        period: in seconds; None: the widget's.
    """

    namespace: str
    dimensions: frozenset[str]
    terms: tuple[tuple[str, frozenset[str]], ...]
    stat: str
    period: int | None

    def finds(self, metric: str, dimensions: Mapping[str, str]) -> bool:
        """Whether it finds a metric of its namespace."""
        if self.dimensions != set(dimensions):
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
    schema = _SCHEMA.match(_unescaped(whole["query"], "'")) if whole else None
    if not whole or not schema:
        raise MetricMathError(f"not modelled here: {call}")
    query = _unescaped(whole["query"], "'")
    names = [_plain(name) for name in _NAME.findall(schema[1])]
    terms = []
    place = schema.end()
    while query[place:].strip():
        term = _TERM.match(query, place)
        if not term:
            raise MetricMathError(f"not modelled here: {query[place:].strip()!r} of a SEARCH")
        allowed = [term["one"]] if term["one"] else re.findall(_TEXT, term["any"])
        terms.append((_plain(term["name"] or ""), frozenset(_plain(value) for value in allowed)))
        place = term.end()
    period = int(whole["period"]) if whole["period"] else None
    return Search(names[0], frozenset(names[1:]), tuple(terms), whole["stat"], period)


def _plain(text: str) -> str:
    return _unescaped(text[1:-1], '"\\') if text.startswith('"') else text


def _unescaped(text: str, marks: str) -> str:
    return re.sub(rf"\\([{re.escape(marks)}])", r"\1", text)
