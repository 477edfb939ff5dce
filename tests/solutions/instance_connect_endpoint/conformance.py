"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "ports": [22, 3389],
            "windows_instance_type": "m7i.large",
            "trail": "create",
            "os_users": [f"user{n}" + "u" * 27 for n in range(10)],
            "private_cidrs": [f"10.{n}.0.0/16" for n in range(20)],
            "source_cidrs": [f"198.51.{n}.0/24" for n in range(20)],
            "preserve_client_ip": True,
            "client_cidrs": [f"198.51.{n}.0/24" for n in range(30)],
            "expected_principals": [f"assumed-role/Operators-of-team-{n:02}/*" for n in range(20)],
        },
    ),
]
"""The largest legal settings: common and the section."""

TOGETHER: tuple[Json, ...] = (
    {"ports": [22, 3389], "windows_instance_type": "m7i.large"},
    {"preserve_client_ip": True, "client_cidrs": ["203.0.113.0/24"], "linux_instance_type": None},
)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "expected_principals": (["user/break-glass"],),
    "linux_instance_type": ("m7i-flex.large", None),
    "os_users": (["admin"],),
    "ports": ([22, 3389], [22]),
    "private_cidrs": (["10.0.0.0/16"],),
    "source_cidrs": (["203.0.113.0/24"],),
    "windows_instance_type": ("m7i.large", None),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

WAYS: Mapping[str, tuple[tuple[str, Json], ...]] = {
    "common.vpc": (("after", {"accept_endpoint_replacement": True}),),
    "*": (("before", {"endpoint": False}), ("after", {})),
}
"""What its guards say to do, by the key that is changed."""
