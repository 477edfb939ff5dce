"""Lifecycle events of terminating instances, late on purpose -> CompleteLifecycleAction.

The queue before this function delays each event for as long as an instance needs to leave: serve what is in flight,
stop its application. So nobody waits in here, and nobody but this function completes the hook. What comes twice, or
after the instance is gone, finds no open action, and that is all right.
"""

import logging
import os
from typing import Any

from botocore.exceptions import ClientError

from shared.aws import client
from spot_asg.termination.action import LifecycleAction, is_over

logger = logging.getLogger(__name__)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Completes the hook of each event of a batch from SQS; what failed is handed back, and comes again."""
    autoscaling = client("autoscaling")
    failed = []
    for record in event["Records"]:
        try:
            complete(
                autoscaling, record["body"], group_name=os.environ["GROUP_NAME"], hook_name=os.environ["HOOK_NAME"]
            )
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
