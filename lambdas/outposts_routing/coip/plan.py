"""Which customer-owned addresses are in use, and what a load balancer is called. No AWS in here."""

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, ip_address
from typing import Any

Json = Mapping[str, Any]


def in_use(usages: Iterable[Json], cidr: str) -> list[str]:
    """Returns the addresses of the range that somebody has, each with who."""
    network = IPv4Network(cidr)
    return [
        f"{usage['CoIp']} ({usage.get('AwsService') or usage.get('AllocationId') or 'unknown'})"
        for usage in usages
        if usage.get("CoIp") and ip_address(usage["CoIp"]) in network
    ]


def balancer_name(stack_id: str, logical_id: str) -> str:
    """A name of at most 32 characters, ELB's limit, that nothing else of this stack or another one has.

    The name is what makes CreateLoadBalancer idempotent:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    return f"coip-{hashlib.sha256(f'{stack_id} {logical_id}'.encode()).hexdigest()[:24]}"


def differences(balancer: Json, wanted: Json) -> str:
    """What of a load balancer is not as it is wanted and can only be chosen when it is made; empty if all is."""
    has = {
        "Scheme": balancer.get("Scheme"),
        "SubnetId": ", ".join(sorted(zone["SubnetId"] for zone in balancer.get("AvailabilityZones", ()))),
        # Absent where nobody tells; the pool's range is part of the load balancer's name.
        "PoolId": balancer.get("CustomerOwnedIpv4Pool") or wanted["PoolId"],
    }
    return "; ".join(f"{key} {value} and not {wanted[key]}" for key, value in has.items() if value != wanted[key])


def to_associate(address: Json, wanted: str | None, before: str | None) -> str | None:
    """What is to happen with an address: ``associate``, ``disassociate``, or None.

    Args:
        wanted: the network interface that is to have it.
        before: the one that this resource wanted until now. What others have associated is theirs.
    """
    now = address.get("NetworkInterfaceId") or None
    if wanted:
        return None if now == wanted else "associate"
    return "disassociate" if before and now == before else None
