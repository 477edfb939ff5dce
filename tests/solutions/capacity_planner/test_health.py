"""AWS Health's events in both documented shapes, and whatever else reaches the function."""

from typing import Any

import pytest

from capacity_planner.health import NOTIFICATION, SUMMARY, hints

LINES = (
    "cr-01234567890abcdef | us-east-1a | m5.large | Linux/UNIX | 15.0%",
    "cr-0fedcba9876543210 | us-east-1b | c5.xlarge | Windows | 0.0%",
)


def event(code: str, resources: Any, entities: Any = ()) -> dict[str, Any]:
    """As documented: without eventScopeCode and eventRegion."""
    detail = {
        "eventArn": f"arn:aws:health:us-east-1::event/EC2/{code}/x",
        "service": "EC2",
        "eventTypeCode": code,
        "eventTypeCategory": "accountNotification",
        "affectedEntities": [{"entityValue": each} for each in entities],
    }
    return {
        "id": "e",
        "source": "aws.health",
        "detail-type": "AWS Health Event",
        "resources": resources,
        "detail": detail,
    }


def test_a_notification_names_ids() -> None:
    found = hints(event(NOTIFICATION, ["cr-01234567890abcdef"], ["cr-01234567890abcdef", "cr-0fedcba9876543210"]))
    assert found == dict.fromkeys(("cr-01234567890abcdef", "cr-0fedcba9876543210"), "below 20% used over a day")


@pytest.mark.parametrize(("resources", "entities"), [(LINES, LINES), (LINES, ()), ((), LINES)])
def test_a_summary_has_lines_of_five_fields_in_either_place(resources: Any, entities: Any) -> None:
    assert hints(event(SUMMARY, list(resources), list(entities))) == {
        "cr-01234567890abcdef": "15.0% used over seven days",
        "cr-0fedcba9876543210": "0.0% used over seven days",
    }


@pytest.mark.parametrize(
    "other",
    [
        None,
        [],
        "text",
        {},
        {"detail": None},
        {
            "source": "aws.health",
            "detail": {"eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE"},
            "resources": ["cr-01234567"],
        },
        {**event(SUMMARY, list(LINES)), "source": "somebody"},
        event(SUMMARY, None),
        event(SUMMARY, [None, 3]),
        event(NOTIFICATION, ["i-0123456789abcdef0"]),
    ],
)
def test_whatever_else_is_no_hint(other: Any) -> None:
    assert hints(other) == {}
