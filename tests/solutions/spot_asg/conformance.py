"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "network": "nat",
            "zones": 6,
            "load_balancer": True,
            "types": [f"m{n}i.24xlarge" for n in range(1, 41)],
            "architecture": "x86_64",
        },
    ),
]
"""The largest legal settings: common and the section."""

STATES: tuple[Json, ...] = (
    {"network": "nat"},
    {"load_balancer": True},
    {"off_peak": {"begins": "20:00", "ends": "06:00", "time_zone": "Europe/Berlin", "instances": 3}},
)
"""States beside the variants' own, in which other changes are possible."""

TOGETHER: tuple[Json, ...] = (
    {"attributes": {"local_storage": "required", "local_storage_types": ["ssd"], "vcpu": {"min": 2, "max": 8}}},
)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "generations": (["current"], ["current", "previous"]),
    "attributes": ({"vcpu": {"min": 4, "max": 8}, "memory_mib": {"min": 8192}},),
    "begins": ("06:00", "21:00"),
    "ends": ("20:00", "07:00"),
    "off_peak": ({"begins": "20:00", "ends": "06:00", "time_zone": "Europe/Berlin", "instances": 3}, None),
    "target_group_arns": (["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"],),
    "time_zone": ("Europe/Berlin", "Asia/Tokyo"),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {"attributes.local_storage_types": "needs local_storage: see TOGETHER"}
"""Keys of which no other value is tried, and why."""

BY_DESIGN: Mapping[tuple[str, str, str], str] = {
    ("swap", "Spot*Peak*", "off_peak*"): "two deployments, by a third time between: README, Limits",
}
"""What the rules on updates find and what stays: rule, logical id and change, the last two as globs."""
