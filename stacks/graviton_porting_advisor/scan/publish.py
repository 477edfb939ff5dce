"""``python publish.py [--tell]`` uploads a scan's files so far; with ``--tell``, at the end, it also sends a message.

It can be repeated. A build that was cut short has no result.json; the last step then writes one.
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
    """Uploads the files of a scan under its prefix, the result last; returns the keys."""
    keys = []
    for name, kind in FILES.items():
        path = left / name
        if path.is_file() and path.stat().st_size:
            key = f"{prefix}{name}"
            s3.put_object(Bucket=os.environ["BUCKET"], Key=key, Body=path.read_bytes(), ContentType=kind)
            keys.append(key)
    return keys


def main(*options: str) -> int:
    """Uploads the files, and sends the message.

    Returns:
        0; a failed upload ends the phase with a traceback.
    """
    config = Config(retries={"mode": "standard", "total_max_attempts": 5})
    left, tell = folder(), "--tell" in options
    left.mkdir(parents=True, exist_ok=True)
    if tell and not (left / "result.json").is_file():
        write(failed(Result.CRASHED, "the build's script was cut short; its log says more"))
    prefix = prefix_of(os.environ["SLUG"], os.environ["CODEBUILD_BUILD_ID"])
    for key in upload(boto3.client("s3", config=config), left, prefix):
        print(f"uploaded {key}")
    if tell:
        message = json.dumps({"build": os.environ["CODEBUILD_BUILD_ID"]})  # Report looks up the rest
        boto3.client("sqs", config=config).send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=message)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
