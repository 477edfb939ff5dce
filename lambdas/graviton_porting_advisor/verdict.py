"""How a scan has ended: one result, one sentence, one exit status. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from graviton_porting_advisor.findings import CAPPED, Accepted, Report, by_kind

NO_GUARANTEE = "No issue is no guarantee: test the application on a Graviton instance."
SHOWN = 20
"""Remarks, errors and findings that a result carries; the reports have all of them."""
LONGEST_TEXT = 300


class Result(StrEnum):
    """What came of a scan. Nothing-scanned is not ok: the tool ends with 0 where it has read no file at all."""

    OK = "ok"
    ABOVE_MAX = "above-max"
    CRASHED = "crashed"
    UNREADABLE = "unreadable"
    NOTHING_SCANNED = "nothing-scanned"
    INCOMPLETE = "incomplete"
    TOOL_UNAVAILABLE = "tool-unavailable"
    JAR_SCANNER_MISSING = "jar-scanner-missing"
    STOPPED = "stopped"
    TIMED_OUT = "timed-out"
    LOST = "lost"


EXIT = {
    Result.OK: 0,
    Result.ABOVE_MAX: 1,
    Result.CRASHED: 2,
    Result.UNREADABLE: 3,
    Result.NOTHING_SCANNED: 4,
    Result.INCOMPLETE: 5,
    Result.TOOL_UNAVAILABLE: 6,
    Result.JAR_SCANNER_MISSING: 7,
}
"""Of the build's script; the others are found from outside."""


@dataclass(frozen=True)
class Census:
    """What is in the source beside what the tool reads.

    Attributes:
        not_scanned: languages and build files that the tool does not understand, with the number of their files.
        archives: JAR and WAR files.
    """

    not_scanned: Mapping[str, int] = field(default_factory=dict)
    archives: int = 0


@dataclass(frozen=True)
class Verdict:
    """What is known of a scan; as JSON it is the ``result.json`` of its build.

    Attributes:
        passed: whether the gate is open; false for every result but ok, and those that only warn.
        says: the one sentence.
        issues: those that count; accepted: those that do not.
        kinds: the issues that count by their kind.
        examples: the first findings, as the tool wrote them.
    """

    result: Result
    passed: bool
    says: str
    issues: int = 0
    accepted: int = 0
    max_issues: int = 0
    files: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    errors: Sequence[str] = ()
    examples: Sequence[str] = ()
    not_scanned: Mapping[str, int] = field(default_factory=dict)
    archives: int = 0
    remark_count: int = 0
    error_count: int = 0

    @property
    def status(self) -> int:
        """The exit status of the build's script."""
        return 0 if self.passed else EXIT.get(self.result, 2)

    @property
    def has_report(self) -> bool:
        """Whether the advisor has given one: also of a source in which there was nothing to scan."""
        return self.result in (Result.OK, Result.ABOVE_MAX, Result.INCOMPLETE, Result.NOTHING_SCANNED)

    def to_json(self) -> dict[str, Any]:
        """As JSON knows it."""
        return asdict(self) | {"result": self.result.value}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Verdict":
        """Of a ``result.json``.

        Raises:
            ValueError: it is something else.
        """
        try:
            names = cls.__dataclass_fields__
            known = {name: value for name, value in found.items() if name in names}
            return cls(**known | {"result": Result(found["result"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a result of a scan: {error}") from None


def failed(result: Result, why: str) -> Verdict:
    """The verdict on a scan that has given no report."""
    return Verdict(result, passed=False, says=f"{_SAYS[result]}: {_short(why)}")


_SAYS = {
    Result.CRASHED: "The advisor has crashed, and nothing is known of the code",
    Result.UNREADABLE: "The source could not be read",
    Result.TOOL_UNAVAILABLE: "The advisor could not be fetched",
    Result.JAR_SCANNER_MISSING: "The scanner of JAR files could not be made, and nothing was scanned",
    Result.STOPPED: "The build was stopped",
    Result.TIMED_OUT: "The build has run out of time",
    Result.LOST: "The build has ended without a result",
}


def judge(
    report: Report,
    census: Census,
    *,
    max_issues: int,
    accepted: Iterable[Accepted] = (),
    warn_only: Iterable[str] = (),
    scan_jars: bool = False,
) -> Verdict:
    """Judges a whole report.

    Args:
        warn_only: results that are told and do not fail.
        scan_jars: whether archives were looked into.
    """
    work, no_work = report.split(accepted)
    result, says = _judged(report, len(work), max_issues)
    notes = [says]
    if no_work:
        notes.append(f"{len(no_work)} more were accepted.")
    if report.remarks:
        notes.append(f"{len(report.remarks)} remarks, which are no issues.")
    if census.archives and not scan_jars:
        notes.append(f"{census.archives} JAR files were not scanned: scan_jars is false.")
    if census.not_scanned:
        listed = ", ".join(f"{name} ({count})" for name, count in census.not_scanned.items())
        notes.append(f"Never scanned: {listed}.")
    return Verdict(
        result,
        passed=result is Result.OK or result in set(warn_only),
        says=" ".join(notes),
        issues=len(work),
        accepted=len(no_work),
        max_issues=max_issues,
        files=report.files,
        kinds=by_kind(work),
        remarks=[_short(text) for text in report.remarks[:SHOWN]],
        errors=[_short(text) for text in report.errors[:SHOWN]],
        examples=[_short(finding.text) for finding in work if finding.kind != CAPPED][:SHOWN],
        not_scanned=dict(census.not_scanned),
        archives=census.archives,
        remark_count=len(report.remarks),
        error_count=len(report.errors),
    )


def _judged(report: Report, issues: int, most: int) -> tuple[Result, str]:
    if not report.files:
        return Result.NOTHING_SCANNED, "Nothing was scanned: the source has no file that the advisor reads."
    unread = f" {len(report.errors)} files could not be read by the advisor." if report.errors else ""
    if issues > most:
        return Result.ABOVE_MAX, f"{issues} issues in {report.files} files, and at most {most} are allowed.{unread}"
    if report.errors:
        return Result.INCOMPLETE, f"The scan is incomplete:{unread} {issues} issues in what was read."
    return Result.OK, f"{issues} issues in {report.files} files, of at most {most}."


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 1]}…"
