"""``python publish.py [--tell]`` uploads what a scan has left so far; with ``--tell``, the build's last step, says so.

Doing it again does no harm. A build that ended in the middle has no result.json: the last step then writes one.
"""

import os
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from graviton_porting_advisor.names import FILES, prefix_of
from graviton_porting_advisor.verdict import Result, failed
from verdict import out, write


def upload(s3: Any, folder: Path, prefix: str) -> list[str]:
    """Puts the files of a scan below its prefix, the result last; returns the keys."""
    keys = []
    for name, kind in FILES.items():
        path = folder / name
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
    folder, tell = out(), "--tell" in options
    folder.mkdir(parents=True, exist_ok=True)
    if tell and not (folder / "result.json").is_file():
        write(failed(Result.CRASHED, "the script of the build has ended in the middle; its log says more"))
    prefix = prefix_of(os.environ["SLUG"], os.environ["CODEBUILD_BUILD_ID"])
    for key in upload(boto3.client("s3", config=config), folder, prefix):
        print(f"uploaded {key}")
    if tell:
        message = (folder / "result.json").read_text(encoding="utf-8")
        boto3.client("sqs", config=config).send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=message)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
