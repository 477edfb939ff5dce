"""The post's describe checks: image, type and zone before a launch, the hosts after it. They only read."""

from collections.abc import Callable, Iterator
from typing import Any

from config.models import CommonSettings
from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.credential_guard.table import COMPLIANCE_TYPE
from stacks.shared.preflight import Clients, Finding, looked_at, zones_of_get_azs

Json = dict[str, Any]
AGENT = 3
"""Major version of SSM Agent from which it continues correctly after a reboot
(https://github.com/aws/amazon-ssm-agent/issues/289)."""
NAMED = 5


def image_findings(settings: CredentialGuardSettings, clients: Clients) -> Iterator[Finding]:
    """Boot mode and TPM of the image that the parameter names at present."""
    found: list[Json] = []

    def parameter() -> Finding:
        name = settings.image_parameter
        ssm = clients("ssm")
        try:
            image_id = ssm.get_parameter(Name=name)["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return Finding(
                "image", "problem", f"{name} does not exist here", "Choose another server, or another Region"
            )
        found.extend(clients("ec2").describe_images(ImageIds=[image_id])["Images"])
        if not found:
            return Finding("image", "problem", f"{image_id} does not exist here", "Choose another server")
        return Finding("image", "ok", f"{image_id}, from {name}")

    yield looked_at("image", parameter)
    yield looked_at("image: boot mode", lambda: _is("image: boot mode", found, "BootMode", "uefi"))
    yield looked_at("image: TPM", lambda: _is("image: TPM", found, "TpmSupport", "v2.0"))


def _is(what: str, images: list[Json], key: str, wanted: str) -> Finding:
    if not images:
        return Finding(what, "unknown", "could not look: no image is known")
    value = images[0].get(key)
    if value == wanted:
        return Finding(what, "ok", f"{key} is {wanted}")
    return Finding(what, "problem", f"{key} is {value}, must be {wanted}", "Use an image whose name begins with TPM-")


def type_findings(instance_type: str, clients: Clients) -> Iterator[Finding]:
    """Hypervisor, boot mode and TPM of the type, as EC2 describes it."""
    found: list[Json] = []

    def described() -> Finding:
        found.extend(clients("ec2").describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"])
        # Bare metal has none: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html
        hypervisor = found[0].get("Hypervisor") if found else None
        if hypervisor != "nitro":
            says = f"{instance_type} has {'no hypervisor' if hypervisor is None else hypervisor}"
            return Finding("type: hypervisor", "problem", says, "Choose a type on Nitro")
        return Finding("type: hypervisor", "ok", "nitro")

    def has(what: str, key: str, holds: Callable[[Any], bool], wanted: str) -> Finding:
        if not found:
            return Finding(what, "unknown", "could not look: the type is not known")
        if holds(found[0].get(key)):
            return Finding(what, "ok", wanted)
        return Finding(what, "problem", f"{instance_type} lacks {wanted}", "Choose a type on AWS's list")

    yield looked_at("type: hypervisor", described)
    what = "type: boot mode"
    yield looked_at(what, lambda: has(what, "SupportedBootModes", lambda modes: "uefi" in (modes or []), "uefi"))
    tpm = "type: TPM"
    yield looked_at(tpm, lambda: has(tpm, "NitroTpmSupport", lambda value: value == "supported", "NitroTPM"))


def place_finding(common: CommonSettings, settings: CredentialGuardSettings, clients: Clients) -> Finding:
    """Whether instances in the zone boot with UEFI, which is not so in Local Zones, Wavelength Zones and on Outposts.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instance-boot-mode.html
    """

    def look() -> Finding:
        ec2 = clients("ec2")
        if common.vpc:
            subnet = ec2.describe_subnets(SubnetIds=[common.vpc.subnet_ids[0]])["Subnets"][0]
            if subnet.get("OutpostArn"):
                return Finding(
                    "place", "problem", "the first subnet is on an Outpost, where UEFI boot is not supported", FIX
                )
            zone = subnet["AvailabilityZone"]
        else:
            zone = settings.zone or zones_of_get_azs(clients)[0]
        kind = ec2.describe_availability_zones(ZoneNames=[zone], AllAvailabilityZones=True)["AvailabilityZones"][0]
        if kind.get("ZoneType", "availability-zone") != "availability-zone":
            return Finding("place", "problem", f"{zone} is a {kind['ZoneType']}, where UEFI boot is not supported", FIX)
        offered = ec2.describe_instance_type_offerings(
            LocationType="availability-zone",
            Filters=[
                {"Name": "location", "Values": [zone]},
                {"Name": "instance-type", "Values": [str(settings.instance_type)]},
            ],
        )["InstanceTypeOfferings"]
        if not offered:
            return Finding("place", "problem", f"{zone} does not offer {settings.instance_type}", "Choose another zone")
        return Finding("place", "ok", f"{zone} offers {settings.instance_type}")

    return looked_at("place", look)


FIX = "Choose an Availability Zone"

Look = tuple[str, Callable[[Json], bool], str]
LAUNCHED: tuple[Look, ...] = (
    (
        "TPM",
        lambda item: item.get("TpmSupport") == "v2.0",
        "Launch new ones from an image with NitroTPM; an instance keeps what it has",
    ),
    (
        "boot mode",
        lambda item: item.get("CurrentInstanceBootMode") == "uefi",
        "Launch new ones from an image with BootMode uefi",
    ),
    ("platform", lambda item: str(item.get("Platform", "")).lower() == "windows", "Remove the tag"),
    ("IMDSv2", lambda item: item.get("MetadataOptions", {}).get("HttpTokens") == "required", "Require tokens"),
    (
        "profile",
        lambda item: bool(item.get("IamInstanceProfile")),
        "Give them a role with AmazonSSMManagedInstanceCore",
    ),
)
"""What EC2 reports about each host. No EC2 API has the state of Secure Boot; the audit reports it."""


def host_findings(settings: CredentialGuardSettings, clients: Clients) -> Iterator[Finding]:
    """What the running hosts lack, one finding for each cause."""
    found: list[Json] = []
    tag = settings.tag

    def running() -> Finding:
        filters = [
            {"Name": f"tag:{tag.key}", "Values": [tag.value]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        for page in clients("ec2").get_paginator("describe_instances").paginate(Filters=filters):
            found.extend(item for reservation in page["Reservations"] for item in reservation["Instances"])
        if not found:
            return Finding("hosts", "ok", "no running instance has the tag yet", f"Tag one with {tag.key}={tag.value}")
        return Finding("hosts", "ok", f"{len(found)} running instances have the tag")

    seen = looked_at("hosts", running)
    yield seen
    ids = [item["InstanceId"] for item in found]
    if seen.status == "unknown" and not settings.uefi_lock:
        yield Finding("UEFI lock", "unknown", "could not look: the hosts are not known")
        return
    yield looked_at("UEFI lock", lambda: _lock(settings, ids, clients))
    if not found:
        return
    for what, holds, fix in LAUNCHED:
        yield _of_all(f"hosts: {what}", [item["InstanceId"] for item in found if not holds(item)], len(found), fix)
    yield looked_at("hosts: SSM Agent", lambda: _agents(ids, clients))


def _agents(ids: list[str], clients: Clients) -> Finding:
    pages = clients("ssm").get_paginator("describe_instance_information").paginate()
    managed = {item["InstanceId"]: item for page in pages for item in page["InstanceInformationList"]}
    bad = [
        name
        for name in ids
        if name not in managed
        or managed[name].get("PingStatus") != "Online"
        or int(managed[name].get("AgentVersion", "0").split(".")[0]) < AGENT
    ]
    fix = f"Check agent, role and network path to Systems Manager; the agent must be version {AGENT} or newer"
    return _of_all("hosts: SSM Agent", bad, len(ids), fix)


def _of_all(what: str, bad: list[str], number: int, fix: str) -> Finding:
    if not bad:
        return Finding(what, "ok", f"right on all {number}")
    more = f" and {len(bad) - NAMED} more" if len(bad) > NAMED else ""
    return Finding(what, "problem", f"wrong on {len(bad)} of {number}: {', '.join(bad[:NAMED])}{more}", fix)


def _lock(settings: CredentialGuardSettings, ids: list[str], clients: Clients) -> Finding:
    """What the UEFI lock means, and hosts that keep one although uefi_lock is false."""
    if settings.uefi_lock:
        says = "uefi_lock is true: hosts lock Credential Guard in their firmware, which cannot be undone on EC2"
        return Finding("UEFI lock", "ok", says)
    filters = [{"Key": "ComplianceType", "Values": [COMPLIANCE_TYPE], "Type": "EQUAL"}]
    locked = [
        instance_id
        for instance_id in ids
        for page in clients("ssm")
        .get_paginator("list_compliance_items")  # for one resource at a time
        .paginate(ResourceIds=[instance_id], ResourceTypes=["ManagedInstance"], Filters=filters)
        for item in page["ComplianceItems"]
        if item["ComplianceType"] == COMPLIANCE_TYPE and item.get("Details", {}).get("uefiLock") == "1"
    ]
    if not locked:
        return Finding("UEFI lock", "ok", "uefi_lock is false, and no host reports a lock")
    says = f"{len(locked)} are locked though uefi_lock is false: {', '.join(locked[:NAMED])}"
    return Finding("UEFI lock", "problem", says, "It cannot be undone on EC2: launch new instances, or leave it")
