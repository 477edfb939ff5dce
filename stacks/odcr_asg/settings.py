"""Section ``solutions.odcr_asg`` of config/config.yaml."""

import re
from datetime import UTC
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from config.models import CommonSettings, SolutionSettings
from stacks.odcr_asg.placement import per_zone

# The letter is the zone's place in the network's range, which has six (stacks/shared/network.py).
ZoneName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d[a-f]$", examples=["eu-central-1a"])]
# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html: g behind the generation is Graviton.
GRAVITON = re.compile(r"^(a1|[a-z]+\d+[a-z]*g[a-z]*)[.-]")


class OdcrAsgSettings(SolutionSettings):
    """A group whose instances find capacity even when a zone is lost, because it is reserved in the others."""

    required_instances: Annotated[int, Field(ge=1, le=1_000)] = 6
    """So many instances always run, also when one zone is lost."""
    max_instances: Annotated[int, Field(ge=1, le=5_000)] = 12
    """Largest size of the group; what is above the reservations runs on unreserved capacity, if there is any."""
    zones: Annotated[int, Field(ge=2, le=6)] = 3
    """Availability Zones of the solution's own network; the loss of one is survived."""
    zone_names: Annotated[tuple[ZoneName, ...], Field(max_length=6)] = ()
    """These zones by name, such as eu-central-1a, instead of the first so many of the Region."""
    instance_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["r6i.4xlarge"])] = (
        "t4g.nano"
    )
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
    """How the instances reach out: not at all but to S3 and DynamoDB, by public addresses, or by a NAT gateway."""
    zonal_shift: bool = False
    """true registers the group with Application Recovery Controller, so that you can start a zonal shift."""
    drills: bool = True
    """Deploys the three drills as Systems Manager Automation documents; nothing runs until you start one."""
    drill_minutes: Annotated[int, Field(ge=1, le=1_440)] = 5
    """A drill holds its changed state so long before it looks and puts everything back."""

    @property
    def architecture(self) -> Literal["arm64", "x86_64"]:
        """Of the instance type, and so of the image."""
        return "arm64" if GRAVITON.match(self.instance_type) else "x86_64"

    def zone_count(self, common: CommonSettings) -> int:
        """Zones of the group: one for each subnet of an existing network."""
        return len(common.vpc.subnet_ids) if common.vpc else len(self.zone_names) or self.zones

    def reserved_per_zone(self, common: CommonSettings) -> int:
        """Reservations of each zone."""
        return per_zone(self.required_instances, self.zone_count(common))

    @property
    def ends_at(self) -> str | None:
        """The end date as EC2 takes it."""
        return self.end_date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if self.end_date else None

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.required_instances > self.max_instances:
            raise ValueError(
                f"required_instances {self.required_instances} is above max_instances {self.max_instances}; "
                "raise or lower one"
            )
        return self

    @model_validator(mode="after")
    def _zones_are_named_once(self) -> Self:
        if len(self.zone_names) == 1:
            raise ValueError("zone_names names one zone, whose loss nothing would survive; name two or more")
        if len(set(self.zone_names)) < len(self.zone_names):
            raise ValueError("zone_names names a zone twice; name each once")
        if len({name[:-1] for name in self.zone_names}) > 1:
            raise ValueError("zone_names names zones of several Regions; name those of one")
        if self.zone_names and "zones" in self.model_fields_set and self.zones != len(self.zone_names):
            raise ValueError(f"zones is {self.zones}, zone_names names {len(self.zone_names)}; remove one of the two")
        return self

    @model_validator(mode="after")
    def _there_is_such_hardware(self) -> Self:
        if self.instance_type.startswith("mac"):
            raise ValueError("instance_type is a Mac, which runs on Dedicated Hosts only; choose another")
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """Zones belong to a network of our own, and to the configured Region."""
        if not self.enabled:
            return []
        if common.vpc is None:
            region = self.zone_names[0][:-1] if self.zone_names else common.region
            if common.region in (None, region):
                return []
            return [("zone_names", f"are of {region}, common.region is {common.region}; correct one")]
        ignored: list[tuple[str, str]] = [
            (key, "has no effect with common.vpc, whose subnets decide; remove it or common.vpc")
            for key in ("network", "zones", "zone_names")
            if key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default
        ]
        if len(common.vpc.subnet_ids) not in range(2, 7):
            count = len(common.vpc.subnet_ids)
            ignored.append(
                (
                    "enabled",
                    f"needs 2 to 6 subnets in common.vpc, one in each zone, got {count}; add some, or set false",
                )
            )
        return ignored
