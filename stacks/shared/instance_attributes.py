"""Which instance types may run something, by their attributes: a section of several solutions. No aws_cdk in here."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from config.models import Problem, Section, rule
from config.types import repeated

InstanceTypePattern = Annotated[str, Field(pattern=r"^[a-z0-9.*-]{1,30}$", examples=["m7g.*"])]
Percent = Annotated[int, Field(ge=0, le=10_000)]


class Between(Section):
    """A range; null as maximum means no upper bound."""

    min: Annotated[int, Field(ge=0)] = 0
    """Smallest value."""
    max: Annotated[int, Field(ge=1)] | None = None
    """Largest value. null: no upper bound."""

    @rule
    def _not_empty(self) -> Iterator[Problem]:
        if self.max is not None and self.min > self.max:
            yield Problem("min", f"must be at most max, which is {self.max}; lower min or raise max")

    def limits(self) -> dict[str, int]:
        """The range as the API of EC2 takes it."""
        return {"Min": self.min} if self.max is None else {"Min": self.min, "Max": self.max}


class InstanceSettings(Section):
    """Attribute-based instance type selection: which instance types may run the workers.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-mixed-instances-group-attribute-based-instance-type-selection.html
    """

    vcpu: Between = Between(min=2, max=4)
    """vCPUs of one instance."""
    memory_mib: Between = Between(min=2048)
    """Memory of one instance in MiB."""
    burstable: Literal["included", "excluded", "required"] = "included"
    """Whether burstable (T) types may, may not or must be used."""
    local_storage: Literal["included", "excluded", "required"] = "included"
    """Whether types with instance store volumes may, may not or must be used."""
    local_storage_types: Annotated[tuple[Literal["hdd", "ssd"], ...], Field(max_length=2)] = ()
    """Kinds of instance store volumes; empty: any."""
    total_local_storage_gb: Between | None = None
    """Instance store of one instance in GB. null: any."""
    allowed_types: Annotated[tuple[InstanceTypePattern, ...], Field(max_length=400)] = ()
    """Only these, with * as wildcard, for example m7g.*; empty: all that fit."""
    excluded_types: Annotated[tuple[InstanceTypePattern, ...], Field(max_length=400)] = ()
    """None of these, with * as wildcard."""
    spot_max_percent_over_lowest_price: Percent | None = None
    """Spot price protection against the cheapest fitting type, in percent above it. null: EC2's own."""
    spot_max_percent_of_on_demand_price: Percent | None = None
    """Spot price protection against the On-Demand price of that type, in percent of it. null: EC2's own."""

    @rule
    def _something_is_left(self) -> Iterator[Problem]:
        if self.allowed_types and self.excluded_types:
            yield Problem("excluded_types", "must be empty with allowed_types: EC2 takes one of the two; remove one")
        for index, pattern in enumerate(self.excluded_types):
            if pattern in ("*", "*.*"):
                yield Problem(
                    ("excluded_types", index), "must not exclude every instance type; name families, as in 'c5*'"
                )

    @rule
    def _local_storage_fits(self) -> Iterator[Problem]:
        for key in ("local_storage_types", "total_local_storage_gb"):
            if self.local_storage == "excluded" and getattr(self, key):
                yield Problem(key, "must be left out with local_storage excluded; remove one of the two")
        for index in repeated(self.local_storage_types):
            yield Problem(("local_storage_types", index), "must not be listed twice; remove one")

    @rule
    def _one_price_limit(self) -> Iterator[Problem]:
        if None not in (self.spot_max_percent_over_lowest_price, self.spot_max_percent_of_on_demand_price):
            yield Problem(
                "spot_max_percent_of_on_demand_price",
                "must be left out with spot_max_percent_over_lowest_price: EC2 takes one of the two; remove one",
            )

    def requirements(self, generations: Sequence[str]) -> dict[str, Any]:
        """The attributes as the API of EC2 takes them.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceRequirementsRequest.html

        Args:
            generations: ``current``, ``previous``, or both.
        """
        wanted: dict[str, Any] = {
            "VCpuCount": self.vcpu.limits(),
            "MemoryMiB": self.memory_mib.limits(),
            "BurstablePerformance": self.burstable,
            "InstanceGenerations": list(generations),
            "LocalStorage": None if self.local_storage == "included" else self.local_storage,
            "LocalStorageTypes": list(self.local_storage_types),
            "TotalLocalStorageGB": self.total_local_storage_gb.limits() if self.total_local_storage_gb else None,
            "AllowedInstanceTypes": list(self.allowed_types),
            "ExcludedInstanceTypes": list(self.excluded_types),
            "SpotMaxPricePercentageOverLowestPrice": self.spot_max_percent_over_lowest_price,
            "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice": self.spot_max_percent_of_on_demand_price,
        }
        return {name: value for name, value in wanted.items() if value not in (None, [])}


def on_demand_of(instances: int, *, base: int, percentage: int) -> int:
    """How many of a group's instances are On-Demand: the base, and of the rest the percentage, rounded up.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html
    """
    first = min(instances, base)
    return first + -(-(instances - first) * percentage // 100)


def is_arm(instance_type: str) -> bool:
    """Whether a type has a Graviton processor: a ``g`` after the generation, as in t4g, m7gd or g5g, or a1."""
    family = instance_type.partition(".")[0]
    return family == "a1" or re.match(r"^[a-z]+\d+[a-z]*g", family) is not None


def of_another_architecture(key: str, types: Sequence[str], architecture: str) -> Iterator[Problem]:
    """Types, or patterns of types, of a list that can only mean the other processor architecture.

    Args:
        key: of the list.
        architecture: ``arm64`` or ``x86_64``.
    """
    for index, name in enumerate(types):
        family = name.partition(".")[0]
        if "*" not in family and is_arm(name) != (architecture == "arm64"):
            yield Problem((key, index), f"must be of architecture {architecture}; choose another type, or architecture")
