"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "types": [f"m{n}i.24xlarge" for n in range(1, 41)],
            "architecture": "x86_64",
            "network": "nat",
            "zones": 6,
            "allowed_cidrs": [f"198.51.100.{n}/32" for n in range(40)],
            "application": "a" * 20,
            "email": f"{'o' * 64}@{'e' * 180}.example.com",
            "account_name": "n" * 64,
            "key_pair": "k" * 64,
            "public_purpose": "p" * 100,
            "private_purpose": "q" * 100,
            "gate_url": f"https://{'g' * 60}.example.com/{'p' * 200}",
            "token_secret_arn": f"arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:{'s' * 200}-AbCdEf",
            "host": {"instance_type": "m6i.24xlarge", "volume_gib": 16_384, "generation": 999},
        },
    ),
]
"""The largest legal settings: common and the section."""

_NAMELESS = (
    "Spinnaker's launch templates have neither tags nor names that IAM knows; those with the tag Name are kept from it"
)

REACHES: Mapping[str, str] = {
    f"HostRolesManaged ec2:{action}": _NAMELESS
    for action in ("CreateLaunchTemplateVersion", "DeleteLaunchTemplate", "DeleteLaunchTemplateVersions")
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

_CLOUDDRIVER = "clouddriver calls it, and no Spinnaker runs here: " + (
    "https://github.com/spinnaker/clouddriver/tree/master/clouddriver-aws"
)
_OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "autoscaling": (
        "CreateOrUpdateTags",
        "DeletePolicy",
        "DeleteTags",
        "DisableMetricsCollection",
        "EnableMetricsCollection",
        "PutLifecycleHook",
        "PutScalingPolicy",
        "TerminateInstanceInAutoScalingGroup",
        "UpdateAutoScalingGroup",
    ),
    "ec2": ("DeleteLaunchTemplateVersions",),
    "elasticloadbalancing": (
        "DeregisterTargets",
        "ModifyListener",
        "ModifyLoadBalancerAttributes",
        "ModifyTargetGroup",
        "RegisterTargets",
        "SetSecurityGroups",
    ),
}

NOT_SHOWN: Mapping[str, str] = {
    "HostRolesManaged *:Describe*": _CLOUDDRIVER,
    "HostRolesManaged iam:ListServerCertificates": _CLOUDDRIVER,
    **{
        f"HostRolesManaged {service}:{action}": _CLOUDDRIVER
        for service, actions in _OPERATIONS.items()
        for action in actions
    },
    **{f"HostRolesHost ec2:Describe{what}": _CLOUDDRIVER for what in ("AvailabilityZones", "Regions")},
    "HostRolesManaged ec2:RunInstances": "AWS judges a launch on each resource that it names; the embedded AWS not on "
    "its launch template and key pair: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html",
    "HostRolesManaged iam:CreateServiceLinkedRole": "a fresh account lacks the roles, the embedded AWS asks for none: "
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/service-linked-roles-spot-instance-requests.html",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

TOGETHER: tuple[Json, ...] = ({"architecture": "arm64", "types": ["m7g.large", "m6g.large", "r6g.large"]},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "account_name": ("another-account",),
    "application": ("webshop",),
    "email": ("other@example.com",),
    "gate_url": ("http://localhost:8085/api/v1",),
    "k3s_version": ("v1.36.0+k3s1",),
    "kustomize_commit": ("0123456789abcdef0123456789abcdef01234567",),
    "spinnaker_version": ("2026.3.0",),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {
    "architecture": "needs other types: see TOGETHER",
    "public_subnet_ids": "need common.vpc",
}
"""Keys of which no other value is tried, and why."""

BY_DESIGN: Mapping[tuple[str, str, str], str] = {
    ("loss", "NativeBalancer*", "scheme*"): "another scheme is another load balancer: README, Limits",
}
"""What the rules on updates find and what stays: rule, logical id and change, the last two as globs."""

NOT_DEPLOYED: Mapping[str, str] = {
    "common.vpc*": "it deletes what is replaced before what is removed, and the old listener has the old target group",
}
"""Changes that the embedded AWS cannot deploy, as globs, and why."""
