"""Policies of AWS Organizations that allow only Nitro. Pure: settings in, policies out; the partition is a placeholder.

The list of Xen families is closed and short. A list of Nitro families would get old and does not fit (8,325 characters,
https://github.com/cloudposse/terraform-aws-service-control-policies/issues/34).
"""

import json
from collections.abc import Iterator
from typing import Any

from nitro_attestation.hypervisor import LISTED, XEN_PATTERNS
from stacks.guardrails.policies import Policy
from stacks.guardrails.statements import PARTITION, Statement

INSTANCES = f"arn:{PARTITION}:ec2:*:*:instance/*"
HOSTS = f"arn:{PARTITION}:ec2:*:*:dedicated-host/*"
SID = "Xen" + LISTED.replace("-", "")
MOST_DECLARATIVE = 10_000
"""Characters: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""

BLIND_SPOTS = (
    "launches by service-linked roles, such as those of Auto Scaling, EC2 Fleet and Spot",
    "everything in the management account",
    "the types of RequestSpotInstances and RequestSpotFleet, for which ec2:InstanceType does not exist",
    "the new type of ModifyInstanceAttribute; the start of a resized instance is denied",
    "IMDSv1 that is turned on after the launch",
    "instances that are running already",
    "whether a Nitro type encrypts in transit: a1, t3 and t4g do not",
)
"""What the policy cannot see; the scheduled look sees the instances of all of them."""


LOOKED_AT = (
    "cloudtrail:DescribeTrails",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeVolumes",
    "ec2:GetEbsEncryptionByDefault",
    "ec2:GetInstanceMetadataDefaults",
    "ec2:GetSerialConsoleAccessStatus",
)
"""Calls of that look: what it reads of each Region."""


def statements(*, require_imdsv2: bool, deny_legacy_spot: bool) -> Iterator[Statement]:
    """The Deny statements. Each names its resource: on ``*`` a negated operator would match volumes and subnets too.

    ModifyInstanceAttribute is not among the actions. Its ``ec2:InstanceType`` is the present type, so a Deny would
    forbid changing from Xen to Nitro.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """
    yield Statement(
        SID,
        ("ec2:RunInstances", "ec2:StartInstances", "ec2:CreateFleet", "ec2:AllocateHosts"),
        (INSTANCES, HOSTS),
        {"StringLike": {"ec2:InstanceType": list(XEN_PATTERNS)}},
    )
    if require_imdsv2:
        yield Statement(
            "Imdsv2",
            ("ec2:RunInstances",),
            (INSTANCES,),
            {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}},
        )
    if deny_legacy_spot:
        yield Statement("LegacySpot", ("ec2:RequestSpotInstances", "ec2:RequestSpotFleet"))


def only_nitro(*, require_imdsv2: bool, deny_legacy_spot: bool, exempt: tuple[str, ...]) -> Policy:
    """The service control policy."""
    written = statements(require_imdsv2=require_imdsv2, deny_legacy_spot=deny_legacy_spot)
    return Policy("OnlyNitro", tuple(statement.exempting(exempt) for statement in written))


def declarative(exception_message: str | None = None) -> dict[str, Any]:
    """The declarative policy for EC2, which also covers future APIs. It has no attribute for types or hypervisors.

    Among the metadata defaults only ``http_tokens_enforced`` stops a launch, whoever makes it. The hop limit is left
    alone: 1 for every instance of an organization would cut containers off from their metadata.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
    """
    attributes: dict[str, Any] = {
        "serial_console_access": {"status": {"@@assign": "disabled"}},
        "instance_metadata_defaults": {
            "http_tokens": {"@@assign": "required"},
            "http_tokens_enforced": {"@@assign": "enabled"},
        },
    }
    if exception_message:
        attributes["exception_message"] = {"@@assign": exception_message}
    return {"ec2_attributes": attributes}


def declarative_text(exception_message: str | None = None) -> str:
    """The declarative policy, minified."""
    return json.dumps(declarative(exception_message), separators=(",", ":"), ensure_ascii=False)
