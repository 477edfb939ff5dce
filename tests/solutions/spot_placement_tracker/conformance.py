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

_BY_FILE = (
    "the names are in a file that changes without a deployment; a dashboard without our mark in its body is left alone"
)

REACHES: Mapping[str, str] = {
    f"{role} cloudwatch:{action}": _BY_FILE
    for role in ("DashboardsRole", "DeploymentRole")
    for action in ("DeleteDashboards", "PutDashboard")
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

NOT_SHOWN: Mapping[str, str] = {
    "*Role s3:ListBucket": "without it S3 says of a file that is gone that it may not be read: "
    "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

BESIDE: Json = {"file": "tests/solutions/spot_placement_tracker/placement_scores/two_dashboards.yaml"}
"""Settings of a second copy: dashboards are global and have names of the user's."""
