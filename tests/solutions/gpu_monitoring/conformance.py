"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"linux_configuration": "tests/solutions/gpu_monitoring/agent/large.json", "attach_profile": True})
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    "shipped": ({}, {}),
    "another configuration": ({}, {"linux_configuration": "tests/solutions/gpu_monitoring/agent/steal.json"}),
    **{f"idle for {hours}": ({}, {"idle_hours": hours, "idle_percent": 7}) for hours in (1, 3)},
}
"""What its own tests read: common and section, by name."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "linux_configuration": ("tests/solutions/gpu_monitoring/agent/large.json",),
    "windows_configuration": ("tests/solutions/gpu_monitoring/agent/windows.json",),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {"windows_configuration": "the fixture of Windows is another variant's"}
"""Keys of which no other value is tried, and why."""
