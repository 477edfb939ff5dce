"""``make evidence``: takes what the last ``make try`` found into docs/evidence.json, with its commit and date."""

import json
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from stacks.series import SOLUTIONS
from tryout.paths import REPORT, REPOSITORY

EVIDENCE = REPOSITORY / "docs" / "evidence.json"
_OF = ("aws-cdk-lib", "boto3", "ministack", "moto")


class UnusableReportError(Exception):
    """The report proves nothing of a commit; the message says why and what to do."""


def main() -> int:
    """Merges the report into the file: the variants that it has take the place of what was there."""
    try:
        report = _report()
    except UnusableReportError as error:
        print(f"evidence: {error}", file=sys.stderr)
        return 1
    known = json.loads(EVIDENCE.read_text(encoding="utf-8")) if EVIDENCE.exists() else {}
    tried_on = {
        "commit": report["commit"],
        "date": datetime.fromtimestamp(REPORT.stat().st_mtime, UTC).date().isoformat(),
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in _OF}},
    }
    text = json.dumps(merged(known, report, tried_on), indent=1) + "\n"
    EVIDENCE.write_text(text, encoding="utf-8")
    print(f"wrote {EVIDENCE.relative_to(REPOSITORY)}: {len(report['solutions'])} variants at {report['commit'][:12]}")
    return 0


def merged(known: Mapping[str, Any], report: Mapping[str, Any], tried_on: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence by solution and variant, in the order of the catalogue."""
    found: dict[str, Any] = {slug: dict(variants) for slug, variants in known.items()}
    for one in report["solutions"]:
        steps = [{"step": each["step"], "evidence": each["evidence"]} for each in one["scenario"] if each["ok"]]
        found.setdefault(one["slug"], {})[one["variant"]] = {
            **tried_on,
            "resources": one["resources"],
            "diff_empty": one["diff_empty"],
            "destroyed_clean": one["destroyed_clean"],
            "steps": steps,
            "not_run": one["steps_not_run"],
        }
    return {solution.slug: found[solution.slug] for solution in SOLUTIONS if solution.slug in found}


def _report() -> dict[str, Any]:
    if not REPORT.exists():
        raise UnusableReportError("there is no report; run make try first")
    report: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))
    if not report.get("as_shipped"):
        raise UnusableReportError("the report is of a run with BREAK= or CONFIG=; run make try without them")
    if not report["commit"]:
        raise UnusableReportError("the sources were not those of a commit; commit, then run make try again")
    if not report["ok"]:
        raise UnusableReportError("something has failed in the last make try; fix it first")
    return report


if __name__ == "__main__":
    sys.exit(main())
