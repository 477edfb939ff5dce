"""Section ``solutions.local_zone_guardrails`` of config/config.yaml."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from config.models import Problem, rule
from config.types import LocalZoneName
from stacks.guardrails import statements
from stacks.guardrails.fields import Switches
from stacks.guardrails.settings import GuardrailSettings
from stacks.guardrails.statements import Statement
from stacks.guardrails.warnings import subnet_warnings

ZoneId = Annotated[str, Field(pattern=r"^[a-z]{2,6}\d-[a-z]{3}\d-az\d$", examples=["usw2-lax1-az1"])]


class LocalZoneSwitches(Switches):
    """Which statements there are, by their Sid in the post."""

    DenyAllSnapshots: bool = True
    """No snapshot is made, copied or shared, or none that leaves the zone (see snapshots)."""
    DenyNotLocalZonesSubnet: bool = True
    """No instance or interface is made outside the Local Zones. Without subnets, zones or a tag: left out."""


class LocalZoneGuardrailsSettings(GuardrailSettings):
    """Guardrails that keep data in Local Zones."""

    statements: LocalZoneSwitches = LocalZoneSwitches()
    """Which statements there are."""
    snapshots: Literal["all", "leaving-zone"] = "all"
    """all: deny every snapshot, as the post. leaving-zone: only those that are not stored in the zone, their
    sharing, and all copies; for Local Zones with Amazon S3."""
    zones: Annotated[tuple[LocalZoneName, ...], Field(max_length=30)] = ()
    """Names of your Local Zones, as in us-west-2-lax-1a. For snapshots leaving-zone and subnet_condition zone."""
    zone_ids: Annotated[tuple[ZoneId, ...], Field(max_length=30)] = ()
    """Their ids, as in usw2-lax1-az1: policies then ask for name or id. With modern_actions: zones in which directory
    buckets are allowed."""

    @property
    def zone_names(self) -> tuple[str, ...]:
        """Local Zones that the statements know."""
        return self.zones

    @property
    def allowed_copies(self) -> tuple[str, ...]:
        """A copy of a volume is "within the same Availability Zone", and a Local Zone is one.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html
        """
        return ("ec2:CopyVolumes",)

    @property
    def bucket_zones(self) -> tuple[str, ...]:
        """Ids of the Local Zones in which directory buckets are allowed."""
        return self.zone_ids

    def groups(self) -> dict[str, list[Statement]]:
        """Three policies, as in the post."""
        groups = super().groups()
        if self.switched_on("DenyAllSnapshots"):
            leaving = self.snapshots == "leaving-zone"
            of_zones = (
                statements.snapshots_leaving(self, (*self.zones, *self.zone_ids))
                if leaving
                else statements.all_snapshots(self)
            )
            groups["Snapshots"] = list(of_zones)
        if self.switched_on("DenyNotLocalZonesSubnet"):
            groups["Subnets"] = list(statements.subnets(self, "DenyNotLocalZonesSubnet", (*self.zones, *self.zone_ids)))
        return groups

    def warnings(self) -> Iterator[tuple[str, str]]:
        """What synthesis says about these settings, each with an id."""
        yield from super().warnings()
        if self.switched_on("DenyAllSnapshots"):
            which = "copies" if self.snapshots == "leaving-zone" else "all snapshots"
            yield "outposts", f"DenyAllSnapshots denies {which} in the whole account, those on AWS Outposts included"
        yield from subnet_warnings(self, "DenyNotLocalZonesSubnet")

    @rule
    def _each_zone_has_its_id(self) -> Iterator[Problem]:
        if self.zone_ids and len(self.zone_ids) != len(self.zones):
            yield Problem("zone_ids", f"must have one for each of {len(self.zones)} zones, got {len(self.zone_ids)}")

    @rule
    def _zones_are_named(self) -> Iterator[Problem]:
        if self.subnet_condition == "zone" and not self.zones:
            yield Problem("subnet_condition", "must not be zone without zones; name your Local Zones in zones")
        if self.snapshots == "leaving-zone" and not self.zones:
            yield Problem("snapshots", "must not be leaving-zone without zones; name your Local Zones in zones")
