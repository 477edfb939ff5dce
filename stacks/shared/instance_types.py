"""Instance types as EC2 knows them: which fit attributes, and which quota their vCPUs count against. Reads only."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stacks.shared.preflight import Clients, Finding, looked_at

# Letters that a type begins with -> quota of On-Demand and of Spot, each of vCPUs; None: there is none. P5 and later
# have Spot quotas of their own, and u types run On-Demand only.
# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
_STANDARD = ("L-1216C47A", "L-34B43A08")
_GRAPHICS = ("L-DB2E81BA", "L-3819A6DF")
_QUOTAS: Mapping[str, tuple[str, str | None]] = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), _STANDARD),
    **dict.fromkeys(("g", "gr", "vt"), _GRAPHICS),
    "dl": ("L-6E869C2A", "L-85EED4F7"),
    "f": ("L-74FC7D96", "L-88CF9481"),
    "hpc": ("L-F7808C92", None),
    "inf": ("L-1945791B", "L-B5D1601B"),
    "p": ("L-417A185B", None),
    "trn": ("L-2C3B7624", "L-6B0D517C"),
    "u": ("L-43DA4232", None),
    "x": ("L-7295265B", "L-E3A00192"),
}
_SPOT_OF_P = {**dict.fromkeys("234", "L-7212CCBC"), "5": "L-C4BD4855"}


def quota_code(instance_type: str, *, spot: bool) -> str | None:
    """The quota that an instance type counts against; None where it is not known, or there is none."""
    family = re.match(r"([a-z]+)-?(\d*)", instance_type)
    letters, generation = family.groups() if family else ("", "")
    if spot and letters == "p":
        return _SPOT_OF_P.get(generation)
    return _QUOTAS.get(letters, (None, None))[spot]


def vcpus(clients: Clients, types: Sequence[str], needed: float, what: str, *, spot: bool) -> Finding:
    """Compares a need with the quotas of all types that may meet it, together: a short one is no obstacle by itself."""
    codes = {quota_code(name, spot=spot) for name in types}
    known = sorted(code for code in codes if code)

    def look() -> Finding:
        quotas = clients("service-quotas")
        values = [quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"] for code in known]
        total = sum(values)
        if total >= needed:
            return Finding(what, "ok", f"{needed:g} of {total:g} needed at most")
        if None in codes or not known:
            others = ", ".join([name for name in types if quota_code(name, spot=spot) is None][:5]) or "other types"
            says = f"{needed:g} are needed at most, {total:g} allowed, but {others} may have another quota"
            return Finding(what, "unknown", says, "Look for the family in Service Quotas, Amazon EC2")
        fix = f"Ask for {needed:g} in Service Quotas ({', '.join(known)}), or lower max_instances"
        return Finding(what, "problem", f"the quota is {total:g}, {needed:g} are needed at most", fix)

    return looked_at(what, look)


def fitting_types(clients: Clients, architecture: str, requirements: Mapping[str, Any]) -> list[str]:
    """The types of the Region that have the attributes."""
    pages = (
        clients("ec2")
        .get_paginator("get_instance_types_from_instance_requirements")
        .paginate(
            ArchitectureTypes=[architecture], VirtualizationTypes=["hvm"], InstanceRequirements=dict(requirements)
        )
    )
    return [item["InstanceType"] for page in pages for item in page["InstanceTypes"]]
