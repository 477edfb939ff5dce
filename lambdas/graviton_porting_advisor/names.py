"""Names that the parts of this solution share. No AWS in here."""

FILES = {
    "report.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    "scan.log": "text/plain; charset=utf-8",
    "result.json": "application/json",
}
"""The files that a scan uploads, with their types; the result comes last."""
REPORTS = "reports/"


def prefix_of(slug: str, build: str) -> str:
    """Prefix of a build's reports: the source's slug, then the unique part of the build's id.

    Args:
        build: its id, or its ARN, which ends with the id.
    """
    return f"{REPORTS}{slug}/{build.rpartition(':')[2]}/"


WATCH_SECONDS = 900
"""Seconds until a build without news is checked: the longest delay of an SQS message."""
