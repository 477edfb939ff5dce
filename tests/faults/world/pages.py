"""One answer cut into pages, as the service would have sent it had there been more of it."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

Answer = dict[str, Any]


@dataclass(frozen=True)
class Paging:
    """How an operation pages: its tokens and where in the answer the results are."""

    service: str
    operation: str
    token_in: tuple[str, ...]
    token_out: tuple[str, ...]
    result: tuple[str, ...]
    more: str | None = None
    token_is_a_key: bool = False
    """DynamoDB's token is the key of an item, and no text."""

    def continued(self, parameters: Answer) -> int | None:
        """Returns which page of ours the parameters ask for, None when they ask for none."""
        token = parameters.get(self.token_in[0], "")
        if self.token_is_a_key and token:
            token = token.get("id", {}).get("S", "")
        found = re.fullmatch(r"page(\d+)ofTheFaultHarness", str(token))
        return int(found[1]) if found else None

    def split(self, answer: Answer, *, empty_between: bool) -> list[Answer]:
        """Returns the pages of an answer, each but the last with the token of the next one.

        The first page of a single result is empty, as AWS's pages may be: whoever stops there, finds nothing.
        """
        first, rest = _HALVES.get((self.service, self.operation), _by_item)(self._results(answer))
        # An empty one comes first, too: what matters may all be in the first half.
        parts = [[], first, [], rest] if empty_between else [first, rest]
        pages = [self._page(answer, part) for part in parts]
        for number, page in enumerate(pages[:-1], start=1):
            token = f"page{number}ofTheFaultHarness"
            page.update(dict.fromkeys(self.token_out, {"id": {"S": token}} if self.token_is_a_key else token))
            if self.more:
                page[self.more] = True
        return pages

    def _results(self, answer: Answer) -> list[Any]:
        for key in self.result:
            answer = answer.get(key, {})
        return list(answer or [])

    def _page(self, answer: Answer, part: list[Any]) -> Answer:
        page = inner = deepcopy(answer)
        for key in self.result[:-1]:
            inner = inner.setdefault(key, {})
        inner[self.result[-1]] = part
        return page


def paging(model: Any) -> Paging | None:
    """Returns how the operation of a botocore model pages, or None when it answers in one piece."""
    service, operation = model.service_model.service_name, model.name
    if known := _paginators(service).get(operation):
        token_out = tuple(_plain(token) for token in _several(known["output_token"]))
        result = tuple(_plain(_several(known["result_key"])[0]).split("."))
        token_in, more = _several(known["input_token"]), known.get("more_results")
        key = model.input_shape.members[token_in[0]].type_name == "map"
        return Paging(service, operation, token_in, token_out, result, more, key)
    inputs = model.input_shape.members if model.input_shape else {}
    outputs = model.output_shape.members if model.output_shape else {}
    lists = [name for name, shape in outputs.items() if shape.type_name == "list"]
    for token in ("NextToken", "nextToken"):
        # Some operations page and have no paginator; their handlers loop by hand, and are no safer for it.
        if token in inputs and token in outputs and len(lists) == 1:
            return Paging(service, operation, (token,), (token,), (lists[0],))
    return None


def _by_item(results: list[Any]) -> tuple[list[Any], list[Any]]:
    middle = len(results) // 2
    return results[:middle], results[middle:]


def _by_datapoint(series: list[Any]) -> tuple[list[Any], list[Any]]:
    """Returns the halves of an answer of GetMetricData, which repeats every series on every page, with other points.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    first, rest = deepcopy(series), deepcopy(series)
    for one, other in zip(first, rest, strict=True):
        for key in ("Timestamps", "Values"):
            middle = len(one[key]) // 2
            one[key], other[key] = one[key][:middle], one[key][middle:]
        one["StatusCode"] = "PartialData"
    return first, rest


_HALVES: dict[tuple[str, str], Callable[[list[Any]], tuple[list[Any], list[Any]]]] = {
    ("cloudwatch", "GetMetricData"): _by_datapoint
}


@cache
def _paginators(service: str) -> dict[str, Any]:
    try:
        return dict(Loader().load_service_model(service, "paginators-1")["pagination"])
    except DataNotFoundError:
        return {}


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _plain(expression: str) -> str:
    """Returns the member that a JMESPath such as `NextMarker || Contents[-1].Key` names first."""
    return expression.split("||")[0].strip()
