"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "allowed_cidrs": [f"10.{n}.0.0/16" for n in range(20)],
            "clients": [f"{n}{'c' * 62}" for n in range(10)],
            "domain": ".".join(["d" * 60] * 4),
            "pro_token_secret": "s" * 505,
            "oidc": {
                "issuer": f"https://{'i' * 500}",
                "client_id": "c" * 256,
                "audience": f"https://{'a' * 500}",
            },
            "hours": {"stop": "cron(0 22 * * ? *)", "start": "cron(0 8 * * ? *)"},
            "deliver": "image",
        },
    ),
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    "nobody": ({}, {"allowed_cidrs": []}),
    "players": ({}, {"allowed_cidrs": ["192.0.2.0/24"]}),
    "no clients": ({}, {"oidc": {"issuer": "https://login.example.com", "client_id": "games"}, "clients": []}),
}
"""What its own tests read: common and section, by name."""

ONE_VALUE_ONLY: Mapping[str, str] = {"clients": "each has a secret of its own; the variants have none, one and two"}
"""Keys of which no other value is tried, and why."""

TOGETHER: tuple[Json, ...] = ({"oidc": {"issuer": "https://other.example.com", "client_id": "games"}},)
"""Settings that belong together, changed together."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "instance_type": ("g5g.4xlarge",),
    "issuer": ("https://another.example.com",),
    "image": ("/aws/service/marketplace/prod-abcdefgh12345/latest",),
    "pro_token_secret": ("another-secret",),
    "channel": ("1.31/stable",),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

WAYS: Mapping[str, tuple[tuple[str, Json], ...]] = {"*": (("before", {"instance": False}), ("after", {}))}
"""What its guards say to do, by the key that is changed."""

_MARKETPLACE = "its image is a parameter of AWS Marketplace, which is not there"

NOT_DEPLOYED: Mapping[str, str] = {"state account": _MARKETPLACE, "image ->*": _MARKETPLACE}
"""What the embedded AWS cannot deploy, and why: the state of another variant, and changes, as globs."""
