"""CloudFormation -> S3: empties a bucket before CloudFormation deletes it, which it can only when empty.

Whoever writes into it must be gone by then; the stack sees to that. Emptying what is empty, or gone, does no harm.
"""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

MOST_PAGES = 250
"""Of a thousand objects each, which fit into the function's fifteen minutes; the next deletion goes on from there."""


class NotEmptyError(ValueError):
    """Some objects are left; the message is meant for whoever destroys the stack."""


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, empty_when_deleted)


def empty_when_deleted(request: Mapping[str, Any]) -> str:
    """Returns the bucket's name, the physical id; a deletion empties the bucket first.

    Raises:
        NotEmptyError: objects are left.
    """
    bucket: str = request["ResourceProperties"]["BucketName"]
    # A creation that failed before it had a name is deleted under another id, and there is nothing of ours to empty.
    if request["RequestType"] == "Delete" and request["PhysicalResourceId"] == bucket:
        _empty(bucket)
    return bucket


def _empty(bucket: str) -> None:
    s3 = client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    deleted = 0
    try:
        for number, page in enumerate(pages):
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if number >= MOST_PAGES and keys:
                raise NotEmptyError(f"{deleted} objects of {bucket} were deleted and more are left: delete it again")
            if keys:
                errors = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True}).get("Errors", [])
                if errors:
                    raise NotEmptyError(f"{len(errors)} objects of {bucket} were not deleted: {errors[0]['Code']}")
                deleted += len(keys)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
    logger.info("emptied", extra={"bucket": bucket, "objects": deleted})
