"""A changed file, or every few hours: S3 -> CloudWatch. The dashboards follow the file without a deployment.

The event says only that there is something to look at: the function reads the file as it is now, so that events which
come twice, late or in the wrong order do no harm.
"""

import logging
import os
from datetime import UTC, datetime
from typing import Any

from shared.aws import client
from spot_placement_tracker.dashboards.following import follow
from spot_placement_tracker.dashboards.layout import Frame
from spot_placement_tracker.store import Store

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Follows the file of the bucket that the environment names.

    Raises:
        botocore.exceptions.ClientError: a call is refused, or has failed five times; Lambda tries twice more, and the
            next report does it all again.
    """
    store = Store(client("s3"), os.environ["BUCKET"])
    frame = Frame(
        namespace=os.environ["METRIC_NAMESPACE"],
        region=os.environ["AWS_REGION"],
        stack=os.environ["TRACKER"],
        address=store.address,
        days=int(os.environ["REPORT_DAYS"]),
        every_minutes=int(os.environ["EVERY_MINUTES"]),
    )
    take_over = os.environ["TAKE_OVER"] == "true"
    found = follow(store, client("cloudwatch"), frame, take_over=take_over, now=datetime.now(UTC))
    for problem in found.problems:
        logger.error("the stored file has a problem", extra={"problem": problem})
    for warning in found.warnings:
        logger.warning("in the stored file", extra={"warning": warning})
    logger.info("followed", extra={"written": list(found.written), "deleted": list(found.deleted)})
    return found.to_json()
