"""Tagged buckets, of the Region and on Outposts."""

import re
from collections.abc import Callable
from typing import Any

from outposts_dashboard.sections.tagged import tagged
from outposts_dashboard.wanted import Wanted

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/S3OutpostsARNs.html; names may have dots in them.
_ON_OUTPOST = re.compile(r"arn:[\w-]+:s3-outposts:[^:]*:[^:]*:outpost/(op-\w+)/bucket/([^/]+)")
_IN_REGION = re.compile(r"arn:[\w-]+:s3:::([^/]+)")

Clients = Callable[[str], Any]


def discover(clients: Clients, wanted: Wanted) -> list[dict[str, Any]]:
    """Each bucket with its Outpost, "" for none, sorted by name. Both are in its ARN: nothing else is asked."""
    arns = tagged(clients("resourcegroupstaggingapi"), wanted, "s3", "s3-outposts")
    found = []
    for arn, value in arns.items():
        if there := _ON_OUTPOST.fullmatch(arn):
            found.append({"id": there[2], "outpost": there[1], "tag": value})
        elif here := _IN_REGION.fullmatch(arn):
            found.append({"id": here[1], "outpost": "", "tag": value})
    return sorted(found, key=lambda one: (one["outpost"], one["id"]))
