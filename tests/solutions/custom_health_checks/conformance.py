"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]
_LONG_VALUE, _LONG_KEY = "v" * 200, "k" * 100

LARGEST: list[tuple[Json, Json]] = [
    (COMMON, {"checks": [{"kind": "tag", "key": f"{n}{_LONG_KEY}", "success": "s" * 40} for n in range(9)]}),
    (
        COMMON,
        {
            "mode": "instance",
            "network": "endpoints",
            "zones": 6,
            "checks": [
                {"kind": "table", "table": f"t{n}" + "t" * 100, "attribute": "a", "success": _LONG_VALUE[:60]}
                for n in range(10)
            ],
        },
    ),
]
"""The largest legal settings: common and the section."""

STATES: tuple[Json, ...] = ({"network": "nat"}, {"mode": "instance", "network": "endpoints"})
"""States beside the variants' own, in which other changes are possible."""

TOGETHER: tuple[Json, ...] = ({"longest_wait_seconds": 3600, "heartbeat_seconds": 600},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "checks": (
        [{"kind": "tag"}, {"kind": "http", "port": 8080}],
        [{"kind": "table", "table": "inventory"}, {"kind": "http", "port": 9090}],
    ),
    "warm_pool": ({"min_size": 1}, None),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

_ON_ANY_INTERFACE = (
    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: Lambda asks on *, before it knows an id"
)

REACHES: Mapping[str, str] = {
    f"ProberRole ec2:{action}": _ON_ANY_INTERFACE
    for action in (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "UnassignPrivateIpAddresses",
    )
}
"""What a role may do beyond the solution's tags and names, and why: policy and action."""

NOT_SHOWN: Mapping[str, str] = {
    "CheckerRole autoscaling:RecordLifecycleActionHeartbeat": "only an instance that waits longer than a heartbeat",
}
"""Why a role needs what no replay of make mutate shows: role and action."""
