"""CloudFormation -> S3, CloudWatch: a deployment stores its file; the stack's deletion removes what was written.

The file of the deployment replaces the stored one only if it has changed since the last deployment: a deployment for
other reasons keeps what people have uploaded meanwhile.
"""

import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from shared.custom_resource import RefusedError, answer
from shared.metric_data import MetricDataError
from spot_placement_tracker.dashboards.following import NotWrittenError, follow, unfollow
from spot_placement_tracker.dashboards.layout import Frame
from spot_placement_tracker.store import FILE, PLAN, Store

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, act)


def act(request: Mapping[str, Any]) -> str:
    """Does what is asked for, and returns the bucket's name, the physical id.

    Raises:
        RefusedError: at the first deployment the file has a problem, a dashboard of its names is somebody else's, or
            CloudWatch refuses a dashboard or the history of a series. Later deployments go on and leave it to the
            alarms of the next report: the file may be one that somebody has uploaded, so that the rollback would be
            refused as well, and the stack would be stuck in UPDATE_ROLLBACK_FAILED.
    """
    properties = request["ResourceProperties"]
    bucket: str = properties["Bucket"]
    store = Store(client("s3"), bucket)
    if request["RequestType"] == "Delete":
        # Whatever the id: a creation that was refused is deleted under another one, and has written all the same.
        try:
            _take_away(store, keep=properties["KeepData"] == "true")
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
        return bucket
    source = properties["SourceBucket"], properties["SourceKey"]
    before = request.get("OldResourceProperties", {})
    if source != (before.get("SourceBucket"), before.get("SourceKey")):
        store.put_file(client("s3").get_object(Bucket=source[0], Key=source[1])["Body"].read())
    frame = Frame(
        namespace=properties["MetricNamespace"],
        region=os.environ["AWS_REGION"],
        stack=properties["Tracker"],
        address=store.address,
        days=int(properties["ReportDays"]),
        every_minutes=int(properties["EveryMinutes"]),
    )
    take_over = properties["TakeOver"] == "true"
    try:
        found = follow(store, client("cloudwatch"), frame, take_over=take_over, now=datetime.now(UTC))
    except (NotWrittenError, MetricDataError) as error:
        logger.exception("the dashboards do not follow the file")
        if request["RequestType"] == "Create":
            raise RefusedError(f"the dashboards cannot be written: {error}") from error
        return bucket
    for problem in found.problems:
        logger.error("the stored file has a problem", extra={"problem": problem})
    if found.problems and request["RequestType"] == "Create":
        raise RefusedError(f"{store.address}:{'; '.join(found.problems)}")
    return bucket


def _take_away(store: Store, *, keep: bool) -> None:
    gone = unfollow(store, client("cloudwatch"))
    logger.info("deleted", extra={"dashboards": list(gone)})
    if keep:
        return
    s3 = client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=store.bucket):
        versions = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if each["Key"] in (FILE, PLAN)  # what else is there, somebody has put there, and keeps the bucket
        ]
        if versions:
            errors = s3.delete_objects(Bucket=store.bucket, Delete={"Objects": versions, "Quiet": True}).get("Errors")
            if errors:
                raise ValueError(f"{len(errors)} objects of {store.bucket} were not deleted: {errors[0]['Code']}")
