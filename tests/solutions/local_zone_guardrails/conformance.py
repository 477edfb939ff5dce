"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


def _subnet(number: int) -> str:
    return f"arn:aws:ec2:ap-southeast-1:123456789012:subnet/subnet-{number:017x}"


def _role(number: int) -> str:
    return f"arn:*:iam::*:role/{number:0>230}"


_LONGEST_UNIT = f"ou-{'r' * 32}-{'u' * 32}"
LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"subnets": [_subnet(n) for n in range(60)]}),
    (
        COMMON,
        {
            "exempt_principal_arns": [_role(n) for n in range(14)],
            "modern_actions": True,
            "zones": [f"us-west-2-lax-1{zone}" for zone in "abcdefghij"],
            "zone_ids": [f"usw2-lax1-az{n}" for n in range(10)],
            "block_log_delivery": True,
            "protect_exempt_roles": True,
            "bootstrap_roles": "all",
            "subnet_condition": "arn-and-id",
            "subnets_by_target": {_LONGEST_UNIT: [_subnet(n) for n in range(20)]},
        },
    ),
]
"""The largest legal settings: common and the section."""

ONE_VALUE_ONLY: Mapping[str, str] = dict.fromkeys(
    ("exempt_principal_arns", "extra_actions", "subnet_tag", "subnets_by_target", "zone_ids"),
    "it changes the text of policies only",
)
"""Keys of which no other value is tried, and why."""

ONE_REGION = "once in an organization: policies are global"
"""Why there is one stack in an account, whatever the Region."""
