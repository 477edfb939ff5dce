"""Which instance types may run something, by their attributes: a section of several solutions. No aws_cdk in here."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from config.models import Section

InstanceTypePattern = Annotated[str, Field(pattern=r"^[a-z0-9.*-]{1,30}$", examples=["m7g.*"])]
Percent = Annotated[int, Field(ge=0, le=10_000)]


class Between(Section):
    """A range; null as maximum means no upper bound."""

    min: Annotated[int, Field(ge=0)] = 0
    """At least so many."""
    max: Annotated[int, Field(ge=1)] | None = None
    """At most so many."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}: no instance type fits; lower min or raise max")
        return self

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
    allowed_types: Annotated[tuple[InstanceTypePattern, ...], Field(max_length=400)] = ()
    """Only these, with * as wildcard, for example m7g.*; empty: all that fit."""
    excluded_types: Annotated[tuple[InstanceTypePattern, ...], Field(max_length=400)] = ()
    """None of these, with * as wildcard."""
    spot_max_percent_over_lowest_price: Percent | None = None
    """Spot price protection against the cheapest fitting type, in percent above it. null: EC2's own."""
    spot_max_percent_of_on_demand_price: Percent | None = None
    """Spot price protection against the On-Demand price of that type, in percent of it. null: EC2's own."""

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.allowed_types and self.excluded_types:
            raise ValueError("EC2 takes allowed_types or excluded_types, not both; remove one")
        if {"*", "*.*"} & set(self.excluded_types):
            raise ValueError("excluded_types excludes every instance type; name the families to avoid, as in 'c5*'")
        if self.memory_mib.max == 0 or self.vcpu.max == 0:
            raise ValueError("a maximum of 0 excludes every instance type")
        both = (self.spot_max_percent_over_lowest_price, self.spot_max_percent_of_on_demand_price)
        if None not in both:
            raise ValueError(
                "EC2 takes one Spot price limit: spot_max_percent_over_lowest_price or "
                "spot_max_percent_of_on_demand_price; remove one"
            )
        return self

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
            "AllowedInstanceTypes": list(self.allowed_types),
            "ExcludedInstanceTypes": list(self.excluded_types),
            "SpotMaxPricePercentageOverLowestPrice": self.spot_max_percent_over_lowest_price,
            "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice": self.spot_max_percent_of_on_demand_price,
        }
        return {name: value for name, value in wanted.items() if value not in (None, [])}


def is_arm(instance_type: str) -> bool:
    """Whether a type has a Graviton processor: a ``g`` after the generation, as in t4g, m7gd or g5g, or a1."""
    family = instance_type.partition(".")[0]
    return family == "a1" or re.match(r"^[a-z]+\d+[a-z]*g", family) is not None
