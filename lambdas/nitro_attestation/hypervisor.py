"""The hypervisor of an instance type. Pure: no AWS in here.

The list of Xen types is closed: AWS has built only on Nitro since 2017, so the list can only shrink. The API comes
first and the list second, because retired types leave the API while a stopped instance keeps its type. Two fields look
like answers but are not: DescribeInstances and DescribeImages say ``xen`` for Nitro instances
too (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["nitro", "metal", "xen", "unknown"]

LISTED = "2026-08-02"
"""The date of the list. A test compares it with botocore's enum of types and with a table of all types."""
XEN_FAMILIES = (
    *("c1", "c3", "c4", "cc1", "cc2", "cg1", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1", "hi1", "hs1", "i2"),
    *("m1", "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e"),
)
"""Families whose sizes are all Xen: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html"""
XEN_PATTERNS = (*(f"{family}.*" for family in XEN_FAMILIES), "i3.*large")
"""The same as patterns for IAM's StringLike. ``i3.metal``, the only i3 size without a hypervisor, is not matched."""


@dataclass(frozen=True)
class Platform:
    """The hypervisor of a type, and the source.

    Attributes:
        source: ``EC2 API``, or the list with its date.
    """

    kind: Kind
    source: str


def is_listed_xen(instance_type: str) -> bool:
    """Whether a type is on the closed list."""
    family, _, size = instance_type.partition(".")
    return family in XEN_FAMILIES or (family == "i3" and size.endswith("large"))


def platform_of(instance_type: str, described: Mapping[str, Mapping[str, Any]]) -> Platform:
    """The hypervisor of a type.

    Args:
        described: answers of DescribeInstanceTypes by type. Bare metal has no ``Hypervisor`` there, which must
            not count as Xen.
    """
    if answer := described.get(instance_type):
        if answer.get("Hypervisor") == "xen":
            return Platform("xen", "EC2 API")
        if answer.get("Hypervisor") == "nitro":
            return Platform("nitro", "EC2 API")
        return Platform("metal" if answer.get("BareMetal") else "unknown", "EC2 API")
    if is_listed_xen(instance_type):
        return Platform("xen", f"list of {LISTED}")
    return Platform("unknown", "unknown to the EC2 API and to the list")


def by_type(answers: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Answers of DescribeInstanceTypes by type."""
    return {str(answer["InstanceType"]): answer for answer in answers}
