"""Section ``solutions.odcr_asg`` of config/config.yaml."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from config.models import CommonSettings, Problem, SolutionSettings, common_rule, rule
from config.types import InstanceType, ZoneName, repeated
from stacks.odcr_asg.placement import per_zone
from stacks.shared.instance_attributes import is_arm

DOCUMENTS = Path(__file__).parent / "documents"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""No reservation of this app can have ended by then. Whether a later date is past, synthesis cannot know: it has no
clock. EC2 refuses it."""


class OdcrAsgSettings(SolutionSettings):
    """A group whose instances find capacity even when a zone is lost, because it is reserved in the others."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network", "zones", "zone_names")

    required_instances: Annotated[int, Field(ge=1, le=1_000)] = 6
    """Instances that always run, also when one zone is lost."""
    max_instances: Annotated[int, Field(ge=1, le=5_000)] = 12
    """Largest size of the group; what is above the reservations runs on unreserved capacity, if there is any."""
    zones: Annotated[int, Field(ge=2, le=6)] = 3
    """Availability Zones of the solution's own network; the loss of one is survived."""
    zone_names: Annotated[tuple[ZoneName, ...], Field(max_length=6)] = ()
    """Names of two to six zones, such as eu-central-1a, instead of a number of zones. Empty: the Region's first."""
    instance_type: InstanceType = "t4g.nano"
    """Type of the instances and of the reservations, which must be the same."""
    tenancy: Literal["default", "dedicated"] = "default"
    """Tenancy of the instances and of the reservations."""
    targeting: Literal["group", "launch-template"] = "group"
    """What names the reservations: the group's own specification, or the launch template as in the post."""
    zone_distribution: Literal["reservations-then-balanced", "balanced-best-effort"] = "reservations-then-balanced"
    """How the group chooses zones: where reservations are free first, or always evenly."""
    end_date: AwareDatetime | None = None
    """Reservations end then, as in 2027-01-31T18:00:00Z; instances run on, unreserved. null: until you destroy them."""
    network: Literal["isolated", "public", "nat"] = "isolated"
    """Egress of the instances: only to S3 and DynamoDB, through public addresses, or through a NAT gateway."""
    instance_warmup_seconds: Annotated[int, Field(ge=0, le=3_600)] = 60
    """Seconds from the start of an instance until it serves. A deployment that replaces instances waits as long after
    each."""
    zonal_shift: bool = False
    """true registers the group with Application Recovery Controller, so that you can start a zonal shift."""
    drills: bool = True
    """Deploys the three drills as Systems Manager Automation documents; nothing runs until you start one."""
    drill_minutes: Annotated[int, Field(ge=1, le=1_440)] = 5
    """Minutes that a drill keeps its changed state before it checks and restores everything."""

    @property
    def architecture(self) -> Literal["arm64", "x86_64"]:
        """Of the instance type, and so of the image."""
        return "arm64" if is_arm(self.instance_type) else "x86_64"

    def zone_count(self, common: CommonSettings) -> int:
        """Zones of the group: one for each subnet of an existing network."""
        return len(common.vpc.subnet_ids) if common.vpc else len(self.zone_names) or self.zones

    def reserved_per_zone(self, common: CommonSettings) -> int:
        """Reservations of each zone."""
        return per_zone(self.required_instances, self.zone_count(common))

    def places(self, common: CommonSettings) -> tuple[str, ...]:
        """What each reservation goes by in the template: its number, or the letter of a zone that is named.

        A zone that stays in ``zone_names`` so keeps its reservation: a second one beside it might not be to be had.
        """
        if self.zone_names and common.vpc is None:
            return tuple(name[-1].upper() for name in self.zone_names)
        return tuple(str(number) for number in range(1, self.zone_count(common) + 1))

    @property
    def ends_at(self) -> str | None:
        """The end date as EC2 takes it."""
        return self.end_date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if self.end_date else None

    @rule
    def _sizes_fit(self) -> Iterator[Problem]:
        if self.required_instances > self.max_instances:
            yield Problem(
                "required_instances", f"must be at most max_instances, which is {self.max_instances}; change one"
            )

    @rule
    def _zones_are_named_once(self) -> Iterator[Problem]:
        if len(self.zone_names) == 1:
            yield Problem("zone_names", "must name at least two zones, or the loss of one is the loss of all; add one")
        for index in repeated(self.zone_names):
            yield Problem(("zone_names", index), "must not be listed twice; remove one")
        for index, name in enumerate(self.zone_names):
            if name[:-1] != self.zone_names[0][:-1]:
                yield Problem(
                    ("zone_names", index), f"must be of the Region of {self.zone_names[0]}; name zones of one Region"
                )

    @rule
    def _zones_are_as_many_as_their_names(self) -> Iterator[Problem]:
        # The default gives way to names: config/config.yaml states it.
        stated = self.zones != type(self).model_fields["zones"].default
        if self.zone_names and stated and self.zones != len(self.zone_names):
            yield Problem("zones", f"must be left out with zone_names, which has {len(self.zone_names)}; remove one")

    @rule
    def _there_is_such_hardware(self) -> Iterator[Problem]:
        if self.instance_type.startswith("mac"):
            yield Problem("instance_type", "must not be a Mac, which runs on Dedicated Hosts only; choose another")

    @rule
    def _ends_in_the_future(self) -> Iterator[Problem]:
        if self.end_date and self.end_date < LONG_AGO:
            yield Problem("end_date", "must be in the future; EC2 refuses it otherwise")

    @common_rule
    def _zones_are_of_the_region(self, common: CommonSettings) -> Iterator[Problem]:
        for index, name in enumerate(self.zone_names if common.region and common.vpc is None else ()):
            if name[:-1] != common.region:
                yield Problem(
                    ("zone_names", index), f"must be of common.region {common.region}; correct one of the two"
                )

    @common_rule
    def _existing_network_has_zones(self, common: CommonSettings) -> Iterator[Problem]:
        if common.vpc and len(common.vpc.subnet_ids) not in range(2, 7):
            count = len(common.vpc.subnet_ids)
            yield Problem(
                "enabled",
                f"must be false with {count} subnet{'s' * (count != 1)} in common.vpc: the group needs 2 to 6, one in "
                "each zone; add subnets, or set false",
            )
