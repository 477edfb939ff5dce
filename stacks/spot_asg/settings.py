"""Section ``solutions.spot_asg`` of config/config.yaml: the post's practices, and its recommendations as defaults."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.schedules import TimeOfDay, TimeZone
from config.types import InstanceType, MetricNamespace, RegionName, TargetGroupArn, repeated, unknown_region
from stacks.shared.instance_attributes import InstanceSettings, of_another_architecture, on_demand_of

DIVERSE = 3
"""Fewest types that the post, and the placement score, call flexible."""
NOTICE_SECONDS = 120
"""How long before an interruption EC2 warns
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html)."""
WATCH_SECONDS = 5
"""How often the page above advises an instance to look for the notice."""


class OffPeakSettings(Section):
    """Off-peak hours, in which there is more unused capacity: the group grows for them, and shrinks after."""

    begins: TimeOfDay = "20:00"
    """Time of the day at which they begin, in quotes."""
    ends: TimeOfDay = "06:00"
    """Time of the day at which they end, in quotes; earlier than begins: on the next day."""
    time_zone: TimeZone = "Etc/UTC"
    """IANA name of the time zone of both; daylight saving time is followed."""
    instances: Annotated[int, Field(ge=1, le=500)] = 2
    """Smallest size of the group in these hours; outside of them it is min_instances."""

    @rule
    def _not_empty(self) -> Iterator[Problem]:
        if self.begins == self.ends:
            yield Problem("ends", "must differ from begins, or there are no off-peak hours; change one")

    def recurrence(self, time_of_day: str) -> str:
        """A time of the day as the cron expression of a scheduled action."""
        hours, minutes = time_of_day.split(":")
        return f"{int(minutes)} {int(hours)} * * *"


class ScoreSettings(Section):
    """Question of ``python -m stacks spot_asg score``.

    A new question counts against a limit of EC2; the same one again does not, so keep these stable.
    """

    regions: Annotated[tuple[RegionName, ...], Field(max_length=10)] = ()
    """Regions to score, at most 10; empty: all, of which EC2 names the ten best."""
    capacity: Annotated[int, Field(ge=1, le=2_000_000_000)] | None = None
    """Spot Instances to score for. null: max_instances without those that are On-Demand."""

    @rule
    def _each_once(self) -> Iterator[Problem]:
        for index in repeated(self.regions):
            yield Problem(("regions", index), "must not be listed twice; remove one")

    @rule
    def _regions_exist(self) -> Iterator[Problem]:
        for index, name in enumerate(self.regions):
            if hint := unknown_region(name):
                yield Problem(("regions", index), hint, warning=True)


class SpotAsgSettings(SolutionSettings):
    """An Auto Scaling group of Spot Instances after the post's best practices."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network", "zones")
    regional_arns: ClassVar[tuple[str, ...]] = ("target_group_arns",)

    types: Annotated[tuple[InstanceType, ...], Field(max_length=40)] = ()
    """Instance types to diversify over, at least three, all of the architecture. Empty: all that fit attributes."""
    attributes: InstanceSettings = InstanceSettings()
    """Attribute-based selection, which includes new types as they appear; unused when types are listed."""
    generations: Annotated[tuple[Literal["current", "previous"], ...], Field(min_length=1, max_length=2)] = (
        "current",
        "previous",
    )
    """Generations for attribute-based selection; previous ones often have more unused capacity."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor architecture of the instances."""
    allocation_strategy: Literal[
        "price-capacity-optimized", "capacity-optimized", "capacity-optimized-prioritized", "lowest-price"
    ] = "price-capacity-optimized"
    """How EC2 chooses among the Spot pools; capacity-optimized-prioritized prefers types in their order."""
    lowest_price_pools: Annotated[int, Field(ge=1, le=20)] | None = None
    """lowest-price only: number of the cheapest pools of a zone to use. null: EC2's default, 2."""
    on_demand_base: Annotated[int, Field(ge=0, le=500)] = 0
    """On-Demand base capacity: instances that are On-Demand before any is Spot."""
    on_demand_percentage: Annotated[int, Field(ge=0, le=99)] = 0
    """On-Demand percentage of the instances above the base; the rest is Spot."""
    capacity_rebalance: bool = True
    """true: EC2 Auto Scaling replaces an instance at risk before EC2 interrupts it, if it can launch another."""
    min_instances: Annotated[int, Field(ge=0, le=500)] = 0
    """Smallest size of the group."""
    max_instances: Annotated[int, Field(ge=1, le=500)] = 6
    """Largest size of the group; a replacement of an instance at risk may exceed it for a while."""
    off_peak: OffPeakSettings | None = None
    """Scheduled scaling for off-peak hours. null: none."""
    score: ScoreSettings = ScoreSettings()
    """The question of the placement score."""
    network: Literal["public", "nat", "endpoints"] = "public"
    """Egress of the instances: public addresses without ingress, a NAT gateway, or S3's endpoint only."""
    zones: Annotated[int, Field(ge=2, le=6)] = 3
    """Availability Zones of the solution's own network; each adds Spot pools."""
    instance_warmup_seconds: Annotated[int, Field(ge=0, le=3_600)] = 120
    """Seconds from the start of an instance until it counts as ready. Health checks of target groups wait as long, and
    so does a deployment that replaces instances, after each batch."""
    load_balancer: bool = False
    """true: an internal load balancer with a target group in front of the group; it bills its hours."""
    target_group_arns: Annotated[tuple[TargetGroupArn, ...], Field(max_length=50)] = ()
    """Your own target groups, of type instance, that the instances register with."""
    drain_seconds: Annotated[int, Field(ge=0, le=110)] = 60
    """With target groups: seconds for requests in flight before the application is stopped."""
    stop_seconds: Annotated[int, Field(ge=1, le=110)] = 30
    """Seconds for the application to stop."""
    alarm_interruptions: Annotated[int, Field(ge=1, le=500)] = 3
    """Alarm when more than this many instances are interrupted within five minutes."""
    experiment_instances: Annotated[int, Field(ge=0, le=100)] = 1
    """Spot Instances that the fault injection experiment interrupts. 0: no experiment, for Regions without FIS."""
    metric_namespace: MetricNamespace = "ComputeBlog/SpotAsg"
    """CloudWatch namespace of the solution's metrics; not AWS/..., which CloudWatch keeps for AWS services."""

    @property
    def balanced(self) -> bool:
        """Whether the instances stand behind any target group."""
        return self.load_balancer or bool(self.target_group_arns)

    @property
    def serve_seconds(self) -> int:
        """Seconds that a leaving instance continues to serve: none without target groups."""
        return self.drain_seconds if self.balanced else 0

    @property
    def leave_seconds(self) -> int:
        """From the beginning of a termination to the moment when the instance is done with it."""
        return WATCH_SECONDS + self.serve_seconds + self.stop_seconds

    def on_demand(self, instances: int) -> int:
        """How many of so many instances are On-Demand."""
        return on_demand_of(instances, base=self.on_demand_base, percentage=self.on_demand_percentage)

    @property
    def scored_capacity(self) -> int:
        """Spot Instances that the placement score is asked about."""
        return self.score.capacity or max(1, self.max_instances - self.on_demand(self.max_instances))

    @rule
    def _nothing_twice(self) -> Iterator[Problem]:
        for key in ("types", "target_group_arns", "generations"):
            for index in repeated(getattr(self, key)):
                yield Problem((key, index), "must not be listed twice; remove one")

    @rule
    def _diverse(self) -> Iterator[Problem]:
        if 0 < len(self.types) < DIVERSE:
            yield Problem(
                "types",
                f"must have at least {DIVERSE} items, for Spot to choose from, has {len(self.types)}; add types, or "
                "remove all, and attributes decide",
            )

    @rule
    def _types_or_attributes(self) -> Iterator[Problem]:
        if self.types and self.attributes != InstanceSettings():
            yield Problem("attributes", "must be left out with types, which decide; remove one of the two")

    @rule
    def _one_architecture(self) -> Iterator[Problem]:
        yield from of_another_architecture("types", self.types, self.architecture)
        if not self.types:
            for problem in of_another_architecture("allowed_types", self.attributes.allowed_types, self.architecture):
                yield Problem(("attributes", *problem.path), problem.message)

    @rule
    def _strategy_fits(self) -> Iterator[Problem]:
        if self.lowest_price_pools is not None and self.allocation_strategy != "lowest-price":
            yield Problem(
                "lowest_price_pools", f"must be null with allocation_strategy {self.allocation_strategy}; remove it"
            )
        if self.allocation_strategy == "capacity-optimized-prioritized" and not self.types:
            yield Problem(
                "allocation_strategy",
                "must not be capacity-optimized-prioritized without types, whose order it follows; list them, or "
                "choose price-capacity-optimized",
            )

    @rule
    def _sizes_fit(self) -> Iterator[Problem]:
        if self.min_instances > self.max_instances:
            yield Problem("min_instances", f"must be at most max_instances, which is {self.max_instances}; change one")
        if self.on_demand_base >= self.max_instances:
            yield Problem(
                "on_demand_base",
                f"must be below max_instances, which is {self.max_instances}, or no instance is Spot; lower it",
            )

    @rule
    def _off_peak_fits(self) -> Iterator[Problem]:
        if self.off_peak and not self.min_instances <= self.off_peak.instances <= self.max_instances:
            yield Problem(
                ("off_peak", "instances"),
                f"must be between min_instances and max_instances, {self.min_instances} and {self.max_instances}; "
                "change one",
            )

    @rule
    def _experiment_fits(self) -> Iterator[Problem]:
        if self.experiment_instances > self.max_instances:
            yield Problem(
                "experiment_instances", f"must be at most max_instances, which is {self.max_instances}; lower it"
            )

    @rule
    def _leaves_in_time(self) -> Iterator[Problem]:
        most = NOTICE_SECONDS - 2 * WATCH_SECONDS
        if self.serve_seconds + self.stop_seconds > most:
            yield Problem(
                "drain_seconds" if self.balanced else "stop_seconds",
                f"must be at most {most} together with {'stop_seconds' if self.balanced else 'drain_seconds'}, to fit "
                f"into the {NOTICE_SECONDS} seconds before an interruption; lower one",
            )

    @common_rule
    def _load_balancer_has_two_subnets(self, common: CommonSettings) -> Iterator[Problem]:
        if self.load_balancer and common.vpc and len(common.vpc.subnet_ids) < 2:
            yield Problem(
                "load_balancer", "must be false with one subnet in common.vpc: it needs two, in two zones; add one"
            )
