"""Looks at the hypervisor of old families as EC2 describes it."""

from config.models import CommonSettings
from nitro_attestation.hypervisor import is_listed_xen
from stacks.nitro_attestation.settings import NitroAttestationSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

FAMILIES = ("f1", "g2", "g3", "p2", "p3")


def _xen(common: CommonSettings, settings: NitroAttestationSettings, clients: Clients) -> Seen:
    wanted = [{"Name": "instance-type", "Values": [f"{family}.*" for family in FAMILIES]}]
    pages = clients("ec2").get_paginator("describe_instance_types").paginate(Filters=wanted)
    found = {item["InstanceType"]: item.get("Hypervisor", "none") for page in pages for item in page["InstanceTypes"]}
    if other := {name: said for name, said in found.items() if (said == "xen") != is_listed_xen(name)}:
        return Seen("refuted", f"{other}")
    here = {name.partition(".")[0] for name in found}
    says = f"{len(found)} types are xen; this Region lacks {', '.join(sorted(set(FAMILIES) - here)) or 'none'}"
    return Seen("confirmed" if here == set(FAMILIES) else "seen" if found else "open", says)


def _deployer(common: CommonSettings, settings: NitroAttestationSettings, clients: Clients) -> Seen:
    """Which roles CloudFormation has assumed for the stacks in this account."""
    pages = clients("cloudformation").get_paginator("describe_stacks").paginate()
    roles = sorted({str(stack["RoleARN"]) for page in pages for stack in page["Stacks"] if "RoleARN" in stack})
    if not roles:
        return Seen("open", "no stack here was deployed by a role")
    return Seen("seen", ", ".join(role.rpartition("/")[2] for role in roles))


LOOKS = (
    Look("That f1, g2, g3, p2 and p3 are Xen", ("ec2:DescribeInstanceTypes",), _xen),
    Look("The role that CloudFormation assumes where", ("cloudformation:DescribeStacks",), _deployer),
)
