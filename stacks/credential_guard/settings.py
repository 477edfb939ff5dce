"""Section ``solutions.credential_guard`` of config/config.yaml."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, Tag, common_rule, rule
from config.schedules import AssociationSchedule, TimeOfDay
from config.types import TargetTagKey, ZoneName, repeated
from stacks.credential_guard.families import refused
from stacks.credential_guard.table import Window

CONFIRMATION = "this cannot be undone on EC2"
"""The text for ``uefi_lock_confirmation``: undoing the lock needs a key press at a prompt before Windows starts."""

Family = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,20}$", examples=["m8i"])]
Type = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,20}\.[A-Za-z0-9-]{1,20}$", examples=["m7i.large"])]


def _boots_uefi(value: object) -> object:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instance-boot-mode.html."""
    if isinstance(value, str) and re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d(-[a-z0-9]+)+-\d[a-z]", value):
        raise ValueError(
            "must be an Availability Zone: Local Zones and Wavelength Zones boot no UEFI; choose one or null"
        )
    return value


Zone = Annotated[ZoneName, BeforeValidator(_boots_uefi)]


def _calendar(name: str) -> str:
    if not re.fullmatch(r"[\w.:/-]{3,128}", name):
        raise ValueError("must be the name or ARN of a change calendar, 3 to 128 characters; correct it")
    return name


Calendar = Annotated[str, Field(examples=["maintenance"]), AfterValidator(_calendar)]


class HostTag(Tag):
    """Tag of the hosts, by which State Manager selects them."""

    key: TargetTagKey
    """Key of the tag."""


class RebootWindow(Section):
    """When hosts may reboot, in UTC."""

    day: Literal["DAILY", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] = "SUN"
    """Day of the week, or DAILY."""
    start: TimeOfDay = "02:00"
    """Start of the window, UTC."""
    hours: Annotated[int, Field(ge=1, le=23)] = 4
    """Length of the window in hours; no reboot starts after it."""

    @property
    def table(self) -> Window:
        """The window as the script reads it."""
        hour, minute = map(int, self.start.split(":"))
        return Window(self.day, 60 * hour + minute, 60 * self.hours)

    @property
    def schedule(self) -> str:
        """When State Manager begins."""
        hour, minute = map(int, self.start.split(":"))
        return f"cron({minute} {hour} ? * {'*' if self.day == 'DAILY' else self.day} *)"


class CredentialGuardSettings(SolutionSettings):
    """Credential Guard on Windows instances: turned on, kept on, and audited."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network", "zone")

    instance_type: Type | None = "t3.medium"
    """Type of the Windows instance that the stack launches, on AWS's list. null: none, only instances that you tag."""
    also_allow: Annotated[tuple[Family, ...], Field(max_length=50)] = ()
    """Families that AWS has added to its list since this version."""
    server: Literal["2016", "2019", "2022", "2025"] = "2022"
    """Windows Server version of the instance."""
    core: bool = False
    """true: Windows Server Core, without a desktop."""
    network: Literal["public", "nat", "endpoints"] = "public"
    """How the instance reaches Systems Manager; none of them allows inbound traffic."""
    zone: Zone | None = None
    """Availability Zone of the instance. null: the first of the Region."""
    rdp: Literal["session-manager", "instance-connect-endpoint"] = "session-manager"
    """Tunnel for Remote Desktop; the endpoint is the solution's own."""
    accept_instance_replacement: bool = False
    """true lets an update replace the instance, which loses its volume."""
    accept_endpoint_replacement: bool = False
    """true lets an update replace the endpoint, but only into another VPC, because a VPC has at most one endpoint."""
    tag: HostTag = HostTag(key="credential-guard", value="enabled")
    """Tag of the hosts: the stack's instance has it, and your own instances join with it."""
    platform_security: Literal["secure-boot", "secure-boot-and-dma"] = "secure-boot"
    """What virtualization-based security requires; with DMA protection it needs an instance with an IOMMU."""
    uefi_lock: bool = False
    """true locks Credential Guard in the firmware permanently; see uefi_lock_confirmation."""
    uefi_lock_confirmation: str | None = None
    """With uefi_lock: exactly "this cannot be undone on EC2"."""
    reboot: Literal["first-time", "window", "never"] = "first-time"
    """When Apply reboots: first-time: only to turn it on; window: after any change, in the window; never."""
    window: RebootWindow | None = None
    """With reboot window: when hosts may reboot, in UTC."""
    calendars: Annotated[tuple[Calendar, ...], Field(max_length=5)] = ()
    """Change calendars that must be open for values to be written."""
    reapply: AssociationSchedule = "rate(1 day)"
    """Schedule on which values are compared and corrected; with reboot window, its start applies instead."""
    audit_hours: Annotated[int, Field(ge=1, le=168)] = 6
    """Hours between two audits; a host without an audit for twice as long is silent."""

    @rule
    def _type_is_supported(self) -> Iterator[Problem]:
        if self.instance_type and (problem := refused(self.instance_type, self.also_allow)):
            yield Problem("instance_type", problem)

    @rule
    def _families_once(self) -> Iterator[Problem]:
        for index in repeated(self.also_allow):
            yield Problem(("also_allow", index), "must not be listed twice; remove one")

    @rule
    def _calendars_once(self) -> Iterator[Problem]:
        for index in repeated(self.calendars):
            yield Problem(("calendars", index), "must not be listed twice; remove one")

    @rule
    def _version_is_supported(self) -> Iterator[Problem]:
        if self.server == "2016":
            yield Problem(
                "server", "should be newer, because support of 2016 ends on 12 January 2027; choose 2022", warning=True
            )
        if self.server == "2025":
            yield Problem(
                "server",
                "should be 2022, because copies of AWS's page disagree on whether 2025 supports Credential Guard",
                warning=True,
            )

    @rule
    def _lock_is_confirmed(self) -> Iterator[Problem]:
        if self.uefi_lock and self.uefi_lock_confirmation != CONFIRMATION:
            yield Problem(
                "uefi_lock",
                "must be false without its confirmation: the lock cannot be undone on EC2, where nobody can press a "
                f"key before Windows starts; set uefi_lock_confirmation to {CONFIRMATION!r} if you want it",
            )
        if self.uefi_lock_confirmation and not self.uefi_lock:
            yield Problem("uefi_lock_confirmation", "must be null without uefi_lock; remove it")

    @rule
    def _window_belongs_to_its_mode(self) -> Iterator[Problem]:
        if self.reboot == "window" and self.window is None:
            yield Problem("window", "must be set with reboot window; set its day, start and hours")
        if self.window is not None and self.reboot != "window":
            yield Problem("window", "must be null unless reboot is window; remove it, or set reboot to window")

    @rule
    def _endpoint_leads_somewhere(self) -> Iterator[Problem]:
        if self.rdp == "instance-connect-endpoint" and self.instance_type is None:
            yield Problem("rdp", "must be session-manager without an instance; change it, or set instance_type")

    @common_rule
    def _endpoint_is_the_only_one(self, common: CommonSettings) -> Iterator[Problem]:
        if self.rdp == "instance-connect-endpoint" and common.vpc:
            yield Problem(
                "rdp",
                "must be session-manager with common.vpc, because a VPC has only one endpoint; use the one of "
                "instance_connect_endpoint",
            )

    @common_rule
    def _zone_is_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        if self.zone and common.region and self.zone[:-1] != common.region:
            yield Problem("zone", f"must be in common.region {common.region}; correct one of the two")

    @common_rule
    def _image_is_there(self, common: CommonSettings) -> Iterator[Problem]:
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instance-with-uefi-sb.html
        if self.instance_type and (common.region or "").startswith("cn-"):
            yield Problem(
                "instance_type", "must be null in China, where AWS has no Windows image with Secure Boot; set null"
            )

    @property
    def image_parameter(self) -> str:
        """Public parameter of the newest image with NitroTPM and Microsoft's Secure Boot keys."""
        kind = "Core" if self.core else "Full"
        return f"/aws/service/ami-windows-latest/TPM-Windows_Server-{self.server}-English-{kind}-Base"

    @property
    def lsa(self) -> int:
        """LsaCfgFlags: 2: on; 1: on and locked."""
        return 1 if self.uefi_lock else 2

    @property
    def platform(self) -> int:
        """RequirePlatformSecurityFeatures: 1: Secure Boot; 3: with DMA protection."""
        return 3 if self.platform_security == "secure-boot-and-dma" else 1

    @property
    def apply_schedule(self) -> str:
        """When State Manager writes values."""
        return self.window.schedule if self.window else self.reapply

    @property
    def audit_schedule(self) -> str:
        """When State Manager audits."""
        return f"rate({self.audit_hours} {'hour' if self.audit_hours == 1 else 'hours'})"
