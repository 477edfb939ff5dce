"""The largest legal settings that both guardrail solutions have, for the rules of tests/conformance."""

from typing import Any

from tests.conformance.limits.largest import COMMON

Json = dict[str, Any]


def _subnet(number: int) -> str:
    return f"arn:aws:ec2:ap-southeast-1:123456789012:subnet/subnet-{number:017x}"


def largest(**own: Any) -> list[tuple[Json, Json]]:
    """Common and the section: as many subnets as there may be, and everything else at once.

    Args:
        own: what only one of the solutions has.
    """
    longest_unit = f"ou-{'r' * 32}-{'u' * 32}"
    everything = {
        "exempt_principal_arns": [f"arn:*:iam::*:role/{number:0>230}" for number in range(14)],
        "modern_actions": True,
        "block_log_delivery": True,
        "protect_exempt_roles": True,
        "bootstrap_roles": "all",
        "subnet_condition": "arn-and-id",
        "subnets_by_target": {longest_unit: [_subnet(number) for number in range(20)]},
    }
    return [(COMMON, {"subnets": [_subnet(number) for number in range(60)]}), (COMMON, everything | own)]
