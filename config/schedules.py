"""Schedules and time zones, by the grammar of the services that take them; the same answer on every machine.

- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html (singular and plural of rates)
- https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
- https://docs.aws.amazon.com/imagebuilder/latest/userguide/cron-expressions.html
- https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html (associations)
"""

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
_MINUTES = {"minute": 1, "hour": 60, "day": 1_440}
_SHAPE = "such as 'rate(1 day)' or 'cron(0 3 * * ? *)'"


def _parsed(text: str) -> list[str]:
    """The six fields of a cron expression, or the minutes of a rate.

    Raises:
        ValueError: it is neither.
    """
    if rate := re.fullmatch(r"rate\(([1-9]\d{0,5}) (minute|hour|day)(s?)\)", text):
        number, unit, plural = rate.groups()
        if (number == "1") == bool(plural):
            right = f"rate({number} {unit}{'' if number == '1' else 's'})"
            raise ValueError(f"must have its unit in the {'singular' if number == '1' else 'plural'}; write '{right}'")
        return [str(int(number) * _MINUTES[unit])]
    cron = re.fullmatch(r"cron\(([^()]+)\)", text)
    if cron is None:
        raise ValueError(f"must be a rate or cron expression, {_SHAPE}")
    fields = cron[1].split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"must have six fields: {', '.join(name for name, *_ in _FIELDS)}; add or remove one")
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        if not all(_is_value(item, name, low, high, words) for item in field.upper().split(",")):
            known = f"{low} to {high}" + (f" or {words[0]} to {words[-1]}" if words else "")
            raise ValueError(f"must have a valid {name}, which is {field!r} here; use {known}, or *")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError("must have ? as exactly one of day of the month and day of the week; use ? for the other")
    return fields


def _is_value(item: str, name: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    if item == "?":
        return name.startswith("day")
    if name == "day of the month" and (item in ("L", "LW") or re.fullmatch(r"([1-9]|[12]\d|3[01])W", item)):
        return True
    if name == "day of the week" and re.fullmatch(rf"(L|([1-7]|{'|'.join(words)})(L|#[1-5]))", item):
        return True
    start, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and 1 <= int(step) <= high):
        return False
    first, dash, last = start.partition("-")
    if first == "*":
        return not dash
    values = [_number(part, low, words) for part in ([first, last] if dash else [first])]
    return all(value is not None and low <= value <= high for value in values)


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isdecimal() else None


def _schedule(text: str) -> str:
    _parsed(text)
    return text


def _association(text: str) -> str:
    """State Manager: at least 30 minutes and less than 31 days apart; by time of day and day of the week only."""
    fields = _parsed(text)
    if len(fields) == 1:
        if not 30 <= int(fields[0]) < 31 * 1_440:
            raise ValueError("must be at least 30 minutes and less than 31 days, for State Manager; change the rate")
        return text
    minutes, _, day, month, _, year = fields
    if not re.fullmatch(r"\d{1,2}|(\*|0)/30", minutes):
        raise ValueError("must be at least 30 minutes apart, for State Manager; use one minute, or 0/30")
    if day not in ("*", "?") or month != "*" or year != "*":
        raise ValueError("must not name days of the month, months or years, which State Manager does not take; use *")
    return text


ScheduleExpression = Annotated[str, Field(examples=["cron(0 3 * * ? *)"]), AfterValidator(_schedule)]
"""Of EventBridge Scheduler and of EC2 Image Builder."""
AssociationSchedule = Annotated[str, Field(examples=["rate(1 day)"]), AfterValidator(_association)]
"""Of a State Manager association."""


@cache
def time_zones() -> frozenset[str]:
    """UTC, GMT, and the zones of the IANA database that have an area: names that every service takes.

    https://www.iana.org/time-zones, of which each service's page speaks:
    https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Schedule.html,
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html
    """
    return frozenset((Path(__file__).parent / "time_zones.txt").read_text(encoding="utf-8").split())


def _time_zone(text: str) -> str:
    if text not in time_zones():
        # A close name of another offset would be worse than none: only a misspelt Area/City gets a suggestion.
        close = get_close_matches(text, sorted(time_zones()), n=1, cutoff=0.75) if "/" in text else []
        hint = f"did you mean {close[0]!r}?" if close else "use a name such as 'Europe/Berlin', or 'UTC'"
        raise ValueError(f"must be an IANA time zone; {hint}")
    return text


TimeZone = Annotated[str, Field(examples=["Europe/Berlin"]), AfterValidator(_time_zone)]
"""A time zone, by its IANA name."""


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("must be a time of the day in quotes, '00:00' to '23:59'")
    return text


TimeOfDay = Annotated[str, Field(examples=["20:00"]), AfterValidator(_time_of_day)]
"""Hours and minutes, in quotes: YAML takes a bare 20:00 for the number 1200."""
