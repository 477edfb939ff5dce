"""Section ``solutions.sqs_target_scaling`` of config/config.yaml."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import Problem, SolutionSettings, rule
from config.types import MetricNamespace
from stacks.shared.instance_attributes import InstanceSettings, of_another_architecture, on_demand_of

# The queue deletes what is older, whoever has it in hand, without a word to anybody:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-queue-parameters.html
RETENTION_SECONDS = 345_600
LONGEST_MESSAGE_SECONDS = 43_200
# What worker.py calls. If your work calls another service, it belongs here, and its endpoint in workers.py.
SERVICES = ("autoscaling", "cloudwatch", "dynamodb", "sqs")
HEARTBEATS_VISIBLE = 3  # a worker may miss two heartbeats before its message is given to another


class SqsTargetScalingSettings(SolutionSettings):
    """Workers behind a queue that scale so that messages are processed within an acceptable latency."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network", "zones")
    renamed: ClassVar[dict[str, str]] = {"drain_seconds": "longest_message_seconds"}

    strategy: Literal["dynamic-target", "metric-math", "demand"] = "dynamic-target"
    """dynamic-target: the post's two functions move the target. metric-math: one policy with a constant target, no
    function. demand: one policy on the instances that are needed for each in service, and one function."""
    acceptable_latency_seconds: Annotated[int, Field(ge=1, le=RETENTION_SECONDS - LONGEST_MESSAGE_SECONDS)] = 300
    """Acceptable time from sending a message until it has been processed, in seconds."""
    estimated_message_seconds: Annotated[float, Field(gt=0, le=LONGEST_MESSAGE_SECONDS)] = 25
    """Assumed processing duration of a message until durations are measured, in seconds."""
    target_update_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    """dynamic-target: minutes between two updates of the target."""
    duration_window_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    """dynamic-target: averaging window of the processing durations, in minutes."""
    demand_window_minutes: Annotated[int, Field(ge=2, le=180)] = 10
    """demand: averaging window of arrivals and processing durations, in minutes."""
    min_instances: Annotated[int, Field(ge=0, le=500)] | None = None
    """Smallest size of the group. null: 1 with metric-math, else 0."""
    max_instances: Annotated[int, Field(ge=1, le=500)] = 10
    """Largest size of the group."""
    instance_warmup_seconds: Annotated[int, Field(ge=0, le=3_600)] = 120
    """Seconds from the start of an instance until it counts in the metrics. A deployment that replaces instances waits
    as long after each batch."""
    network: Literal["public", "nat", "endpoints"] = "public"
    """How the workers reach AWS: public addresses without ingress, a NAT gateway, or interface endpoints."""
    zones: Annotated[int, Field(ge=1, le=6)] = 2
    """Availability Zones of the solution's own network."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor architecture of the workers."""
    instances: InstanceSettings = InstanceSettings()
    """Which instance types may run the workers."""
    on_demand_base: Annotated[int, Field(ge=0, le=500)] = 0
    """On-Demand base capacity: instances that are On-Demand before any is Spot."""
    on_demand_percentage: Annotated[int, Field(ge=0, le=100)] = 0
    """On-Demand percentage of the instances above the base; the rest is Spot."""
    capacity_rebalance: bool = True
    """true: EC2 Auto Scaling replaces an instance at risk before EC2 interrupts it, if it can launch another."""
    heartbeat_seconds: Annotated[int, Field(ge=1, le=10_800)] = 30
    """Seconds between two extensions of a message's visibility by a busy worker; the timeout is three heartbeats."""
    longest_message_seconds: Annotated[int, Field(ge=30, le=LONGEST_MESSAGE_SECONDS)] = LONGEST_MESSAGE_SECONDS
    """Longest processing duration of a message, in seconds: a busy worker keeps it, and its instance, that long."""
    max_receives: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Receptions without success before a message moves to the dead-letter queue."""
    metric_namespace: MetricNamespace = "ComputeBlog/SqsTargetScaling"
    """CloudWatch namespace of the solution's metrics; not AWS/..., which CloudWatch keeps for AWS services."""
    test_messages: Annotated[int, Field(ge=1, le=10_000)] = 50
    """Messages that the testing function sends if its event names no number."""
    test_duration_seconds: Annotated[float, Field(ge=0, le=43_200)] = 25
    """Processing duration of its messages if its event names none, in seconds."""

    @property
    def minimum(self) -> int:
        """Smallest size of the group that is in force."""
        if self.min_instances is not None:
            return self.min_instances
        return 1 if self.strategy == "metric-math" else 0

    def on_demand(self, instances: int) -> int:
        """How many of so many instances are On-Demand."""
        return on_demand_of(instances, base=self.on_demand_base, percentage=self.on_demand_percentage)

    @property
    def acceptable_backlog(self) -> float:
        """Messages per instance that can be done within the acceptable latency, as far as known at deployment."""
        return self.acceptable_latency_seconds / self.estimated_message_seconds

    @rule
    def _a_message_fits_into_its_latency(self) -> Iterator[Problem]:
        if self.acceptable_latency_seconds < self.estimated_message_seconds:
            yield Problem(
                "acceptable_latency_seconds",
                f"must be at least estimated_message_seconds, which is {self.estimated_message_seconds:g}: "
                "no number of workers makes a message faster; raise it",
            )

    @rule
    def _a_message_may_take_as_long_as_it_is_estimated_to(self) -> Iterator[Problem]:
        for key in ("estimated_message_seconds", "test_duration_seconds"):
            if getattr(self, key) > self.longest_message_seconds:
                yield Problem(
                    key,
                    f"must be at most longest_message_seconds, which is {self.longest_message_seconds}, "
                    f"got {getattr(self, key):g}; lower it or raise longest_message_seconds",
                )

    @rule
    def _a_message_ends_in_the_dead_letters_before_it_expires(self) -> Iterator[Problem]:
        visibility = HEARTBEATS_VISIBLE * self.heartbeat_seconds
        if visibility * self.max_receives >= RETENTION_SECONDS:
            most = (RETENTION_SECONDS - 1) // visibility
            yield Problem(
                "max_receives",
                f"must be at most {most} with heartbeat_seconds {self.heartbeat_seconds}, got {self.max_receives}: the "
                "queue deletes a message after four days, and it would never be a dead letter; lower one",
            )

    @rule
    def _something_is_left_of_metric_math(self) -> Iterator[Problem]:
        if self.strategy == "metric-math" and self.minimum < 1:
            yield Problem(
                "min_instances",
                "must be at least 1 with strategy metric-math, which cannot scale out from zero; raise it, "
                "or choose dynamic-target or demand",
            )

    @rule
    def _sizes_fit(self) -> Iterator[Problem]:
        if self.minimum > self.max_instances:
            yield Problem("min_instances", f"must be at most max_instances, which is {self.max_instances}; change one")

    @rule
    def _the_base_fits(self) -> Iterator[Problem]:
        if self.on_demand_base > self.max_instances:
            yield Problem(
                "on_demand_base",
                f"must be at most max_instances, which is {self.max_instances}, got {self.on_demand_base}; change one",
            )

    @rule
    def _one_architecture(self) -> Iterator[Problem]:
        for problem in of_another_architecture("allowed_types", self.instances.allowed_types, self.architecture):
            yield Problem(("instances", *problem.path), problem.message)
