"""The outcome of a scan: one result, one sentence, one exit status. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from graviton_porting_advisor.findings import CAPPED, Accepted, Report, by_kind

NO_GUARANTEE = "No issues are no guarantee: test the application on a Graviton instance."
SHOWN = 20
"""Most remarks, errors and findings in a result; the reports have all of them."""
LONGEST_TEXT = 300


class Result(StrEnum):
    """The result of a scan. Nothing-scanned is not ok: the tool exits with 0 even if it has read no file."""

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
"""Exit statuses of the build's script; the other results are found from outside."""


@dataclass(frozen=True)
class Census:
    """Files in the source that the tool does not read.

    Attributes:
        not_scanned: languages and build files that the tool does not understand, with the number of their files.
        archives: JAR and WAR files.
    """

    not_scanned: Mapping[str, int] = field(default_factory=dict)
    archives: int = 0


@dataclass(frozen=True)
class Verdict:
    """The verdict on a scan; its JSON is the ``result.json`` of the build.

    Attributes:
        passed: whether the scan passes the gate: true only for ok and for results that only warn.
        says: the sentence for people.
        issues: number of issues that count; accepted: number of those that do not.
        kinds: the issues that count, by kind.
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
        """Whether the advisor wrote one, also for a source with nothing to scan."""
        return self.result in (Result.OK, Result.ABOVE_MAX, Result.INCOMPLETE, Result.NOTHING_SCANNED)

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON."""
        return asdict(self) | {"result": self.result.value}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Verdict":
        """The verdict from a ``result.json``.

        Raises:
            ValueError: it is anything else.
        """
        try:
            names = cls.__dataclass_fields__
            known = {name: value for name, value in found.items() if name in names}
            return cls(**known | {"result": Result(found["result"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a result of a scan: {error}") from None


def failed(result: Result, why: str) -> Verdict:
    """The verdict on a scan without a report."""
    return Verdict(result, passed=False, says=f"{_SAYS[result]}: {_short(why)}")


_SAYS = {
    Result.CRASHED: "The advisor crashed, so nothing is known about the code",
    Result.UNREADABLE: "The source could not be read",
    Result.TOOL_UNAVAILABLE: "The advisor could not be fetched",
    Result.JAR_SCANNER_MISSING: "The JAR scanner could not be built, and nothing was scanned",
    Result.STOPPED: "The build was stopped",
    Result.TIMED_OUT: "The build ran out of time",
    Result.LOST: "The build ended without a result",
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
    """Judges a complete report.

    Args:
        warn_only: results that are reported but do not fail.
        scan_jars: whether archives were scanned.
    """
    work, no_work = report.split(accepted)
    result, says = _judged(report, len(work), max_issues)
    notes = [says]
    if no_work:
        notes.append(f"{len(no_work)} more were accepted.")
    if report.remarks:
        notes.append(f"{len(report.remarks)} remarks, which are not issues.")
    if census.archives and not scan_jars:
        notes.append(f"{census.archives} JAR files were not scanned, because scan_jars is false.")
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
        return Result.NOTHING_SCANNED, "Nothing was scanned, because the source has no file that the advisor reads."
    unread = f" {len(report.errors)} files could not be read by the advisor." if report.errors else ""
    if issues > most:
        return Result.ABOVE_MAX, f"{issues} issues in {report.files} files; at most {most} are allowed.{unread}"
    if report.errors:
        return Result.INCOMPLETE, f"The scan is incomplete:{unread} {issues} issues in what was read."
    return Result.OK, f"{issues} issues in {report.files} files; at most {most} are allowed."


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST_TEXT else f"{plain[: LONGEST_TEXT - 1]}…"
