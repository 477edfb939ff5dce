"""``python publish.py [--tell]`` uploads what a scan has left so far; with ``--tell``, the build's last step, says so.

Doing it again does no harm. A build that ended in the middle has no result.json: the last step then writes one.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from graviton_porting_advisor.names import FILES, prefix_of
from graviton_porting_advisor.outcome import folder, write
from graviton_porting_advisor.verdict import Result, failed


def upload(s3: Any, left: Path, prefix: str) -> list[str]:
    """Puts the files of a scan below its prefix, the result last; returns the keys."""
    keys = []
    for name, kind in FILES.items():
        path = left / name
        if path.is_file() and path.stat().st_size:
            key = f"{prefix}{name}"
            s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=path.read_bytes(), ContentType=kind)
            keys.append(key)
    return keys


def main(*options: str) -> int:
    """Uploads, and tells.

    Returns:
        0; what cannot be uploaded fails the phase with a traceback.
    """
    config = Config(retries={"mode": "standard", "total_max_attempts": 5})
    left, tell = folder(), "--tell" in options
    left.mkdir(parents=True, exist_ok=True)
    if tell and not (left / "result.json").is_file():
        write(failed(Result.CRASHED, "the script of the build has ended in the middle; its log says more"))
    prefix = prefix_of(os.environ["SLUG"], os.environ["CODEBUILD_BUILD_ID"])
    for key in upload(boto3.client("s3", config=config), left, prefix):
        print(f"uploaded {key}")
    if tell:
        message = json.dumps({"build": os.environ["CODEBUILD_BUILD_ID"]})  # the rest is looked up, not believed
        boto3.client("sqs", config=config).send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=message)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
