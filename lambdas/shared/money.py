"""Money in decimal numbers: from the text of a number to cents, never through a float."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

CENT = Decimal("0.01")
HOURS = 730
"""Of a month, as AWS's own calculator counts."""


def amount(value: object) -> Decimal:
    """A number of at least 0, exactly as it was written; a float, as botocore reads some, by its shortest text.

    Raises:
        ValueError: it is no such number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"must be a number of at least 0, got {value!r}")
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"must be a number of at least 0, got {value!r}") from None
    if not found.is_finite() or found < 0:
        raise ValueError(f"must be a number of at least 0, got {value}")
    return found


def cents(value: Decimal) -> Decimal:
    """Rounded half up to cents. Only what is printed is rounded, never what is added."""
    return value.quantize(CENT, ROUND_HALF_UP)


def shown(value: Decimal) -> str:
    """For people, with thousands separated."""
    return f"{cents(value):,.2f}"


def plain(value: Decimal) -> str:
    """All of its digits and no more: 0.650 is 0.65, 1E+2 is 100."""
    return f"{value.normalize():f}"


def at_least(value: Decimal, places: int) -> Decimal:
    """Rounded up to so many decimal places."""
    return value.quantize(_step(places), ROUND_CEILING)


@cache
def _step(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)
