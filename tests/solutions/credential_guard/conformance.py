"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]
_LONG_VALUE, _LONG_KEY = "v" * 200, "k" * 100

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "network": "endpoints",
            "rdp": "instance-connect-endpoint",
            "tag": {"key": _LONG_KEY, "value": _LONG_VALUE},
            "calendars": [f"{n}{'c' * 120}" for n in range(5)],
        },
    ),
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    "shipped": ({}, {}),
    "another type": ({}, {"instance_type": "m7i.large"}),
    "another server": ({}, {"server": "2019"}),
}
"""What its own tests read: common and section, by name."""

NOT_SHOWN: Mapping[str, str] = {
    "GuardFunctionRole cloudformation:DescribeStacks": "the guard asks before it refuses, so that a rollback passes",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

TOGETHER: tuple[Json, ...] = ({"uefi_lock": True, "uefi_lock_confirmation": "this cannot be undone on EC2"},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {"also_allow": (["m8i"],), "calendars": (["maintenance"],)}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = dict.fromkeys(("uefi_lock", "uefi_lock_confirmation"), "together: see TOGETHER")
"""Keys of which no other value is tried, and why."""

WAYS: Mapping[str, tuple[tuple[str, Json], ...]] = {"*": (("after", {"accept_instance_replacement": True}),)}
"""What its guards say to do, by the key that is changed."""
