"""The verdict of a build: ``judged`` from its report, ``failed RESULT WORDS`` without one.

Both write result.json beside the reports, and exit with the verdict's status. An empty or incomplete report counts as
a crash of the advisor, whatever its exit status: ``whole FILE`` checks it. ``canary FILE`` checks a report on our JAR.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from graviton_porting_advisor.findings import Report, UnusableReportError, accepted_of
from graviton_porting_advisor.outcome import folder, write
from graviton_porting_advisor.verdict import Census, Result, Verdict, failed, judge

ROOT = "source"
"""The folder that scan.sh gives to the advisor."""


def judged() -> Verdict:
    """Judges the advisor's complete report."""
    wanted: dict[str, Any] = json.loads(os.environ["SCAN"])
    report = Report.read((folder() / "report.json").read_text(encoding="utf-8"), ROOT)
    if (asked := os.environ.get("ISSUE_TYPES")) and "unknown issue type" in _log():
        return failed(Result.CRASHED, f"this version of the advisor does not know all of {asked}")
    census = Census(**json.loads((folder() / "census.json").read_text(encoding="utf-8")))
    return judge(
        report,
        census,
        max_issues=wanted["max_issues"],
        accepted=accepted_of(wanted["accepted"]),
        warn_only=wanted["warn_only"],
        scan_jars=os.environ["SCAN_JARS"] == "true",
    )


def canary(path: str) -> int:
    """0 if the JAR scanner has found the native method in our JAR."""
    found = Report.read(Path(path).read_text(encoding="utf-8"), "canary")
    return 0 if [finding.kind for finding in found.findings] == ["NativeMethods"] else 1


def whole(path: str) -> int:
    """0 if a report is complete."""
    try:
        Report.read(Path(path).read_text(encoding="utf-8"), ROOT)
    except (OSError, UnusableReportError, UnicodeDecodeError) as error:
        print(error)
        return 1
    return 0


def _log() -> str:
    return (folder() / "scan.log").read_text(encoding="utf-8", errors="replace")


def main(kind: str, *words: str) -> int:
    """Runs the command in the first argument."""
    if kind in ("canary", "whole"):
        return {"canary": canary, "whole": whole}[kind](*words)
    return write(judged() if kind == "judged" else failed(Result(words[0]), words[1]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
