"""What services refuse in schedules and time zones, the settings refuse; what they take, the settings take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config.schedules import AssociationSchedule, ScheduleExpression, TimeOfDay, TimeZone

SCHEDULE = TypeAdapter[str](ScheduleExpression)
ASSOCIATION = TypeAdapter[str](AssociationSchedule)
ZONE = TypeAdapter[str](TimeZone)
TIME = TypeAdapter[str](TimeOfDay)


def refusal(kind: TypeAdapter[str], text: str) -> str:
    with pytest.raises(ValidationError) as raised:
        kind.validate_python(text)
    return str(raised.value.errors()[0]["ctx"]["error"])


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 minute)",
        "rate(5 days)",
        "cron(0 3 * * ? *)",
        "cron(0 3 ? * sun *)",
        "cron(0/15 8-18 ? * MON-FRI 2026-2030)",
        "cron(0 0 L * ? *)",
        "cron(0 0 15W JAN,jul ? *)",
        "cron(30 6 ? * 2#1 *)",
        "cron(30 6 ? * THU#3 *)",
        "cron(30 6 ? * 6L *)",
    ],
)
def test_schedules_of_the_pages_are_taken(text: str) -> None:
    assert SCHEDULE.validate_python(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rate(1 days)", "rate(1 day)"),
        ("rate(5 day)", "rate(5 days)"),
        ("rate(0 days)", "such as"),
        ("cron(0 3 * * *)", "six fields"),
        ("cron(0 3 1 * 1 *)", "exactly one"),
        ("cron(0 3 * * * *)", "exactly one"),
        ("cron(0 3 ? * ? *)", "exactly one"),
        ("cron(99 3 ? * sun *)", "minutes"),
        ("cron(99 99 ? * sun *)", "minutes"),
        ("cron(0 24 ? * sun *)", "hours"),
        ("cron(0 3 32 * ? *)", "day of the month"),
        ("cron(0 3 1 13 ? *)", "month"),
        ("cron(0 3 ? * SON *)", "day of the week"),
        ("cron(0 3 ? * 8 *)", "day of the week"),
        ("cron(0 3 * * ? 1969)", "year"),
        ("cron(0/0 3 * * ? *)", "minutes"),
        ("cron(aaaaaaaaaaaa)", "six fields"),
        ("every sunday", "rate or cron"),
        ("", "rate or cron"),
    ],
)
def test_schedules_that_fail_in_the_account_are_refused(text: str, says: str) -> None:
    assert says in refusal(SCHEDULE, text)


@pytest.mark.parametrize(
    "text", ["rate(30 minutes)", "rate(30 days)", "cron(0/30 * * * ? *)", "cron(0 2 ? * THU *)", "cron(30 12 * * ? *)"]
)
def test_associations_take_what_state_manager_takes(text: str) -> None:
    assert ASSOCIATION.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "rate(29 minutes)",
        "rate(31 days)",
        "rate(45 days)",
        "rate(99999 days)",
        "rate(1 days)",
        "cron(0 12 1 6 ? *)",
        "cron(*/5 * * * ? *)",
        "cron(0 0 1 1 1 1 1)",
        "cron(0 2 ? * THU 2027)",
    ],
)
def test_associations_refuse_what_state_manager_refuses(text: str) -> None:
    assert refusal(ASSOCIATION, text).startswith("must ")


@given(st.text(max_size=40) | st.from_regex(r"(rate|cron)\([0-9A-Za-z*?/#, -]{0,30}\)", fullmatch=True))
def test_any_text_gets_a_sentence(text: str) -> None:
    for kind in (SCHEDULE, ASSOCIATION, TIME):
        try:
            kind.validate_python(text)
        except ValidationError as error:
            assert str(error.errors()[0]["ctx"]["error"]).startswith("must ")


@pytest.mark.parametrize("zone", ["UTC", "GMT", "Etc/UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_time_zones_that_every_service_takes(zone: str) -> None:
    assert ZONE.validate_python(zone) == zone


@pytest.mark.parametrize(
    ("zone", "says"),
    [
        ("Europe/Berlln", "did you mean 'Europe/Berlin'?"),
        ("Mars/X", "use a name such as 'Europe/Berlin'"),
        ("CEST", "use a name such as 'Europe/Berlin'"),
        ("Factory", "use a name"),
        ("localtime", "use a name"),
        ("Japan", "use a name"),
        ("ab", "use a name"),
    ],
)
def test_other_names_are_refused_without_a_harmful_suggestion(zone: str, says: str) -> None:
    assert says in refusal(ZONE, zone)
