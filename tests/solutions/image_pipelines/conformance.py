"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]
_KEY = "11111111-2222-3333-4444-555555555555"

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON | {"prefix": "a" * 20},
        {
            "workloads": [  # each the parent of the next
                {
                    "name": f"w{n:02}" + "n" * 37,
                    "parent": f"w{n - 1:02}" + "n" * 37 if n else "gold",
                    "schedule": {"start_condition": "always"},
                }
                for n in range(30)
            ],
            "regions": [
                {"name": name, "kms_key_arn": f"arn:aws:kms:{name}:123456789012:key/{_KEY}"}
                for name in (
                    f"{part}-{n}" for part in ("ap-northeast", "ap-southwest", "eu-north") for n in range(1, 8)
                )
            ][:20],
            "accounts": ["210987654321"],
            "lifecycle": {"delete_after_days": 365, "allow_deletion": True},
            "network": "nat",
        },
    ),
    (
        COMMON | {"prefix": "a" * 20},
        {
            "workloads": [
                {
                    "name": f"w{n:02}" + "n" * 37,
                    "kind": "container",
                    "base_image": "public.ecr.aws/amazonlinux/amazonlinux:2023",
                    "components": ["stacks/image_pipelines/components/web.yaml"],
                }
                for n in range(30)
            ],
        },
    ),
]
"""The largest legal settings: common and the section."""

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
