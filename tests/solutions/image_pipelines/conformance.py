"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]
_KEY = "11111111-2222-3333-4444-555555555555"

_NAMES = [f"w{n:02}" + "n" * 37 for n in range(50)]
_FILES = ["stacks/image_pipelines/components/web.yaml"]

_CONTAINER = {"kind": "container", "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023", "components": _FILES}
_SCHEDULE = {
    "expression": "cron(0 0/6 ? * mon,tue,wed,thu,fri,sat,sun *)",
    "timezone": "America/Argentina/ComodRivadavia",
    "start_condition": "always",
}
_OFTEN = {"schedule": _SCHEDULE, "launch_template_id": "lt-0123456789abcdef0"}
_REGIONS = [
    {"name": name, "kms_key_arn": f"arn:aws:kms:{name}:123456789012:key/{_KEY}"}
    for name in (f"{part}-{n}" for part in ("ap-northeast", "ap-southwest", "eu-north") for n in range(1, 8))
]
_ACCOUNTS = [f"{210_987_654_321 + n}" for n in range(100)]
_EVERYTHING = {
    "accounts": _ACCOUNTS[:1],
    "lifecycle": {"delete_after_days": 365, "allow_deletion": True},
    "network": "nat",
}


def _largest(workloads: list[Json], **more: Any) -> tuple[Json, Json]:
    return COMMON, {"workloads": workloads, **_EVERYTHING, **more}


def _chain(number: int) -> list[Json]:
    """Each builds on the one before."""
    parents = ["gold", *_NAMES]
    return [{"name": name, "parent": parent, **_OFTEN} for parent, name in zip(parents, _NAMES[:number], strict=False)]


LARGEST: list[tuple[Json, Json]] = [
    # As many workloads as one stack has resources for, and as many Regions as one template has bytes for.
    _largest(_chain(41), regions=_REGIONS[:17]),
    _largest(
        [{"name": name, **_OFTEN} for name in _NAMES[1:]] + [{"name": _NAMES[0], **_CONTAINER}], regions=_REGIONS[:14]
    ),
    _largest([{"name": name, **_CONTAINER, "schedule": _SCHEDULE} for name in _NAMES], regions=_REGIONS[:20]),
    _largest([{"name": name, **_OFTEN} for name in _NAMES[:16]], regions=_REGIONS[:20], accounts=_ACCOUNTS),
    _largest(_chain(32), regions=_REGIONS[:20], parameter_path="/imagebuilder/" + "p" * 186),
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    "another version": ({}, {"gold": {"version": "3.1"}}),
    "another path": ({}, {"parameter_path": "/imagebuilder/acme"}),
}
"""What its own tests read: common and section, by name."""

TOGETHER: tuple[Json, ...] = ({"workloads": [], "build_on_change": False},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "accounts": (["210987654321"],),
    "instance_types": (["t4g.large"],),
    "keep_tag": (["keep", "yes"],),
    "parameter_path": ("/imagebuilder/acme",),
    "version": ("3.1",),
    "workloads": (
        [
            {"name": "web", "components": ["stacks/image_pipelines/components/web.yaml"]},
            {"name": "batch", "parent": "web"},
        ],
        [
            {
                "name": "web",
                "kind": "container",
                "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023",
                "components": ["stacks/image_pipelines/components/web.yaml"],
            },
        ],
    ),
    "components": ([],),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {"accounts": "needs a key, which needs a Region: the variant enterprise"}
"""Keys of which no other value is tried, and why."""

BY_DESIGN: Mapping[tuple[str, str, str], str] = {
    (
        "loss",
        "*Repository*",
        "common.kms_key_arn*",
    ): "another key is another repository, and the images are built again: README, Limits",
}
"""What the rules on updates find and what stays: rule, logical id and change, the last two as globs."""

_IN_POLICY = "https://docs.aws.amazon.com/imagebuilder/latest/userguide/security-iam-awsmanpol.html"
_BUILD = f"no instance builds here; AWS's policy for build instances has it: {_IN_POLICY}"
_ASSOCIATIONS = (
    "no agent runs here; AWS's policy for it has it, without which associations of a build instance fail: "
    + ("https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html")
)
_LIFECYCLE = "what Image Builder does to old images; AWS's policy for that has it: " + (
    "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/EC2ImageBuilderLifecycleExecutionPolicy.html"
)

NOT_SHOWN: Mapping[str, str] = {
    **{
        f"BuildRole ssm:{action}": _ASSOCIATIONS
        for action in (
            "DescribeAssociation",
            "DescribeDocument",
            "GetDocument",
            "ListAssociations",
            "ListInstanceAssociations",
            "PutInventory",
            "UpdateAssociationStatus",
            "UpdateInstanceAssociationStatus",
        )
    },
    **{
        f"BuildRole {action}": _BUILD
        for action in (
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:GetAuthorizationToken",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
            "imagebuilder:GetComponent",
            "imagebuilder:GetContainerRecipe",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:GetObject",
        )
    },
    **{
        f"LifecycleRole {action}": _LIFECYCLE
        for action in (
            "ec2:DescribeImageAttribute",
            "ec2:DescribeImages",
            "ec2:DisableImageDeprecation",
            "ec2:EnableImage",
            "ecr:BatchGetImage",
            "tag:GetResources",
        )
    },
    "SeedFunctionRole ssm:AddTagsToResource": "the parameter is made with a tag: "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html",
    "BuildsFunctionRole iam:CreateServiceLinkedRole": "the first build of an account makes the service's role: "
    "https://docs.aws.amazon.com/imagebuilder/latest/userguide/image-builder-service-linked-role.html",
    "BuildsFunctionRole cloudformation:DescribeStacks": "it asks when a build is refused, whether the stack rolls back",
}
"""Why a role needs what no replay of make mutate shows: role and action."""
