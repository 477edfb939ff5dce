"""The names under which the parts of this solution find each other's things. No AWS in here."""

FILES = {
    "report.json": "application/json",
    "report.html": "text/html; charset=utf-8",
    "scan.log": "text/plain; charset=utf-8",
    "result.json": "application/json",
}
"""What a scan uploads, with its type; the result comes last."""
REPORTS = "reports/"


def prefix_of(slug: str, build: str) -> str:
    """Where the reports of a build are: below the source's slug, by the unique part of the build's id.

    Args:
        build: its id, or ARN, which ends with it.
    """
    return f"{REPORTS}{slug}/{build.rpartition(':')[2]}/"


WATCH_SECONDS = 900
"""Until a build is looked at that nothing was heard of: the most by which SQS delays a message."""
