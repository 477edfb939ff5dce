"""What the model of the queue takes for granted, each with its unit."""

from dataclasses import dataclass, field
from typing import Any

from emulator.models.target_tracking import SCALE_IN_SHARE
from stacks.sqs_target_scaling.settings import SqsTargetScalingSettings

_SETTINGS = SqsTargetScalingSettings()


def assumed(value: float, unit: str, says: str) -> Any:
    """A field with its unit and what it means, which are printed beside every table."""
    return field(default=value, metadata={"unit": unit, "says": says})


@dataclass(frozen=True)
class Assumptions:
    """What the model takes for granted. The delays that no page states are such that the post's two tests come out."""

    acceptable_latency_seconds: float = assumed(
        _SETTINGS.acceptable_latency_seconds, "s", "acceptable from sending a message to its end, as in the post"
    )
    estimated_message_seconds: float = assumed(
        _SETTINGS.estimated_message_seconds, "s", "duration of a message that is assumed before any was measured"
    )
    metric_delay_seconds: float = assumed(
        15, "s", "from the minute in which a function publishes a datapoint until the policy's alarms have weighed it"
    )
    aws_metric_delay_seconds: float = assumed(60, "s", "how much later metrics are there that AWS publishes")
    launch_seconds: float = assumed(45, "s", "from the decision to launch an instance until it is in service")
    boot_seconds: float = assumed(30, "s", "from in service until its worker receives the first message")
    warmup_seconds: float = assumed(
        _SETTINGS.instance_warmup_seconds, "s", "warm-up of the group, counted from in service"
    )
    receive_seconds: float = assumed(0.2, "s", "between two messages of a worker: delete one, receive the next")
    scale_in_share: float = assumed(
        SCALE_IN_SHARE, "of the group", "that a scale-in takes away each minute, one instance where that is less"
    )
    minimum_instances: int = assumed(1, "instances", "smallest size of the group, and its size at the start")
    maximum_instances: int = assumed(500, "instances", "largest size of the group")
