"""Elastic Load Balancing, by moto, because its groups register their instances there."""

from emulator.core.api import call as aws
from emulator.core.api import moto_handler
from emulator.core.iam import Call, Tagged
from emulator.core.service import IamRules, Made, Service
from emulator.core.store import arn
from emulator.services.elasticloadbalancing.types import TYPES

# What the service does with the permissions of its caller; without iam:CreateServiceLinkedRole, which is asked for once
# in an account: https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html
_BESIDES = {
    "elasticloadbalancing:CreateLoadBalancer": (
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
    "elasticloadbalancing:CreateTargetGroup": ("ec2:DescribeInternetGateways", "ec2:DescribeVpcs"),
    "elasticloadbalancing:RegisterTargets": (
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
    "elasticloadbalancing:SetSubnets": ("ec2:DescribeSubnets",),
}


# What an action is judged on, by the end of its name: a listener is created on its load balancer.
_ON = {
    "LoadBalancer": "LoadBalancerArn",
    "LoadBalancerAttributes": "LoadBalancerArn",
    "CreateListener": "LoadBalancerArn",
    "Listener": "ListenerArn",
    "TargetGroup": "TargetGroupArn",
    "TargetGroupAttributes": "TargetGroupArn",
    "Targets": "TargetGroupArn",
}


def _judged_on(call: Call) -> str | None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_elasticloadbalancingv2.html."""
    if call.action.startswith("Describe"):
        return "*"
    if call.action == "CreateLoadBalancer":
        return arn("elasticloadbalancing", f"loadbalancer/app/{call.first('Name')}/*")
    if call.action == "CreateTargetGroup":
        return arn("elasticloadbalancing", f"targetgroup/{call.first('Name')}/*")
    for action, parameter in _ON.items():
        if call.action.endswith(action):
            return str(call.first(parameter))
    return None


def _tags() -> Tagged:
    arns = [each["LoadBalancerArn"] for each in aws("elbv2", "DescribeLoadBalancers")["LoadBalancers"]]
    if arns:
        for each in aws("elbv2", "DescribeTags", ResourceArns=arns)["TagDescriptions"]:
            yield each["ResourceArn"], each["Tags"]


# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html has the code.
_MADE = {f"Create{kind}": Made(f"{kind}Arn", f"{kind}NotFound") for kind in ("LoadBalancer", "Listener", "TargetGroup")}

SERVICE = Service(
    "elasticloadbalancing",
    beneath=moto_handler,
    types=TYPES,
    makes=_MADE,
    modelled=(
        "target groups that follow their group, what the service does for its caller",
        "what a role has just made is not known everywhere at once, with EVENTUAL=1",
    ),
    not_judged=("requests, health checks, addresses from pools on Outposts",),
    iam=IamRules(resource=_judged_on, besides=_BESIDES, tags={"elasticloadbalancing": _tags}),
)
