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
            "old_volume": "delete",
            "allow_deletion": True,
            "schedules": [
                {
                    "expression": "rate(1 day)",
                    "to": "latest-snapshot",
                    "tag": {"key": _LONG_KEY, "value": _LONG_VALUE},
                }
                for _ in range(20)
            ],
        },
    ),
]
"""The largest legal settings: common and the section."""

TOGETHER: tuple[Json, ...] = ({"old_volume": "delete", "allow_deletion": True},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "schedules": (
        [{"expression": "rate(1 day)", "to": "launch-state"}],
        [{"expression": "rate(7 days)", "to": "launch-state"}],
    ),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

REACHES: Mapping[str, str] = {
    "SnapshotRole ec2:CreateSnapshot": "whose root volume it is, only its instance says, which the function asks; "
    "what is made must have our tag",
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

NOT_SHOWN: Mapping[str, str] = {
    "SnapshotRole dynamodb:GetItem": "of two deliveries at once the second reads who holds the claim",
}
"""Why a role needs what no replay of make mutate shows: role and action."""
