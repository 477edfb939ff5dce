"""Lifecycle events of terminating instances, late on purpose -> CompleteLifecycleAction; their ends -> a metric.

The queue before this function delays each event for as long as an instance needs to leave: serve what is in flight,
stop its application. So nobody waits in here, and nobody but this function completes the hook. What comes twice, or
after the instance is gone, finds no open action, and that is all right.

Ends are counted where an instance lived shortly: one whose bootstrap fails is replaced within minutes, in between it
counts as in service, and no number of instances would ever show it. An event that comes twice counts twice.
"""

import logging
import os
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from spot_asg.termination.action import SHORT_LIVED, Ending, LifecycleAction, is_over

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Completes the hook of each event of a batch from SQS; what failed is handed back, and comes again."""
    group_name = os.environ["GROUP_NAME"]
    failed = []
    for record in event["Records"]:
        try:
            if ending := Ending.of(record["body"]):
                namespace = os.environ["METRIC_NAMESPACE"]
                count_short_lived(client("ec2"), client("cloudwatch"), ending, group_name, namespace)
            else:
                hook_name = os.environ["HOOK_NAME"]
                complete(client("autoscaling"), record["body"], group_name=group_name, hook_name=hook_name)
        except (ClientError, KeyError, TypeError, ValueError) as error:
            logger.exception("not completed", extra={"error": str(error)})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def complete(autoscaling: Any, body: str, *, group_name: str, hook_name: str) -> bool:
    """Completes the action of one event; False where there is none to complete, or not any more.

    Raises:
        KeyError, TypeError, ValueError: the body is no event.
        botocore.exceptions.ClientError: the call is refused, or has failed five times.
    """
    action = LifecycleAction.of(body)
    if action is None or (action.group, action.hook) != (group_name, hook_name):
        logger.info("ignored an event that is not of this group's hook")
        return False
    try:
        autoscaling.complete_lifecycle_action(
            AutoScalingGroupName=action.group,
            LifecycleHookName=action.hook,
            InstanceId=action.instance_id,
            LifecycleActionToken=action.token,
            LifecycleActionResult="CONTINUE",
        )
    except ClientError as error:
        if not is_over(error.response["Error"]["Code"], error.response["Error"].get("Message", "")):
            raise
        logger.info("was over already", extra={"instance": action.instance_id})
        return False
    logger.info("completed", extra={"instance": action.instance_id})
    return True


def count_short_lived(ec2: Any, cloudwatch: Any, ending: Ending, group_name: str, namespace: str) -> bool:
    """Publishes the end of an instance of the group that lived shortly; False for any other.

    Raises:
        botocore.exceptions.ClientError: a call is refused, or has failed five times.
    """
    if ending.group != group_name:
        return False
    try:
        pages = ec2.get_paginator("describe_instances").paginate(InstanceIds=[ending.instance_id])
        found = [reservation for page in pages for reservation in page["Reservations"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidInstanceID.NotFound":
            raise
        found = []  # an ended instance is to be seen for about an hour
    launched = [instance["LaunchTime"] for reservation in found for instance in reservation["Instances"]]
    if not launched or not ending.is_early(launched[0]):
        return False
    datum = {"MetricName": SHORT_LIVED, "Timestamp": ending.time, "Value": 1.0, "Unit": "Count"}
    dimensions = [{"Name": "AutoScalingGroupName", "Value": group_name}]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{**datum, "Dimensions": dimensions}])
    logger.info("lived shortly", extra={"instance": ending.instance_id})
    return True
