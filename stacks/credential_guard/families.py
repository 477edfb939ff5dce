"""Instance types that AWS lists for Credential Guard, and why others are refused.

Only AWS's list decides: types that are not on it may offer NitroTPM and UEFI too.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/credential-guard.html
"""

import re
from collections.abc import Collection

LISTED = frozenset(
    {
        "c5", "c5d", "c5n", "c6i", "c6id", "c6in", "c7i", "c7i-flex", "m5", "m5d", "m5dn", "m5n", "m5zn", "m6i",
        "m6id", "m6idn", "m6in", "m7i", "m7i-flex", "r5", "r5b", "r5d", "r5dn", "r5n", "r6i", "r6id", "r6idn", "r6in",
        "r7i", "r7iz", "t3",
    }
)  # fmt: skip
LEFT_OUT = frozenset({"c7i.48xlarge", "m7i.48xlarge", "r7i.48xlarge"})
"""Sizes of listed families that the page excludes."""

# Hypervisor "xen" of DescribeInstanceTypes, and former families: https://docs.aws.amazon.com/ec2/latest/instancetypes/
XEN = frozenset(
    {
        "c1", "c3", "c4", "cc1", "cc2", "cg1", "cr1", "d2", "g2", "g3", "g3s", "h1", "hi1", "hs1", "i2", "i3", "m1",
        "m2", "m3", "m4", "p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e",
    }
)  # fmt: skip
"""Families on the Xen hypervisor, which has no NitroTPM."""


def refused(instance_type: str, also_allow: Collection[str] = ()) -> str | None:
    """Why Credential Guard is not supported on a type; None if it is.

    Args:
        also_allow: families that AWS has added to its list since. Hardware limits still apply to them.
    """
    if instance_type != instance_type.lower():
        return f"must be in lower case; write {instance_type.lower()}"
    family, _, size = instance_type.partition(".")
    if size.startswith("metal"):
        return "must not be bare metal, which has no NitroTPM; choose another size"
    if instance_type in LEFT_OUT:
        return "must not be this size, which AWS's list excludes; choose a smaller one"
    if family in LISTED:
        return None
    if family in XEN:
        return "must be on the Nitro System for NitroTPM, and this family is on Xen; choose one such as m7i.large"
    if family == "a1" or re.match(r"^[a-z]+\d+[a-z]*g", family):
        return "must be of architecture x86_64 for Windows, and this family is Graviton; choose one such as m7i.large"
    if re.match(r"^[a-z]+\d+[a-z]*a", family):
        return "must be Intel, as all of AWS's list is, and this family is AMD; choose one such as m7i.large"
    if family in also_allow:
        return None
    return "must be of a family on AWS's list; choose one such as m7i.large, or add a newly listed family to also_allow"
