"""Instances that move when their group may no longer use their zone (our model).

Follows "Rebalancing activities" of https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html:
when the zones of a group change, new instances are launched before the old ones are terminated. A zone that comes back
gets the next instances; on AWS some may move back to it, here none does.
"""

from typing import Any

from emulator import scaling, seams


def leave_removed_zones(group: Any) -> None:
    """Replaces the instances whose subnet the group may no longer use: new ones first, then the old ones go."""
    usable = (group.vpc_zone_identifier or "").split(",")
    if usable == [""]:
        return
    stranded = [
        member
        for member in group.instance_states
        if member.instance.subnet_id not in usable and not member.lifecycle_state.startswith("Terminating")
    ]
    if not stranded:
        return
    scaling.launch(group, len(stranded))
    for member in stranded:
        scaling.retire(group, member)


def install() -> None:
    """Listens to UpdateAutoScalingGroup."""
    seams.after_group_update(leave_removed_zones)
