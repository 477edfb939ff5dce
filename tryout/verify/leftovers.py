"""What a deleted stack has left in the account."""

import re
import time
from collections.abc import Set

from botocore.exceptions import BotoCoreError, ClientError

from tryout.verify.account import Account
from tryout.verify.plan import TAG
from tryout.waits import Pace

LISTED_SECONDS = 300
"""How long the tagging API may go on listing what is gone."""


def left_behind(account: Account, stack_id: str, run: str, pace: Pace) -> list[str]:
    """What the deletion has skipped, and what still carries the tag of the verification and is not known to be gone.

    Args:
        stack_id: of the deleted stack, by which CloudFormation tells of it for 90 days.
        run: the tag's value.
    """
    pages = account.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    events = [event for page in pages for event in page["StackEvents"] if event.get("PhysicalResourceId")]
    skipped = [event for event in events if event["ResourceStatus"] == "DELETE_SKIPPED"]
    deleted = {_last(each["PhysicalResourceId"]) for each in events if each["ResourceStatus"] == "DELETE_COMPLETE"}
    deadline = time.monotonic() + min(LISTED_SECONDS, pace.least)
    try:
        while (tagged := _tagged(account, run, deleted)) and time.monotonic() < deadline:
            time.sleep(pace.last)
    except (ClientError, BotoCoreError) as error:
        tagged = [f"unknown: what carries the tag {TAG}={run} could not be listed: {error}"]
    return sorted({*(f"{item['ResourceType']} {item['PhysicalResourceId']}" for item in skipped), *tagged})


def _last(name: str) -> str:
    """The end of an ARN, of an address or of a path: what a resource is called."""
    return re.split("[/:]", name)[-1]


def _tagged(account: Account, run: str, deleted: Set[str]) -> list[str]:
    """What carries the tag, less what the stack has deleted and instances that have ended: both are listed for a while.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    tagging = account.client("resourcegroupstaggingapi").get_paginator("get_resources")
    pages = tagging.paginate(TagFilters=[{"Key": TAG, "Values": [run]}])
    found = [item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]]
    there = [arn for arn in found if _last(arn) not in deleted]
    instances = [arn.rpartition("/")[2] for arn in there if ":instance/" in arn]
    if not instances:
        return there
    wanted = [{"Name": "instance-id", "Values": instances}]
    known = account.client("ec2").get_paginator("describe_instances").paginate(Filters=wanted)
    states = {
        each["InstanceId"]: each["State"]["Name"]
        for page in known
        for reservation in page["Reservations"]
        for each in reservation["Instances"]
    }
    ended = {name for name in instances if states.get(name, "terminated") == "terminated"}
    return [arn for arn in there if arn.rpartition("/")[2] not in ended]
