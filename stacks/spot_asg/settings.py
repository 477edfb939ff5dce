"""Section ``solutions.spot_asg`` of config/config.yaml: the post's practices, and its recommendations as defaults."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from config.models import CommonSettings, Section, SolutionSettings
from stacks.shared.instance_attributes import InstanceSettings

InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,20}\.[a-z0-9-]{1,20}$", examples=["m7g.large"])]
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$")]
TargetGroupArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[\w-]*:elasticloadbalancing:[\w-]+:\d{12}:targetgroup/[\w-]+/[0-9a-f]+$",
    ),
]

DIVERSE = 3
"""So many types are the least that the post, and the placement score, call flexible."""
NOTICE_SECONDS = 120
"""How long before an interruption EC2 warns
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html)."""
WATCH_SECONDS = 5
"""How often the page above advises an instance to look for the notice."""


class OffPeakSettings(Section):
    """Off-peak hours, in which there is more unused capacity: the group grows for them, and shrinks after."""

    begins: str = "20:00"
    """Time of the day, in quotes, when they begin."""
    ends: str = "06:00"
    """Time of the day, in quotes, when they end; earlier than begins: on the next day."""
    time_zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", examples=["Europe/Berlin"])] = "Etc/UTC"
    """IANA name of the time zone of both; daylight saving time is followed."""
    instances: Annotated[int, Field(ge=1, le=500)] = 2
    """Smallest size of the group in these hours; outside of them it is min_instances."""

    @field_validator("begins", "ends", mode="before")
    @classmethod
    def _time_of_day(cls, value: Any) -> Any:
        hours, _, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
        if not (len(hours) == len(minutes) == 2 and f"{hours}{minutes}".isdecimal()):
            raise ValueError(f"must be a time of the day in quotes, such as '20:00', got {value!r}")
        if int(hours) > 23 or int(minutes) > 59:
            raise ValueError(f"{value!r} is no time of the day; '00:00' to '23:59'")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        known = available_timezones()  # none on a machine without a time zone database: then EC2 Auto Scaling judges
        if known and value not in known:
            close = get_close_matches(value, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "for example 'Europe/Berlin'"
            raise ValueError(f"no time zone of the IANA database is called {value!r}; {hint}")
        return value

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.begins == self.ends:
            raise ValueError(f"begins and ends are both {self.begins!r}; off-peak hours need two different times")
        return self

    def recurrence(self, time_of_day: str) -> str:
        """A time of the day as the cron expression of a scheduled action."""
        hours, minutes = time_of_day.split(":")
        return f"{int(minutes)} {int(hours)} * * *"


class ScoreSettings(Section):
    """What ``python -m stacks spot_asg score`` asks for.

    A new question counts against a limit of EC2; the same one again does not, so keep these stable.
    """

    regions: Annotated[tuple[RegionName, ...], Field(max_length=10)] = ()
    """Regions to score, at most 10; empty: all, of which EC2 names the ten best."""
    capacity: Annotated[int, Field(ge=1, le=2_000_000_000)] | None = None
    """Spot Instances to score for. null: max_instances without those that are On-Demand."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.regions)) < len(self.regions):
            raise ValueError("regions names a Region twice; list each once")
        return self


class SpotAsgSettings(SolutionSettings):
    """An Auto Scaling group of Spot Instances after the post's best practices."""

    types: Annotated[tuple[InstanceType, ...], Field(max_length=40)] = ()
    """Instance types to diversify over, at least three, all of the architecture. Empty: all that fit attributes."""
    attributes: InstanceSettings = InstanceSettings()
    """Attribute-based selection, which takes up new types as they appear; plays no part where types are listed."""
    generations: Annotated[tuple[Literal["current", "previous"], ...], Field(min_length=1, max_length=2)] = (
        "current",
        "previous",
    )
    """Generations that attribute-based selection may take; previous ones often have more unused capacity."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor architecture of the instances."""
    allocation_strategy: Literal[
        "price-capacity-optimized", "capacity-optimized", "capacity-optimized-prioritized", "lowest-price"
    ] = "price-capacity-optimized"
    """How EC2 picks among the Spot pools. capacity-optimized-prioritized takes types in their order."""
    lowest_price_pools: Annotated[int, Field(ge=1, le=20)] | None = None
    """lowest-price only: over so many of the cheapest pools of a zone. null: EC2's own, 2."""
    on_demand_base: Annotated[int, Field(ge=0, le=500)] = 0
    """So many instances are On-Demand before any is Spot."""
    on_demand_percentage: Annotated[int, Field(ge=0, le=99)] = 0
    """Percent of the instances above the base that are On-Demand; the rest is Spot."""
    min_instances: Annotated[int, Field(ge=0, le=500)] = 0
    """Smallest size of the group."""
    max_instances: Annotated[int, Field(ge=1, le=500)] = 6
    """Largest size of the group; a replacement of an instance at risk may exceed it for a while."""
    off_peak: OffPeakSettings | None = None
    """Scheduled scaling for off-peak hours. null: none."""
    score: ScoreSettings = ScoreSettings()
    """The question of the placement score."""
    network: Literal["public", "nat", "endpoints"] = "public"
    """How the instances reach AWS: public addresses without ingress, a NAT gateway, or no way but S3's endpoint."""
    zones: Annotated[int, Field(ge=2, le=6)] = 3
    """Availability Zones of the solution's own network; every one is as many pools more."""
    instance_warmup_seconds: Annotated[int, Field(ge=0, le=3_600)] = 120
    """Seconds from the start of an instance until it counts as ready."""
    load_balancer: bool = False
    """true: an internal load balancer with a target group in front of the group; it bills its hours."""
    target_group_arns: Annotated[tuple[TargetGroupArn, ...], Field(max_length=50)] = ()
    """Your own target groups, of type instance, that the instances register with."""
    drain_seconds: Annotated[int, Field(ge=0, le=110)] = 60
    """With target groups: so long requests in flight may take, before the application is stopped."""
    stop_seconds: Annotated[int, Field(ge=1, le=110)] = 30
    """So long the application may take to stop."""
    drain_on_rebalance: bool = True
    """true: a rebalance recommendation deregisters the instance, while half of the group stays healthy behind it."""
    alarm_interruptions: Annotated[int, Field(ge=1, le=500)] = 3
    """More interruptions than so many within five minutes ring an alarm."""
    experiment_instances: Annotated[int, Field(ge=0, le=100)] = 1
    """So many Spot Instances the fault injection experiment interrupts. 0: none is made, for Regions without FIS."""
    metric_namespace: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._#:/-]{0,254}$", examples=["ComputeBlog/SpotAsg"])
    ] = "ComputeBlog/SpotAsg"
    """CloudWatch namespace of the solution's metrics; not AWS/..., which is CloudWatch's."""

    @property
    def balanced(self) -> bool:
        """Whether the instances stand behind any target group."""
        return self.load_balancer or bool(self.target_group_arns)

    @property
    def serve_seconds(self) -> int:
        """How long an instance that is to go serves on: nobody needs it without target groups."""
        return self.drain_seconds if self.balanced else 0

    @property
    def leave_seconds(self) -> int:
        """From the beginning of a termination to the moment when the instance is done with it."""
        return WATCH_SECONDS + self.serve_seconds + self.stop_seconds

    def on_demand(self, instances: int) -> int:
        """How many of so many instances are On-Demand: the base, and of the rest the percentage, rounded up."""
        base = min(instances, self.on_demand_base)
        return base + -(-(instances - base) * self.on_demand_percentage // 100)

    @property
    def scored_capacity(self) -> int:
        """Spot Instances that the placement score is asked about."""
        return self.score.capacity or max(1, self.max_instances - self.on_demand(self.max_instances))

    @field_validator("metric_namespace")
    @classmethod
    def _namespace_is_ours(cls, value: str) -> str:
        if value.startswith("AWS/"):
            raise ValueError(f"{value!r} begins with AWS/, which CloudWatch keeps for AWS services; choose another")
        return value

    @field_validator("types", "target_group_arns", "generations")
    @classmethod
    def _nothing_twice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({item for item in value if value.count(item) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice)} twice; list each once")
        return value

    @model_validator(mode="after")
    def _diverse(self) -> Self:
        if 0 < len(self.types) < DIVERSE:
            raise ValueError(
                f"types lists {len(self.types)}; Spot needs at least {DIVERSE} to choose from, "
                "or none, and then attributes decide"
            )
        if self.types and self.attributes != InstanceSettings():
            raise ValueError("types are listed, so that attributes would have no effect; remove one")
        return self

    @model_validator(mode="after")
    def _strategy_fits(self) -> Self:
        if self.lowest_price_pools is not None and self.allocation_strategy != "lowest-price":
            raise ValueError(
                f"lowest_price_pools goes with allocation_strategy lowest-price, not {self.allocation_strategy}; "
                "remove it"
            )
        if self.allocation_strategy == "capacity-optimized-prioritized" and not self.types:
            raise ValueError(
                "allocation_strategy capacity-optimized-prioritized takes types in their order, and none is listed; "
                "list them, or choose price-capacity-optimized"
            )
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.min_instances > self.max_instances:
            raise ValueError(
                f"min_instances {self.min_instances} is above max_instances {self.max_instances}; raise or lower one"
            )
        if self.off_peak and not self.min_instances <= self.off_peak.instances <= self.max_instances:
            raise ValueError(
                f"off_peak.instances {self.off_peak.instances} is not between min_instances {self.min_instances} "
                f"and max_instances {self.max_instances}; change one"
            )
        if self.on_demand_base >= self.max_instances:
            raise ValueError(
                f"on_demand_base {self.on_demand_base} leaves no Spot Instance of max_instances "
                f"{self.max_instances}; lower it"
            )
        return self

    @model_validator(mode="after")
    def _leaves_in_time(self) -> Self:
        if self.leave_seconds > NOTICE_SECONDS - WATCH_SECONDS:
            raise ValueError(
                f"drain_seconds {self.serve_seconds} and stop_seconds {self.stop_seconds} do not fit into the "
                f"{NOTICE_SECONDS} seconds before an interruption; together at most "
                f"{NOTICE_SECONDS - 2 * WATCH_SECONDS}"
            )
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """``network`` and ``zones`` describe a network of our own; a load balancer needs two subnets."""
        if common.vpc is None:
            return []
        found: list[tuple[str, str]] = [
            (key, "has no effect with common.vpc, whose subnets decide; remove it or common.vpc")
            for key in ("network", "zones")
            if key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default
        ]
        if self.load_balancer and len(common.vpc.subnet_ids) < 2:
            found.append(("load_balancer", "needs at least two subnets in common.vpc, in two zones; add one"))
        return found
