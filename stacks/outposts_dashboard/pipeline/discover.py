"""Build step of the pipeline: ``python discover.py WANTED FILE`` writes what there is in the account to a file."""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from outposts_dashboard.discovery import discover
from outposts_dashboard.wanted import Wanted


@cache
def client(service: str) -> Any:
    """A client with ten attempts: a build has the time."""
    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 10}))


def main(text: str, path: str) -> int:
    """Writes the discovery, and the settings by which it was made.

    Returns:
        0, also when a section could not be read: the dashboard says so.
    """
    caller = client("sts").get_caller_identity()
    found = discover(
        client,
        Wanted.read(text),
        region=client("sts").meta.region_name,
        account=caller["Account"],
        faults=(ClientError, BotoCoreError),
    )
    document = {**found, "wanted": json.loads(text)}
    Path(path).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for section, reason in found["failures"].items():
        print(f"{section} could not be read: {reason}", file=sys.stderr)
    print(f"{path}: {sum(len(items) for items in found['sections'].values())} resources")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
