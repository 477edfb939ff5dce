"""The notification of a scan, and how long its link works. No AWS in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graviton_porting_advisor.verdict import NO_GUARANTEE, Verdict

LONGEST_SUBJECT = 100
"""https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: ASCII, less than 100 characters."""
SHOWN = 10
SKEW = timedelta(seconds=30)
"""Margin by which a link ends before its credentials."""
COMMAND = "python -m stacks graviton_porting_advisor report"


@dataclass(frozen=True)
class Link:
    """An address that opens a report without signing in, for a limited time.

    Attributes:
        minutes: whole minutes that are left, rounded down.
    """

    url: str
    until: datetime
    minutes: int


@dataclass(frozen=True)
class Scan:
    """The subject of a notification.

    Attributes:
        about: from result.json: what was scanned, and with which tool; empty without one.
        report: s3:// address of the report; empty without one.
        log: address of the build's log.
    """

    build: str
    source: str
    verdict: Verdict
    about: Mapping[str, Any]
    report: str = ""
    log: str = ""


def seconds_to_live(wanted_minutes: int, expiration: datetime, now: datetime) -> int:
    """How long a link can be promised to work: a signature ends with the credentials that made it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    left = expiration - now - SKEW
    return max(0, int(min(timedelta(minutes=wanted_minutes), left).total_seconds()))


def subject(scan: Scan) -> str:
    """The subject, one line of ASCII."""
    state = "pass" if scan.verdict.passed else "FAIL"
    plain = f"[{state}] {scan.verdict.result.value}: {scan.source}".encode("ascii", "replace").decode()
    return plain[: LONGEST_SUBJECT - 1]


def text(scan: Scan, link: Link | None) -> str:
    """The notification's text."""
    verdict = scan.verdict
    lines = [f"Porting Advisor for Graviton: {scan.source}", f"{verdict.result.value}: {verdict.says}", ""]
    if verdict.kinds:
        lines += ["Issues by kind: " + ", ".join(f"{kind} {count}" for kind, count in verdict.kinds.items()), ""]
    for title, items, count in (
        ("Findings", verdict.examples, verdict.issues),
        ("Files that the advisor could not read", verdict.errors, verdict.error_count),
        ("Remarks, which are not issues", verdict.remarks, verdict.remark_count),
    ):
        if items:
            more = f", the first {SHOWN} of {count}" if count > SHOWN else ""
            lines += [f"{title}{more}:", *(f"  {item}" for item in items[:SHOWN]), ""]
    if link:
        lines += [
            f"Report: {link.url}",
            f"Works for {link.minutes} minutes, until {link.until:%Y-%m-%d %H:%M} UTC, for everybody who has it. "
            f"After that S3 answers ExpiredToken or AccessDenied; {COMMAND} {scan.source} makes a new one.",
        ]
    if scan.report:
        lines.append(f"Object: {scan.report}")
    if scan.log:
        lines.append(f"Log: {scan.log}")
    lines.append(f"Build: {scan.build}")
    if scan.about.get("version"):
        lines.append(f"Source version: {scan.about['version']}")
    if scan.about.get("tool"):
        lines.append(f"Advisor: commit {scan.about['tool']}")
    lines += ["", NO_GUARANTEE]
    return "\n".join(lines)


def metrics(scan: Scan, *, kinds: bool) -> list[dict[str, Any]]:
    """The CloudWatch metrics: totals of a source if there is a report, and whether the scan failed."""
    source = {"Name": "Source", "Value": scan.source}
    verdict = scan.verdict
    found = [_datum("FailedScans", 0 if verdict.passed else 1)]
    if scan.report:
        for name, value in (
            ("Issues", verdict.issues),
            ("AcceptedIssues", verdict.accepted),
            ("Remarks", verdict.remark_count),
            ("Files", verdict.files),
        ):
            found.append(_datum(name, value, source))
        for kind, count in verdict.kinds.items() if kinds else ():
            found.append(_datum("IssuesOfKind", count, source, {"Name": "Kind", "Value": kind}))
    return found


def _datum(name: str, value: float, *dimensions: Mapping[str, str]) -> dict[str, Any]:
    return {"MetricName": name, "Value": float(value), "Unit": "Count", "Dimensions": [dict(one) for one in dimensions]}
