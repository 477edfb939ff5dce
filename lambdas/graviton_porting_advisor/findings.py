"""Reads and counts the findings in a JSON report of Porting Advisor. No AWS in here.

The tool writes findings as text, "Class: PATH[:LINE][ (FUNCTION)]: words", and for a file with more than ten it keeps
ten and adds "OtherIssues: PATH: N other issues", where N is the file's total:
https://github.com/aws/porting-advisor-for-graviton/blob/main/src/advisor/filters/other_issues_filter.py
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

CAPPED = "Capped"
"""The kind of findings that the tool counts but does not list."""
_OTHERS = re.compile(r"OtherIssues: (.*): (\d+) other issues", re.DOTALL)


class UnusableReportError(ValueError):
    """The file is not a report: the tool was interrupted, or it is a different tool."""


@dataclass(frozen=True)
class Finding:
    """One issue.

    Attributes:
        kind: the name that ``--issue-types`` accepts.
        path: the file, relative to the source; empty if the tool names none.
        text: the tool's text.
    """

    kind: str
    path: str
    text: str


@dataclass(frozen=True)
class Accepted:
    """Findings that need no work: those of a path, and of a kind unless it is None."""

    path: str
    kind: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is accepted. Unlisted findings are covered only by an entry for every kind."""
        return fnmatchcase(finding.path, self.path) and self.kind in (None, finding.kind)


@dataclass(frozen=True)
class Report:
    """A report of the tool.

    Attributes:
        findings: every issue; those that the tool only counts have the kind CAPPED.
        files: number of files that the tool has read.
    """

    findings: Sequence[Finding]
    remarks: Sequence[str]
    errors: Sequence[str]
    files: int

    @classmethod
    def read(cls, text: str, root: str) -> "Report":
        """Reads the JSON report.

        Args:
            root: the directory that the tool was given, with which its paths begin.

        Raises:
            UnusableReportError: the report is not complete.
        """
        try:
            found = json.loads(text)
            listed = {name: _texts(found[name]) for name in ("issues", "remarks", "errors", "source_files")}
        except (ValueError, KeyError, TypeError) as error:
            raise UnusableReportError(
                f"not a complete report of the advisor: {type(error).__name__}: {error}"
            ) from None
        files = listed["source_files"]
        below = f"{root}/"
        return cls(
            findings=tuple(_findings(listed["issues"], sorted(set(files), key=len, reverse=True), below)),
            remarks=tuple(text.partition(": ")[2].replace(below, "") for text in listed["remarks"]),
            errors=tuple(text.partition(": ")[2].replace(below, "") for text in listed["errors"]),
            files=len(files),
        )

    def split(self, accepted: Iterable[Accepted]) -> tuple[list[Finding], list[Finding]]:
        """The findings that count, and the accepted ones."""
        entries = list(accepted)
        work: list[Finding] = []
        no_work: list[Finding] = []
        for finding in self.findings:
            (no_work if any(entry.covers(finding) for entry in entries) else work).append(finding)
        return work, no_work


def by_kind(findings: Iterable[Finding]) -> dict[str, int]:
    """The number of findings of each kind, the most frequent first."""
    counted = Counter(finding.kind for finding in findings)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _findings(issues: Sequence[str], files: Sequence[str], below: str) -> Iterator[Finding]:
    totals: dict[str, int] = {}
    listed: Counter[str] = Counter()
    for text in issues:
        if others := _OTHERS.fullmatch(text):
            totals[others[1]] = int(others[2])
            continue
        name, _, rest = text.partition(": ")
        path = next((file for file in files if _is_of(rest, file)), "")
        listed[path] += 1
        yield Finding(name.removesuffix("Issue"), path.removeprefix(below), text.replace(below, "", 1))
    for path, total in totals.items():
        plain = path.removeprefix(below)
        for _ in range(total - listed[path]):
            yield Finding(CAPPED, plain, f"{CAPPED}: {plain}: counted, and not listed by the tool")


def _is_of(rest: str, file: str) -> bool:
    """Whether the text after the class is about a file: its name, then a line, a function, or the words."""
    return rest.startswith(file) and rest[len(file) : len(file) + 2].startswith((":", " ("))


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("a list of texts is missing")
    return value


def accepted_of(items: Iterable[Mapping[str, Any]]) -> list[Accepted]:
    """The accepted findings from a build's settings."""
    return [Accepted(str(item["path"]), item.get("issue_type")) for item in items]
