"""What a solution bills in an idle month, by unit."""

from collections.abc import Iterable
from decimal import Decimal

from stacks.shared.billing import BillingUnit


def by_unit(units: Iterable[BillingUnit]) -> dict[str, Decimal]:
    """The sum of each unit that is billed at all."""
    found: dict[str, Decimal] = {}
    for one in units:
        found[one.unit] = found.get(one.unit, Decimal(0)) + Decimal(str(one.quantity))
    return {unit: quantity for unit, quantity in found.items() if quantity}
