"""What ministack's IAM has to know to judge the calls that moto serves and the condition keys of single services."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from emulator import seams

_KINDS = {
    "eice": "instance-connect-endpoint",
    "eipalloc": "elastic-ip",
    "ipv4pool-coip": "coip-pool",
    "lgw-rtb": "local-gateway-route-table",
    "lgw-vif-grp-assoc": "local-gateway-route-table-virtual-interface-group-association",
    "lgw-vpc-assoc": "local-gateway-route-table-vpc-association",
    "eni": "network-interface",
    "ami": "image",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "replacevol": "replace-root-volume-task",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}

# A batch needs the right to do the one thing:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


# What a service does with the permissions of its caller, who needs these as well; without iam:CreateServiceLinkedRole,
# which is asked for once in an account:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html
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

_BY_ID = ("CreateTags", "DeleteSnapshot", "DeleteTags")


def action_of(call: str) -> str:
    """The IAM action that a call needs."""
    return _ACTIONS.get(call, call)


def metric_namespace(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
    """``cloudwatch:namespace`` of a PutMetricData, the one way to limit it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    if action != "cloudwatch:PutMetricData":
        return {}
    return {"cloudwatch:namespace": _said(body, parameters).get("Namespace")}


def dashboard_of(body: bytes, parameters: dict[str, Any]) -> str | None:
    """The ARN of the dashboard that a call names, of several the first one; it has no Region.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    said = _said(body, parameters)
    name = said.get("DashboardName") or said.get("DashboardNames.member.1") or _first(said.get("DashboardNames"))
    return f"arn:aws:cloudwatch::{seams.account_id()}:dashboard/{name}" if name else None


def launch_keys(service: str, action: str, _body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
    """``ec2:LaunchTemplate`` of a RunInstances; the tags that it sets need no right of their own here, on AWS they do.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-launch-templates.html
    """
    template = _first(parameters.get("LaunchTemplate.LaunchTemplateId"))
    if action != "ec2:RunInstances" or not template:
        return {}
    return {"ec2:LaunchTemplate": f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:launch-template/{template}"}


def resource_tag_keys(service: str, arn: str) -> dict[str, Any]:
    """``ec2:ResourceTag/key`` and ``autoscaling:ResourceTag/key``, older spellings of ``aws:ResourceTag/key``.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    if service not in ("autoscaling", "ec2"):
        return {}
    return {f"{service}:ResourceTag/{name}": value for name, value in seams.resource_tags(arn).items()}


def resource_of(service: str, action: str, parameters: dict[str, Any], found: str) -> str | None:
    """The ARN that AWS judges a call on; None keeps what was *found*.

    Describe calls know no resource, but those of CloudFormation: what ministack found is right for it, also for a
    signal, which is judged on stack/NAME/* where the call names the stack by its name
    (https://github.com/awslabs/ecs-refarch-continuous-deployment/issues/21). A group's ARN has an id that only the
    group knows (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html).
    """
    if service == "cloudformation":
        return None
    if action.startswith("Describe"):
        return "*"
    if service == "ec2":
        # Tags are judged on what is tagged; a snapshot's ARN has no account.
        tagged = parameters.get("ResourceId.1") if action in ("CreateTags", "DeleteTags") else None
        return _arn(str(_first(tagged or parameters.get("SnapshotId") or ""))) if action in _BY_ID else None
    if service != "autoscaling":
        return None
    groups = seams.groups().autoscaling_groups
    instance_id = _first(parameters.get("InstanceId"))
    for group in groups.values():
        named = group.name == _first(parameters.get("AutoScalingGroupName"))
        if named or (instance_id and any(member.instance_id == instance_id for member in group.instance_states)):
            return str(group.arn)
    return None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _said(body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call to CloudWatch, which may come as a form, as JSON or as CBOR."""
    form = {**{name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}, **parameters}
    more = json.loads(body) if body[:1] == b"{" else seams.read_cbor(body)
    return {**{name: _first(value) for name, value in form.items()}, **more}


def _arn(resource_id: str) -> str | None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html."""
    kind = _KINDS.get(resource_id.rpartition("-")[0])
    account = "" if kind in ("image", "snapshot") else seams.account_id()
    return f"arn:aws:ec2:{seams.region()}:{account}:{kind}/{resource_id}" if kind else None


def _ec2_tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for resource_id, tags in list(seams.ec2_tags().items()):
        if (arn := _arn(resource_id)) and tags:
            yield arn, [{"Key": name, "Value": value} for name, value in tags.items()]


def _group_tags() -> Iterator[tuple[str, list[dict[str, str]]]]:
    for group in list(seams.groups().autoscaling_groups.values()):
        yield group.arn, [{"Key": tag["Key"], "Value": tag["Value"]} for tag in group.tags]


def install() -> None:
    """Tells ministack."""
    seams.name_actions(action_of)
    seams.need_besides(_BESIDES)
    seams.add_condition_keys(metric_namespace)
    seams.add_condition_keys(launch_keys)
    seams.add_resource_keys(resource_tag_keys)
    seams.name_resources(resource_of)
    seams.name_resources_of("monitoring", dashboard_of)
    seams.collect_tags("ec2", _ec2_tags)
    seams.collect_tags("autoscaling", _group_tags)
    seams.find_profiles_in_ministack()
    seams.let_root_stand_for_services()
