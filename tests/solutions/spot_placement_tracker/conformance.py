"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [(COMMON, {"report_days": 28})]
"""The largest legal settings: common and the section."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "file": ("tests/solutions/spot_placement_tracker/placement_scores/two_dashboards.yaml",),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

BESIDE: Json = {"file": "tests/solutions/spot_placement_tracker/placement_scores/two_dashboards.yaml"}
"""Settings of a second copy: dashboards are global and have names of the user's."""
