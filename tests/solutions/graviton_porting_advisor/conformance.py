"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]

LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "sources": [
                {"location": f"{'o' * 39}/{'r' * 90}{n}", "exclude": [f"{e}{'x' * 95}" for e in range(26)]}
                for n in range(50)
            ],
            "schedule": "rate(1 day)",
            "type_metrics": True,
        },
    ),
]
"""The largest legal settings: common and the section."""

PREPARED: Mapping[str, tuple[Json, Json]] = {
    "own image": (
        {"tags": {"project": "snapshot"}},
        {"image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tools/advisor:1"},
    ),
}
"""What its own tests read: common and section, by name."""

_AS_OTHERS = "nobody has the token of a private source here; the role is that of the other sources"

NOT_SHOWN: Mapping[str, str] = {
    "StartRole codebuild:ListBuildsForProject": "a start whose answer was lost is looked for among the newest builds",
    "ReportRole sqs:SendMessage": "a build that still runs is looked after again later",
    "*privatef925eb87Role s3:GetObject": _AS_OTHERS,
    "*privatef925eb87Role s3:PutObject": _AS_OTHERS,
    "*privatef925eb87Role sqs:SendMessage": _AS_OTHERS,
}
"""Why a role needs what no replay of make mutate shows: role and action."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "accepted": ([{"path": "lib/*.jar", "reason": "the arm64 folder has it"}],),
    "commit": ("0123456789abcdef0123456789abcdef01234567",),
    "exclude": (["vendor"],),
    "issue_types": (["-Intrinsic"],),
    "repository": ("https://git.example.com/mirror/porting-advisor",),
    "sources": ([{"location": "owner/name"}],),
    "warn_only": (["incomplete"],),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""
