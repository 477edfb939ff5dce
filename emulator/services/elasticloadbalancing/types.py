"""AWS::ElasticLoadBalancingV2 types of a load balancer in front of an Auto Scaling group.

moto has them, because its groups register their instances there. No request is balanced, and targets are healthy
while their instance runs.
"""

from typing import Any

from emulator.core.api import call
from emulator.core.resource import Properties, ResourceType

LONGEST_NAME = 32


def _named(properties: Properties) -> Properties:
    """With a name that fits; the end of a generated one tells it from others."""
    return {**properties, "Name": str(properties["Name"])[-LONGEST_NAME:].lstrip("-")}


def _attributes(properties: Properties, name: str) -> list[dict[str, Any]]:
    return list(properties.get(name) or [])


def _create_balancer(properties: Properties) -> str:
    known = {key: value for key, value in _named(properties).items() if key != "LoadBalancerAttributes"}
    made = call("elbv2", "CreateLoadBalancer", known)["LoadBalancers"][0]["LoadBalancerArn"]
    _update_balancer(made, {}, properties)
    return str(made)


def _update_balancer(arn: str, _old: Properties, new: Properties) -> None:
    if attributes := _attributes(new, "LoadBalancerAttributes"):
        call("elbv2", "ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=attributes)


def _balancer_attributes(arn: str, _properties: Properties) -> dict[str, Any]:
    found = call("elbv2", "DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"][0]
    return {
        "LoadBalancerArn": arn,
        "DNSName": found["DNSName"],
        "LoadBalancerName": found["LoadBalancerName"],
        "LoadBalancerFullName": arn.split(":loadbalancer/")[-1],
        "CanonicalHostedZoneID": found["CanonicalHostedZoneId"],
    }


def _create_target_group(properties: Properties) -> str:
    known = {key: value for key, value in _named(properties).items() if key not in ("TargetGroupAttributes", "Targets")}
    arn = call("elbv2", "CreateTargetGroup", known)["TargetGroups"][0]["TargetGroupArn"]
    _update_target_group(arn, {}, properties)
    return str(arn)


def _update_target_group(arn: str, _old: Properties, new: Properties) -> None:
    if attributes := _attributes(new, "TargetGroupAttributes"):
        call("elbv2", "ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=attributes)


TYPES = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ResourceType(
        create=_create_balancer,
        update=_update_balancer,
        replaced_by=frozenset({"Name", "Scheme", "Type"}),
        delete=lambda arn, _: call("elbv2", "DeleteLoadBalancer", LoadBalancerArn=arn),
        attributes=_balancer_attributes,
        name="Name",
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ResourceType(
        create=_create_target_group,
        update=_update_target_group,
        replaced_by=frozenset({"Name", "Port", "Protocol", "TargetType", "VpcId"}),
        delete=lambda arn, _: call("elbv2", "DeleteTargetGroup", TargetGroupArn=arn),
        attributes=lambda arn, _: {
            "TargetGroupArn": arn,
            "TargetGroupFullName": arn.split(":")[-1],
            "TargetGroupName": arn.split("/")[1],
        },
        name="Name",
    ),
    "AWS::ElasticLoadBalancingV2::Listener": ResourceType(
        create=lambda properties: str(call("elbv2", "CreateListener", properties)["Listeners"][0]["ListenerArn"]),
        update=lambda arn, _, new: call("elbv2", "ModifyListener", new, ListenerArn=arn),
        replaced_by=frozenset({"LoadBalancerArn"}),
        delete=lambda arn, _: call("elbv2", "DeleteListener", ListenerArn=arn),
        attributes=lambda arn, _: {"ListenerArn": arn},
    ),
}
