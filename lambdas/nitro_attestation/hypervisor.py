"""What an instance type runs on. Pure: no AWS in here.

The list of Xen types is closed: AWS has built on nothing but Nitro since 2017, so that it only loses members. The API
is asked first and the list second, because types that AWS has retired leave the API while a stopped instance keeps its
type. Two fields that look like answers are none: DescribeInstances and DescribeImages say ``xen`` for Nitro instances
too (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["nitro", "metal", "xen", "unknown"]

LISTED = "2026-08-02"
"""The day of the list. A test holds it against the API's enum of botocore and against a table of all types."""
XEN_FAMILIES = (
    *("c1", "c3", "c4", "cc1", "cc2", "cg1", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1", "hi1", "hs1", "i2"),
    *("m1", "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e"),
)
"""Families of which every size is Xen: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html"""
XEN_PATTERNS = (*(f"{family}.*" for family in XEN_FAMILIES), "i3.*large")
"""The same for IAM's StringLike. ``i3.metal`` is the one size of its family without a hypervisor, and passes."""


@dataclass(frozen=True)
class Platform:
    """What a type runs on, and who says so.

    Attributes:
        source: ``EC2 API``, or the list with its day.
    """

    kind: Kind
    source: str


def is_listed_xen(instance_type: str) -> bool:
    """Whether the closed list has a type."""
    family, _, size = instance_type.partition(".")
    return family in XEN_FAMILIES or (family == "i3" and size.endswith("large"))


def platform_of(instance_type: str, described: Mapping[str, Mapping[str, Any]]) -> Platform:
    """What a type runs on.

    Args:
        described: answers of DescribeInstanceTypes by type. Bare metal has no ``Hypervisor`` there, so that "not nitro"
            would accuse it.
    """
    if answer := described.get(instance_type):
        if answer.get("Hypervisor") == "xen":
            return Platform("xen", "EC2 API")
        if answer.get("Hypervisor") == "nitro":
            return Platform("nitro", "EC2 API")
        return Platform("metal" if answer.get("BareMetal") else "unknown", "EC2 API")
    if is_listed_xen(instance_type):
        return Platform("xen", f"list of {LISTED}")
    return Platform("unknown", "neither the EC2 API nor the list has it")


def by_type(answers: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Answers of DescribeInstanceTypes by their type."""
    return {str(answer["InstanceType"]): answer for answer in answers}
