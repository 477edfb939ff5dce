"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "allowed_cidrs": [f"198.51.{n}.0/24" for n in range(30)],
            # The user data of WordPress are the longest.
            "title": "ш" * 100,
            "domain": f"{'blog.' * 48}example.com",
            "admin_email": f"{'a' * 60}@{'mail.' * 36}example.com",
        },
    ),
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    f"topic of {owner}": (
        {
            "region": "us-east-1",
            "account": "123456789012",
            "alarm_topic_arn": f"arn:aws:sns:us-east-1:{owner}:alarms",
        },
        {},
    )
    for owner in ("123456789012", "999999999999")
}
"""What its own tests read: common and section, by name."""

STATES: tuple[Json, ...] = (
    {"accept_volume_replacement": True, "restore_from": "snap-0123456789abcdef0"},
    {"zone": "us-east-1-atl-2a", "nat": "gateway"},
)
"""States beside the variants' own, in which other changes are possible."""

TOGETHER: tuple[Json, ...] = (
    {"load_balancer": "application", "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1111"},
    {"load_balancer": "application", "allow_http": True},
    {"web_type": "t4g.medium", "database_type": "t4g.medium", "edge_type": "t4g.small"},
)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "admin_email": ("other@example.com",),
    "backup": ({"every_hours": 6, "keep": 28},),
    "database_type": ("t3.large",),
    "edge_type": ("t3.small", "t3.medium"),
    "title": ("Another title",),
    "web_type": ("t3.large",),
    "at": ("05:00",),
    "certificate_secret_arn": ("arn:aws:secretsmanager:us-east-1:123456789012:secret:site-AbCdEf",),
    "restore_from": ("snap-0123456789abcdef0", "snap-0123456789abcdef1"),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {
    "private_subnet_ids": "need common.vpc: the variant enterprise",
    "public_subnet_ids": "need common.vpc: the variant enterprise",
    "wordpress_sha256": "belongs to wordpress_version",
    "wordpress_version": "belongs to wordpress_sha256",
}
"""Keys of which no other value is tried, and why."""

BY_DESIGN: Mapping[tuple[str, str, str], str] = {
    ("loss", "*Address*", "nat*"): "another way out has another address: README, Limits",
    ("volume-shrinks", "Data*", "data_gib*"): "EBS refuses it and nothing is lost: README, Limits",
}
"""What the rules on updates find and what stays: rule, logical id and change, the last two as globs."""

REACHES: Mapping[str, str] = {
    "DataSnapshotRole ec2:CreateTags": "Data Lifecycle Manager tags what it has taken, when, its page does not say: "
    "https://docs.aws.amazon.com/ebs/latest/userguide/managed-policies.html allows it on every snapshot",
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

NOT_SHOWN: Mapping[str, str] = {
    "DataSnapshotRole ec2:DescribeAvailabilityZones": "AWS's own policy has it for Local Zones since December 2024: "
    "https://docs.aws.amazon.com/ebs/latest/userguide/managed-policies.html",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

NOT_DEPLOYED: Mapping[str, str] = {
    "load_balancer + certificate_arn*": "no certificate that its load balancers know; with allow_http it is tried",
}
"""Changes that the embedded AWS cannot deploy, as globs, and why."""

_SNAPSHOT: Json = {"restore_from": "snap-0123456789abcdef0"}
WAYS: Mapping[str, tuple[tuple[str, Json], ...]] = {
    "common.kms_key_arn": (("after", {**_SNAPSHOT, "accept_volume_replacement": True}),),
    "restore_from": (("after", {"accept_volume_replacement": True}),),
    "zone": (("another stack", _SNAPSHOT),),
    "vpc_cidr": (("another stack", _SNAPSHOT),),
}
"""What its guards say to do, by the key that is changed."""

PRESCRIBED: Json = {
    "zone": "us-east-1-bos-1a",
    "private_subnet_ids": ["subnet-0123456789abcdef4"],
    "public_subnet_ids": ["subnet-0123456789abcdef5"],
}
"""Settings that common.vpc asks for: the zone's subnets."""
