"""Tagged buckets, of the Region and on Outposts."""

import logging
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from outposts_dashboard.sections.tagged import tagged
from outposts_dashboard.wanted import Wanted
from shared.faults import REFUSED

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/S3OutpostsARNs.html; names may have dots in them.
_ON_OUTPOST = re.compile(r"arn:[\w-]+:s3-outposts:[^:]*:[^:]*:outpost/(op-\w+)/bucket/([^/]+)")
_IN_REGION = re.compile(r"arn:[\w-]+:s3:::([^/]+)")

Clients = Callable[[str], Any]

logger = logging.getLogger(__name__)


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """Each bucket with its Outpost, "" for none, sorted by name. Both are in its ARN: nothing else is asked."""
    client = clients("resourcegroupstaggingapi")
    arns = tagged(client, wanted, "s3") | _on_outposts(client, wanted)
    found = []
    for arn, value in arns.items():
        if there := _ON_OUTPOST.fullmatch(arn):
            found.append({"id": there[2], "outpost": there[1], "tag": value})
        elif here := _IN_REGION.fullmatch(arn):
            found.append({"id": here[1], "outpost": "", "tag": value})
    return sorted(found, key=lambda one: (one["outpost"], one["id"]))


def _on_outposts(client: Any, wanted: Wanted) -> dict[str, str]:
    """Buckets on Outposts; none where the tagging API does not know the service, as in some partitions.

    The API refuses a whole call for one service that it does not know, so they have a call of their own:
    https://github.com/prometheus-community/yet-another-cloudwatch-exporter/issues/1150
    """
    try:
        return tagged(client, wanted, "s3-outposts")
    except REFUSED as error:
        if error.response["Error"]["Code"] != "InvalidParameterException":
            raise
        _unknown_here(str(error))
        return {}


@cache
def _unknown_here(reason: str) -> None:
    """Logs once for the life of the execution environment: it stays so."""
    logger.warning("buckets on Outposts are not shown", extra={"reason": reason})
