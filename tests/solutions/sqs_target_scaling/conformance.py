"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"network": "endpoints", "zones": 6}),
    (COMMON, {"acceptable_latency_seconds": 302_400, "heartbeat_seconds": 10_800, "max_receives": 10}),
    (COMMON, {"strategy": "dynamic-target", "target_update_minutes": 1_440}),
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    **{
        f"{least} to {most}": ({}, {"min_instances": least, "max_instances": most})
        for least, most in ((0, 10), (4, 4), (1, 1), (0, 100), (100, 100), (500, 500))
    },
    **{f"warm after {seconds}": ({}, {"instance_warmup_seconds": seconds}) for seconds in (90, 3_600)},
}
"""What its own tests read: common and section, by name."""

STATES: tuple[Json, ...] = ({"network": "nat"}, {"network": "endpoints"})
"""States beside the variants' own, in which other changes are possible."""

TOGETHER: tuple[Json, ...] = ({"instances": {"local_storage": "required", "local_storage_types": ["ssd"]}},)
"""Settings that belong together, changed together."""

ONE_VALUE_ONLY: Mapping[str, str] = {"instances.local_storage_types": "needs local_storage: see TOGETHER"}
"""Keys of which no other value is tried, and why."""
