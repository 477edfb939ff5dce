"""What the rules of tests/conformance cannot know of this solution by themselves."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


def _key(kind: str) -> Json:
    """All principals that a key takes, with names as long as the settings allow."""
    roles = [f"arn:aws:iam::123456789012:role/{'p' * 306}/{'r' * 60}{n:02}" for n in range(60)]
    return {
        "measurements": [f"tests/solutions/nitro_attestation/measurements/{kind}.json"],
        "operations": ["Decrypt", "GenerateDataKey"],
        "workload_arns": roles[:20],
        "producer_arns": roles[20:40],
        "administrator_arns": roles[40:],
    }


LARGEST: list[tuple[Json, Json]] = [
    (
        COMMON,
        {
            "regions": [
                f"{part}-{n}" for part in ("ap-northeast", "eu-north", "us-west", "sa-east") for n in range(1, 10)
            ],
            "enclave": {"key": _key("enclave")},
            "tpm": {"image_id": "ami-0123456789abcdef0", "key": _key("tpm")},
            "organization": {"declarative": True, "deny_legacy_spot": True, "exception_message": "m" * 9_000},
        },
    ),
]
"""The largest legal settings: common and the section."""

OTHERS: Mapping[str, tuple[Any, ...]] = {
    "administrator_arns": (["arn:aws:iam::123456789012:role/other-administrator"],),
    "cloudformation_role_arn": ("arn:aws:iam::123456789012:role/other-cloudformation",),
    "measurements": (
        ["tests/solutions/nitro_attestation/measurements/tpm_next.json"],
        ["tests/solutions/nitro_attestation/measurements/enclave_next.json"],
    ),
    "workload_arns": (["arn:aws:iam::123456789012:role/other-workload"],),
    "image_id": ("ami-0123456789abcdef1",),
    "operations": (["Decrypt", "GenerateDataKey"], ["Decrypt"]),
    "pcrs": (["PCR4", "PCR12", "PCR7"], ["PCR0", "PCR1"]),
    "producer_arns": (["arn:aws:iam::123456789012:role/other-producer"],),
    "root_device": ("/dev/sda1",),
}
"""Other legal values, by the key's last name, which the schema cannot tell."""

ONE_VALUE_ONLY: Mapping[str, str] = {
    "enclave.cpus": "the types of the variants have one core for enclaves",
    "organization.declarative": "exception_message needs it: the variant organization",
}
"""Keys of which no other value is tried, and why."""

NOT_SHOWN: Mapping[str, str] = {
    "LookRole ec2:DescribeRegions": "where the settings name no Region it asks which are enabled; scenarios name two",
}
"""Why a role needs what no replay of make mutate shows: role and action."""

_TWO_STEPS = "another role takes two deployments, which KMS refuses as one: README, Settings, and check"
BY_DESIGN: Mapping[tuple[str, str, str], str] = {
    ("key-handover", "*Key", "*key.cloudformation_role_arn ->*"): _TWO_STEPS,
    ("key-handover", "*Key", "common.bootstrap_qualifier ->*"): _TWO_STEPS,
}
"""What the rules on updates find and what stays: rule, logical id and change, the last two as globs."""
