"""CloudFormation -> EC2 Auto Scaling: takes scale-in protection away before a group is deleted, or replaces instances.

CloudFormation deletes a group by scaling it to zero, without force, and waits for ever for instances that are protected
(https://github.com/aws/aws-cdk/issues/18179). This resource is deleted before the group. It also goes when
``scale_in_protection`` is switched off: instances that run lose their protection then.

Before a rolling update another resource takes it from the instances that are there, and only from them: CloudFormation
cannot replace what is protected (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/692).
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from custom_health_checks.unprotect.plan import batches, protected
from shared.aws import client
from shared.custom_resource import answer

logger = logging.getLogger(__name__)

ROUNDS, ROUND_SECONDS = 12, 5.0
"""A minute for instances that are between two states; the function has two."""


class StillLaunchingError(ValueError):
    """Protected instances are neither in service nor held by the hook; deleting the stack again is worth a try."""


def lambda_handler(event: Any, context: Any) -> str:
    """Answers one request of CloudFormation."""
    return answer(event, end_protection)


def end_protection(request: Mapping[str, Any]) -> str:
    """Returns the physical id, which never changes; a deletion ends the protection of the group's instances first.

    For the resource before an update: any change of it ends the protection of those that are there.

    Raises:
        StillLaunchingError: when protected instances go on being launched.
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    properties = request["ResourceProperties"]
    if "GroupLogicalId" in properties:
        if request["RequestType"] != "Delete":
            let_go(client("autoscaling"), str(request["StackId"]), str(properties["GroupLogicalId"]))
    elif request["RequestType"] == "Delete":
        unprotect(client("autoscaling"), str(properties["GroupName"]), os.environ["HOOK_NAME"])
    return str(request.get("PhysicalResourceId") or request["LogicalResourceId"])


def unprotect(
    autoscaling: Any, group_name: str, hook_name: str, *, pause: Callable[[float], None] = time.sleep
) -> None:
    """Ends the protection of every instance of the group, and of those to come. Done again, it changes nothing.

    Raises:
        StillLaunchingError: when protected instances go on being launched.
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    if instances_of(autoscaling, group_name) is None:
        return  # it is gone already
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=group_name, NewInstancesProtectedFromScaleIn=False)
    for _ in range(ROUNDS):
        found = protected(instances_of(autoscaling, group_name) or [])
        for ids in batches(found.settled):
            autoscaling.set_instance_protection(
                AutoScalingGroupName=group_name, InstanceIds=ids, ProtectedFromScaleIn=False
            )
        for instance_id in found.waiting:
            give_up(autoscaling, group_name, hook_name, instance_id)
        facts = {"settled": found.settled, "given_up": found.waiting, "launching": found.launching}
        logger.info("protection taken away", extra={"group": group_name, **facts})
        if not found.launching:
            return
        pause(ROUND_SECONDS)
    raise StillLaunchingError(f"still launching, and protected: {', '.join(found.launching)}")


def let_go(autoscaling: Any, stack_id: str, logical_id: str) -> None:
    """Ends the protection of the instances that are in service now; those to come are protected. No group: nothing.

    By the tags that CloudFormation gives a group, because the group is made after this and its name is generated.

    Raises:
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    tags = {"stack-id": stack_id, "logical-id": logical_id}
    filters = [{"Name": f"tag:aws:cloudformation:{name}", "Values": [value]} for name, value in tags.items()]
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(Filters=filters)
    for group in [group for page in pages for group in page["AutoScalingGroups"]]:
        name, settled = group["AutoScalingGroupName"], protected(group["Instances"]).settled
        for ids in batches(settled):
            autoscaling.set_instance_protection(AutoScalingGroupName=name, InstanceIds=ids, ProtectedFromScaleIn=False)
        logger.info("protection taken away before an update", extra={"group": name, "settled": settled})


def instances_of(autoscaling: Any, group_name: str) -> list[dict[str, Any]] | None:
    """Returns the instances of a group, None if there is no such group."""
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[group_name])
    groups = [group for page in pages for group in page["AutoScalingGroups"]]
    return [instance for group in groups for instance in group["Instances"]] if groups else None


def give_up(autoscaling: Any, group_name: str, hook_name: str, instance_id: str) -> None:
    """Abandons the launch of an instance that waits."""
    try:
        autoscaling.complete_lifecycle_action(
            AutoScalingGroupName=group_name,
            LifecycleHookName=hook_name,
            InstanceId=instance_id,
            LifecycleActionResult="ABANDON",
        )
    except ClientError as refused:
        # It does not wait any more; in service it is no longer protected by the group's setting.
        if "No active Lifecycle Action" not in refused.response["Error"].get("Message", ""):
            raise
