"""What the readers of price files and of workloads share: days, money and zones. No AWS in here."""

from datetime import date, datetime
from decimal import Decimal

from shared.money import amount

LARGEST = 1_000_000
"""For an hour: more than any instance costs, and the largest commitment of a Savings Plan
(https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_CreateSavingsPlan.html)."""


def a_day(value: object) -> date | None:
    """The day of a date, of a time that YAML has read, or of a text; None for anything else."""
    if isinstance(value, datetime):  # a subclass of date that cannot be compared with one
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def money(value: object) -> Decimal:
    """An amount of money, exactly as written.

    Raises:
        ValueError: it is not a number, or is below 0 or above LARGEST.
    """
    found = amount(value)
    if found > LARGEST:
        raise ValueError(f"must be at most {LARGEST}, got {value}")
    return found


def is_zone_of(zone: str, region: str) -> bool:
    """Whether it is an Availability Zone of a Region, not a Local Zone or Wavelength Zone."""
    return zone.startswith(region) and len(zone) == len(region) + 1
