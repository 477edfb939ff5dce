"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"refresh": "pipeline", "tag_values": [f"op-{n:017x}" for n in range(150)]}),
    (COMMON, {"tag_values": [f"op-{n:017x}" for n in range(1000)]}),
]
"""The largest legal settings: common and the section."""

TOGETHER: tuple[Json, ...] = ({"refresh": "pipeline", "source": {"kind": "codecommit", "repository": "dashboards"}},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "branch": ("release",),
    "dashboard_name": ("Another",),
    "deployed_stack": ("Deploy-Another",),
    "tag_name": ("Another",),
    "other_outposts": ({"op-0123456789abcdef1": "210987654321"},),
    "tag_values": (["op-0123456789abcdef0"],),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {
    "source.connection_arn": "of the variant nat alone",
    "source.kind": "its other value needs another key: see TOGETHER",
    "source.repository": "its other value needs another key: see TOGETHER",
}
"""Keys of which no other value is tried, and why."""

_ITS_LEDGER = "the settings may have had another dashboard_name; it deletes what is in the stack's own ledger"

REACHES: Mapping[str, str] = {
    "ByFunctionLifecycleRole cloudwatch:DeleteDashboards": _ITS_LEDGER,
    "RefreshRole cloudwatch:DeleteDashboards": _ITS_LEDGER,
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

_BALANCERS = "asked of an Outpost that has load balancers: lambdas/outposts_dashboard/sections/load_balancers.py"

NOT_SHOWN: Mapping[str, str] = {
    "*Role elasticloadbalancing:DescribeLoadBalancers": _BALANCERS,
    "*Role elasticloadbalancing:DescribeTargetGroups": _BALANCERS,
    "RefreshRole sqs:ChangeMessageVisibility": "only a batch that failed is tried again sooner",
    "RefreshRole sqs:SendMessage": "only where requests go on for longer than the function may run",
    "DeployRole cloudformation:DeleteStack": "the first dashboard's stack and those of the others are two patterns",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

MADE_LATER: Counter[str] = Counter({"cloudwatch DashboardEntries": 1})
"""What the first refresh writes, which a deployment starts and does not wait for."""
