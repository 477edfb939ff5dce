"""Which instance types support enclaves or NitroTPM, judged by name, because synthesis calls no account.

The rules are those of https://docs.aws.amazon.com/enclaves/latest/user/nitro-enclave.html#nitro-enclave-reqs and
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/enable-nitrotpm-prerequisites.html, and of DescribeInstanceTypes
(2026-08-02): a test compares them with a table of 1,395 types. ``check`` asks the account's API.
"""

import re
from typing import Literal

from nitro_attestation.hypervisor import is_listed_xen

NO_ENCLAVE = frozenset(
    {"a1", "c7gn", "g5g", "im4gn", "is4gen", "p6-b200", "t3", "t3a", "t4g", "t8i", "trn1", "trn1n", "vt1"}
)
NO_TPM = frozenset(
    {"a1", "dl2q", "g5g", "hpc7a", "hpc7g", "i4g", "is4gen", "p3dn", "p4d", "p4de", "trn1", "trn1n", "vt1", "x2gd"}
    | {"u-3tb1", "u-6tb1"}
)
LARGE_WITH_TWO_CORES = frozenset(["c8a", "m8a", "m8azn", "r8a", "x8aedz"])
"""Families whose large size has two cores; other x86 families have one, which the parent keeps."""
ONE_THREAD_PER_CORE = frozenset(["c7a", "c8a", "g7", "m7a", "m8a", "m8azn", "r7a", "r8a", "x8aedz"])

Architecture = Literal["arm64", "x86_64"]


def architecture(instance_type: str) -> Architecture:
    """The architecture of a type: on Graviton the letters after the generation include a g."""
    family = instance_type.partition(".")[0]
    found = re.match(r"[a-z]+\d+([a-z]*)", family)
    return "arm64" if family == "a1" or (found and "g" in found[1]) else "x86_64"


def vcpus(instance_type: str) -> int | None:
    """vCPUs of a type with one of the usual sizes; None for another."""
    size = instance_type.partition(".")[2]
    if size in ("medium", "large"):
        return {"medium": 1, "large": 2}[size]
    found = re.fullmatch(r"(\d*)xlarge", size)
    return 4 * int(found[1] or 1) if found else None


def threads_per_core(instance_type: str) -> int:
    """vCPUs per core; an enclave takes whole cores."""
    family = instance_type.partition(".")[0]
    return 1 if architecture(instance_type) == "arm64" or family in ONE_THREAD_PER_CORE else 2


def no_enclave(instance_type: str) -> str | None:
    """Why a type supports no enclaves; None if it does."""
    family, _, size = instance_type.partition(".")
    if is_listed_xen(instance_type):
        return "it is a Xen type; choose a Nitro type such as m6g.large"
    if size.startswith("metal"):
        return "bare metal has no hypervisor for enclaves; choose m6g.large or m5.xlarge"
    if family.endswith("-flex"):
        return f"flex types support none; choose {family.removesuffix('-flex')}.xlarge"
    if family in NO_ENCLAVE or family.startswith(("hpc", "mac", "u-", "u7")):
        return f"the family {family} supports none; choose m6g.large or m5.xlarge"
    if architecture(instance_type) == "arm64":
        return "medium has a single vCPU, which the parent keeps; choose large" if size == "medium" else None
    if size == "large" and family in LARGE_WITH_TWO_CORES:
        return None
    if not size.endswith("xlarge"):
        return f"its only core stays with the parent; choose {family}.xlarge, or m6g.large"
    return None


def no_tpm(instance_type: str) -> str | None:
    """Why a type has no NitroTPM; None if it has."""
    family, _, size = instance_type.partition(".")
    if is_listed_xen(instance_type):
        return "it is a Xen type; choose a Nitro type such as m7g.large"
    if size.startswith("metal"):
        return "bare metal has none; choose m7g.large"
    if family in NO_TPM or family.startswith("mac") or instance_type == "trn2.3xlarge":
        return f"{instance_type} has none; choose m7g.large"
    return None
