"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"network": "nat", "zones": 6, "required_instances": 6, "max_instances": 12})
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    "a and b": ({}, {"zone_names": ["us-east-1a", "us-east-1b"]}),
    "b and c": ({}, {"zone_names": ["us-east-1b", "us-east-1c"]}),
}
"""What its own tests read: common and section, by name."""

STATES: tuple[Json, ...] = ({"network": "nat"}, {"network": "nat", "zone_names": ["us-east-1a", "us-east-1b"]})
"""States beside the variants' own, in which other changes are possible."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "end_date": ("2027-01-31T19:00:00Z", "2028-01-31T19:00:00Z"),
    "zone_names": (["us-east-1a", "us-east-1b"], ["us-east-1b", "us-east-1c"], ["us-east-1b", "us-east-1a"]),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

BY_DESIGN: Mapping[tuple[str, str, str], str] = {
    **{
        ("loss", "Reservations*", change): "new ones first, the old ones cancelled after: README, Limits"
        for change in ("instance_type*", "tenancy*", "*vpc*")
    },
    ("loss", "ReservationsZone*", 'zone_names -> ?"us-east-1a", "us-east-1b"?*'): (
        "the variant's zones are of another Region, where no stack can move"
    ),
    ("loss", "NetworkNatAddress*", "zone_names*"): "the NAT gateway moves to another zone: README, Limits",
    **{
        (rule, "NetworkVpc*", 'zone_names -> ?"us-east-1a", "us-east-1b"?*'): (
            "the first zones of the Region, by their names: CloudFormation compares what Fn::GetAZs has answered"
        )
        for rule in ("collision", "range-overlaps")
    },
}
"""What the rules on updates find and what stays: rule, logical id and change, the last two as globs."""
