"""When an instance has passed, has failed, or has to wait. No AWS in here."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a check says about an instance."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """All checks must pass; one that failed is enough to give an instance up; otherwise it waits.

    Without any check nothing has passed: an instance is never let in by default.
    """
    found = set(verdicts)
    if Verdict.FAILED in found:
        return Verdict.FAILED
    return Verdict.PASSED if found == {Verdict.PASSED} else Verdict.PENDING


def of_value(value: str | None, success: str, failure: str | None) -> Verdict:
    """Judges a tag or an attribute: one value passes, one may fail, any other means not yet."""
    if value == success:
        return Verdict.PASSED
    return Verdict.FAILED if failure is not None and value == failure else Verdict.PENDING


def of_answer(status: int | None, wanted: int) -> Verdict:
    """Judges an HTTP status, None for no answer. A server that starts may say anything, so nothing fails at once."""
    return Verdict.PASSED if status == wanted else Verdict.PENDING


# https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html: the statuses after which a command
# does not go on.
_ENDED_BADLY = {"Failed", "TimedOut", "Cancelled"}


def of_command(status: str | None) -> Verdict:
    """Judges the newest run of a Systems Manager document on an instance; None if it never ran there."""
    if status == "Success":
        return Verdict.PASSED
    return Verdict.FAILED if status in _ENDED_BADLY else Verdict.PENDING


def of_entry(
    entry: Mapping[str, Any] | None, attribute: str | None, success: str | None, failure: str | None
) -> Verdict:
    """Judges a DynamoDB item, None where there is none; without an *attribute* its existence is enough."""
    if entry is None:
        return Verdict.PENDING
    if attribute is None or success is None:
        return Verdict.PASSED
    typed = entry.get(attribute) or {}
    # A string, a number or a truth value, as DynamoDB writes them: {"S": "ok"}, {"N": "1"}, {"BOOL": true}.
    value = next((typed[kind] for kind in ("S", "N", "BOOL") if kind in typed), None)
    return of_value(str(value).lower() if isinstance(value, bool) else value, success, failure)
