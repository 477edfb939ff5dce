"""EC2 events and a schedule -> EC2: gives the instance profile to tagged instances that have none.

The event only says where to look; what is attached depends on how the instance is now. EC2 refuses a second profile,
and the role has neither the right to replace one nor, by a condition, to attach to an instance that has one.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gpu_monitoring.attach.request import instances_of
from shared.aws import client

logger = logging.getLogger(__name__)

# It has one by now, has ended, or is about to: nothing is left to do.
OVER = {"IncorrectState", "IncorrectInstanceState", "InvalidInstanceID.NotFound"}


class NotAttachedError(RuntimeError):
    """Some instances did not get the profile; the others did."""


def lambda_handler(event: Any, context: Any) -> dict[str, list[str]]:
    """Looks at the instances that the event names, or at all."""
    return attach(
        client("ec2"),
        profile_arn=os.environ["PROFILE_ARN"],
        tag=(os.environ["OPT_IN_KEY"], os.environ["OPT_IN_VALUE"]),
        ids=instances_of(event),
    )


def attach(ec2: Any, *, profile_arn: str, tag: tuple[str, str], ids: Sequence[str] | None) -> dict[str, list[str]]:
    """Attaches the profile to each instance with the tag and without a profile; returns ids by what was done.

    Raises:
        NotAttachedError: naming the instances that EC2 refused, and why. The schedule tries them again.
        botocore.exceptions.ClientError: when the instances cannot be listed.
    """
    done: dict[str, list[str]] = {"attached": [], "over": []}
    failed: dict[str, str] = {}
    for instance_id in without_profile(ec2, tag, ids):
        try:
            ec2.associate_iam_instance_profile(InstanceId=instance_id, IamInstanceProfile={"Arn": profile_arn})
            done["attached"].append(instance_id)
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            if code in OVER:
                done["over"].append(instance_id)
            else:
                failed[instance_id] = code
        except BotoCoreError as fault:
            failed[instance_id] = str(fault)
    logger.info("looked", extra={**done, "failed": failed})
    if failed:
        raise NotAttachedError(f"no profile for {failed}")
    return done


def without_profile(ec2: Any, tag: tuple[str, str], ids: Sequence[str] | None) -> Iterator[str]:
    """Yields the instances that can get a profile: tagged, running or stopped, and without one."""
    filters = [
        {"Name": f"tag:{tag[0]}", "Values": [tag[1]]},
        # EC2 attaches in these two states only.
        {"Name": "instance-state-name", "Values": ["running", "stopped"]},
    ]
    if ids is not None:
        # As a filter: one id that is gone would fail the whole call otherwise.
        filters.append({"Name": "instance-id", "Values": list(ids)})
    for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                if not instance.get("IamInstanceProfile"):
                    yield instance["InstanceId"]
