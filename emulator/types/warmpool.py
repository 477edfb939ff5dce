"""AWS::AutoScaling::WarmPool."""

from emulator.calls import call
from emulator.types.resource import Properties, ResourceType


def _put(properties: Properties) -> str:
    call("autoscaling", "PutWarmPool", properties)
    return str(properties["AutoScalingGroupName"])


TYPES = {
    "AWS::AutoScaling::WarmPool": ResourceType(
        create=_put,
        update=lambda _, _old, new: _put(new),
        replaced_by=frozenset({"AutoScalingGroupName"}),
        delete=lambda name, _: call("autoscaling", "DeleteWarmPool", AutoScalingGroupName=name, ForceDelete=True),
    ),
}
