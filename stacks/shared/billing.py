"""What a solution bills in a month in which nothing happens, in the units of the price list."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

HOURS = 730  # of a month, as AWS's own calculator counts
MINUTES = HOURS * 60


class PriceError(Exception):
    """The price file is unusable; the message is meant for the user."""


@dataclass(frozen=True)
class BillingUnit:
    """So many of a billed unit in an idle month.

    Attributes:
        unit: key of the price file, for example ``nat_gateway_hour``.
        quantity: units a month.
        of: what of the solution uses them.
    """

    unit: str
    quantity: float
    of: str

    def money(self, prices: Mapping[str, float]) -> float | None:
        """What it costs at these prices; None if they do not name the unit."""
        return None if self.unit not in prices else self.quantity * prices[self.unit]


def read_prices(path: Path) -> dict[str, float]:
    """Reads a price file: YAML, ``unit: price of one``, in whatever currency its owner uses.

    Raises:
        PriceError: the file cannot be read, or a price is not a number of at least 0.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PriceError(f"{path} is no price file: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise PriceError(f"{path} must be a mapping of units to prices, for example 'nat_gateway_hour: 0.05'")
    for unit, price in data.items():
        if isinstance(price, bool) or not isinstance(price, int | float) or price < 0:
            raise PriceError(f"{path}: {unit}: must be a number of at least 0, got {price!r}")
    return {str(unit): float(price) for unit, price in data.items()}
