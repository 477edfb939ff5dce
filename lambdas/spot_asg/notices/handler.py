"""EC2's notices -> target groups and metrics, for the instances of one group and nobody else's.

Whether an instance is the group's own is asked of the group; tags can be copied. Everything here may happen again:
a target leaves its target group once, however often it is told to, and a notice that was counted is remembered.

Only an interruption deregisters. After a mere recommendation the instance serves on until EC2 Auto Scaling has a
replacement that passes its health checks: who took it out before would take away capacity for a whole boot, for good
where nothing can be launched
(https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html).
"""

import logging
import os
import time
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from spot_asg.notices.notice import INTERRUPTION, METRICS, Member, Notice, member_of

KEEP_SECONDS = 7 * 86_400  # EventBridge and Lambda give an event up within days
# A target, or a whole target group, that is gone: nothing is sent there any more.
GONE = ("InvalidTarget", "TargetGroupNotFound")

logger = logging.getLogger(__name__)


class GroupNotFoundError(LookupError):
    """The Auto Scaling group is not there: nobody can say whose instance it is."""


class NotDeregisteredError(RuntimeError):
    """Some target group still sends requests to an instance that is about to go."""


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Takes one event of EventBridge, for the group that the environment names."""
    notice = Notice.of(event)
    if notice is None:
        logger.info("ignored an event that is no notice")
        return {"notice": None}
    return take(
        notice,
        client("autoscaling"),
        client("elbv2"),
        client("dynamodb"),
        client("cloudwatch"),
        group_name=os.environ["GROUP_NAME"],
        table=os.environ["NOTICES_TABLE"],
        namespace=os.environ["METRIC_NAMESPACE"],
        now=time.time(),
    )


def take(
    notice: Notice,
    autoscaling: Any,
    elbv2: Any,
    dynamodb: Any,
    cloudwatch: Any,
    *,
    group_name: str,
    table: str,
    namespace: str,
    now: float,
) -> dict[str, Any]:
    """Deregisters an interrupted instance from its group's target groups, and counts the notice once.

    Raises:
        GroupNotFoundError: there is no group of that name.
        NotDeregisteredError: a target group refused; the others, and the count, are done.
        botocore.exceptions.ClientError: another call is refused, or has failed five times.
    """
    group = find_group(autoscaling, group_name)
    member = member_of(group, notice.instance_id)
    if member is None:
        logger.info("not an instance of this group, or not any more", extra={"instance": notice.instance_id})
        return {"notice": notice.kind, "member": False}
    left, failed = [], []
    for arn in group.get("TargetGroupARNs", []) if notice.kind == INTERRUPTION else []:
        try:
            leave(elbv2, arn, notice.instance_id)
            left.append(arn)
        except ClientError as error:
            failed.append(f"{arn}: {error}")
    counted = count_once(dynamodb, cloudwatch, notice, member, group_name, table, namespace, now)
    if failed:
        raise NotDeregisteredError("; ".join(failed))
    result = {"notice": notice.kind, "member": True, "left": len(left), "counted": counted}
    logger.info("took a notice", extra={**result, "instance": member.instance_id, "type": member.instance_type})
    return result


def find_group(autoscaling: Any, name: str) -> dict[str, Any]:
    """Returns the group as DescribeAutoScalingGroups gives it."""
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[name])
    for group in (group for page in pages for group in page["AutoScalingGroups"]):
        return dict(group)
    raise GroupNotFoundError(f"there is no Auto Scaling group named {name!r}")


def leave(elbv2: Any, arn: str, instance_id: str) -> None:
    """Deregisters an instance from one target group.

    DeregisterTargets of a target that is not registered succeeds
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html).
    """
    try:
        elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance_id}])
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise


def count_once(
    dynamodb: Any,
    cloudwatch: Any,
    notice: Notice,
    member: Member,
    group_name: str,
    table: str,
    namespace: str,
    now: float,
) -> bool:
    """Publishes the notice, for its pool and for the group, unless it was before; remembers it afterwards.

    In this order a failure in between counts a notice twice at worst, and loses none.
    """
    key = {"notice": {"S": notice.key}}
    if "Item" in dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True):
        return False
    of_group = [{"Name": "AutoScalingGroupName", "Value": group_name}]
    of_pool = [
        *of_group,
        {"Name": "InstanceType", "Value": member.instance_type},
        {"Name": "AvailabilityZone", "Value": member.zone},
    ]
    datum = {"MetricName": METRICS[notice.kind], "Timestamp": notice.time, "Value": 1.0, "Unit": "Count"}
    cloudwatch.put_metric_data(
        Namespace=namespace, MetricData=[{**datum, "Dimensions": of_group}, {**datum, "Dimensions": of_pool}]
    )
    expiry = {"expires_at": {"N": str(int(now) + KEEP_SECONDS)}}
    dynamodb.put_item(TableName=table, Item=key | expiry)
    return True
