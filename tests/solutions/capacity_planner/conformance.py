"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "every_hours": 24,
            "notice_days": 365,
            "price_days": 90,
            "price_file": "tests/solutions/capacity_planner/price_files/x.yaml",
            "may_change": ["family", "region", "fargate", "lambda"],
            "alarm_wasted_hours": 1_000_000,
            "report_days": 3_650,
            "metric_namespace": "n" * 255,
        },
    ),
]
"""The largest legal settings: common and the section."""

OTHERS: Mapping[str, tuple[Any, ...]] = {"may_change": (["family"],)}
"""Other legal values, by the key's last name, which the schema cannot tell."""
