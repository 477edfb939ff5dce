"""Section ``solutions.sqs_target_scaling`` of config/config.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config.models import CommonSettings, SolutionSettings
from stacks.shared.instance_attributes import InstanceSettings


class SqsTargetScalingSettings(SolutionSettings):
    """Workers behind a queue that scale so that messages are done within an acceptable latency."""

    strategy: Literal["dynamic-target", "metric-math", "demand"] = "dynamic-target"
    """dynamic-target: the post's two functions move the target. metric-math: one policy with a constant target, no
    function. demand: one policy on the instances that are needed for each in service, and one function."""
    acceptable_latency_seconds: Annotated[int, Field(ge=1, le=1_209_600)] = 300
    """Seconds from sending a message to its end that are acceptable."""
    estimated_message_seconds: Annotated[float, Field(gt=0, le=43_200)] = 25
    """Processing duration of a message, in seconds, that is assumed until durations are measured."""
    target_update_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    """dynamic-target: minutes between two updates of the target."""
    duration_window_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    """dynamic-target: the processing durations of so many last minutes make the average."""
    demand_window_minutes: Annotated[int, Field(ge=2, le=180)] = 10
    """demand: arrivals and processing durations of so many last minutes count."""
    min_instances: Annotated[int, Field(ge=0, le=500)] | None = None
    """Smallest size of the group. null: 1 with metric-math, else 0."""
    max_instances: Annotated[int, Field(ge=1, le=500)] = 10
    """Largest size of the group."""
    instance_warmup_seconds: Annotated[int, Field(ge=0, le=3_600)] = 120
    """Seconds from the start of an instance until it counts in the metrics."""
    network: Literal["public", "nat", "endpoints"] = "public"
    """How the workers reach AWS: public addresses without ingress, a NAT gateway, or interface endpoints."""
    zones: Annotated[int, Field(ge=1, le=6)] = 2
    """Availability Zones of the solution's own network."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor architecture of the workers."""
    instances: InstanceSettings = InstanceSettings()
    """Which instance types may run the workers."""
    on_demand_base: Annotated[int, Field(ge=0, le=500)] = 0
    """So many instances are On-Demand before any is Spot."""
    on_demand_percentage: Annotated[int, Field(ge=0, le=100)] = 0
    """Percent of the instances above the base that are On-Demand; the rest is Spot."""
    heartbeat_seconds: Annotated[int, Field(ge=1, le=14_400)] = 30
    """A busy worker extends the visibility of its message so often; the visibility timeout is three heartbeats."""
    drain_seconds: Annotated[int, Field(ge=30, le=7_200)] = 900
    """Scale-in waits so long for a worker to finish its message."""
    max_receives: Annotated[int, Field(ge=1, le=1_000)] = 5
    """A message that was received so often without success goes to the dead letters."""
    metric_namespace: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._#:/-]{0,254}$", examples=["ComputeBlog/SqsTargetScaling"])
    ] = "ComputeBlog/SqsTargetScaling"
    """CloudWatch namespace of the solution's metrics; not AWS/..., which is CloudWatch's."""
    test_messages: Annotated[int, Field(ge=1, le=10_000)] = 50
    """How many messages the testing function sends if its event does not say."""
    test_duration_seconds: Annotated[float, Field(ge=0, le=43_200)] = 25
    """Processing duration of the testing function's messages, in seconds, if its event does not say."""

    @property
    def minimum(self) -> int:
        """Smallest size of the group that is in force."""
        if self.min_instances is not None:
            return self.min_instances
        return 1 if self.strategy == "metric-math" else 0

    @property
    def acceptable_backlog(self) -> float:
        """Messages per instance that can be done within the acceptable latency, as far as known at deployment."""
        return self.acceptable_latency_seconds / self.estimated_message_seconds

    @field_validator("metric_namespace")
    @classmethod
    def _namespace_is_ours(cls, value: str) -> str:
        if value.startswith("AWS/"):
            raise ValueError(f"{value!r} begins with AWS/, which CloudWatch keeps for AWS services; choose another")
        return value

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.strategy == "metric-math" and self.minimum < 1:
            raise ValueError(
                "min_instances is 0, and no metric-math policy leaves zero; set min_instances to 1 or more, "
                "or strategy to dynamic-target or demand"
            )
        if self.minimum > self.max_instances:
            raise ValueError(
                f"min_instances {self.minimum} is above max_instances {self.max_instances}; raise or lower one"
            )
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """``network`` and ``zones`` describe a network of our own; with an existing one they would be ignored."""
        if common.vpc is None:
            return []
        return [
            (key, "has no effect with common.vpc, whose subnets decide; remove it or common.vpc")
            for key in ("network", "zones")
            if key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default
        ]
