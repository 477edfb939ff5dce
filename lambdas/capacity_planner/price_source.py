"""Reads prices from AWS page by page, with the caller's clients. No AWS in here."""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from capacity_planner import plan_rates, price_list
from capacity_planner.prices import Card, Prices
from capacity_planner.shapes import Shape

_PARTITIONS = json.loads((Path(__file__).parent / "endpoints.json").read_text(encoding="utf-8"))["partitions"]
ENDPOINTS: dict[str, str] = {name: known["pricing"] for name, known in _PARTITIONS.items()}
"""Region of the Price List in each partition that has one; it has the prices of every Region of the partition."""
PLAN_ENDPOINTS: dict[str, str] = {
    name: known["savingsplans"] for name, known in _PARTITIONS.items() if known["savingsplans"]
}
"""Region in which the Savings Plans API is called."""
CURRENCIES: dict[str, str] = {name: known["currency"] for name, known in _PARTITIONS.items()}
SOURCE = "the Price List and Savings Plans APIs"
TRIES = 3  # of a list whose token has expired on the way
EXPIRED = ("ExpiredNextTokenException", "InvalidNextTokenException")


class EndlessPagesError(RuntimeError):
    """A list repeats a token and would never end."""


def partition_of(region: str) -> str:
    """The partition of a Region, by its name."""
    for beginning, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")):
        if region.startswith(beginning):
            return partition
    return "aws-iso" if "-iso" in region else "aws"


class PriceSource:
    """Prices of one partition.

    Args:
        pricing, savingsplans: clients in the Regions of ENDPOINTS; the second is None where there are no Savings Plans.
        refused: the exceptions of those clients, as a tuple, whose ``response`` has a code.
    """

    def __init__(
        self, pricing: Any, savingsplans: Any | None, currency: str, refused: tuple[type[Exception], ...]
    ) -> None:
        self._pricing, self._savingsplans, self._currency, self._refused = pricing, savingsplans, currency, refused

    def prices(self, shapes: Iterable[Shape], today: date) -> tuple[Prices, list[str]]:
        """Prices of shapes, and why some have none: a price that cannot be read does not stop the others."""
        cards: dict[Shape, Card] = {}
        problems = []
        for shape in sorted({*shapes}):
            try:
                cards[shape] = self.card(shape)
            except (price_list.AmbiguousPriceError, EndlessPagesError) as error:
                problems.append(str(error))
            except self._refused as error:
                problems.append(f"{shape}: {error}")
        return Prices(self._currency, today, SOURCE, cards), problems

    def card(self, shape: Shape) -> Card:
        """All prices of one shape."""
        found = price_list.listed(self._products(shape), shape, self._currency)
        rates = {}
        if self._savingsplans is not None and len(found.usage_types) == 2:
            offered = self._offered(shape, found.usage_types)
            rates = plan_rates.rates(offered, shape, found.usage_types, self._currency)
        return Card(shape, found.used, found.unused, rates, found.reserved)

    def _products(self, shape: Shape) -> list[str]:
        """All pages; reads again from the first one if a token has expired."""
        for attempt in range(TRIES):
            try:
                return list(self._pages(shape))
            except self._refused as error:
                code = getattr(error, "response", {}).get("Error", {}).get("Code")
                if code not in EXPIRED or attempt == TRIES - 1:
                    raise
        return []

    def _pages(self, shape: Shape) -> Iterator[str]:
        request = price_list.request(shape)
        for token in _tokens():
            page = self._pricing.get_products(**request, **({"NextToken": token.value} if token.value else {}))
            yield from page["PriceList"]
            token.follow(page.get("NextToken"))

    def _offered(self, shape: Shape, usage_types: tuple[str, ...]) -> Iterator[Any]:
        """All pages; the last one may carry an empty token, and botocore has no paginator."""
        request = plan_rates.request(shape, usage_types)
        return pages(self._savingsplans.describe_savings_plans_offering_rates, "searchResults", **request)  # type: ignore[union-attr]


class Token:
    """The token of the next page, which must be a new one each time."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.done = False
        self._seen: set[str] = set()

    def follow(self, token: str | None) -> None:
        """Continues with a page's token; an empty one ends the list as a missing one does.

        Raises:
            EndlessPagesError: the token was there before.
        """
        if token and token in self._seen:
            raise EndlessPagesError(f"the token {token[:20]} came twice")
        self._seen.add(token or "")
        self.value, self.done = token, not token


def _tokens() -> Iterator[Token]:
    token = Token()
    while not token.done:
        yield token


def pages(call: Any, items: str, **request: Any) -> Iterator[Any]:
    """All items of a Savings Plans API, whose tokens are called ``nextToken``."""
    for token in _tokens():
        page = call(**request, **({"nextToken": token.value} if token.value else {}))
        yield from page[items]
        token.follow(page.get("nextToken"))
