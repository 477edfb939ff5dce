"""The ways to scale that are compared: what the Lambdas deploy and what the templates say, minute by minute."""

import math
from collections import deque

from benchmarks.sqs_target_scaling.assumptions import Assumptions
from benchmarks.sqs_target_scaling.model import MINUTE, View
from emulator.models.metric_math import evaluate
from emulator.models.target_tracking import TargetTracking
from sqs_target_scaling.demand_publisher.demand import arrival_rate, demand_per_instance
from sqs_target_scaling.metric_publisher.backlog import backlog_per_instance
from sqs_target_scaling.target_setter.target import acceptable_backlog_per_instance, average_duration
from stacks.sqs_target_scaling.expressions import expected_wait


class FixedTarget:
    """BPI against the target that is right for the estimated duration, whatever messages take."""

    from_aws = False
    name = "fixed target"

    def __init__(self, assumptions: Assumptions, latency_seconds: float | None = None) -> None:
        self.latency_seconds = latency_seconds or assumptions.acceptable_latency_seconds
        estimate = assumptions.estimated_message_seconds
        self.policies = [policy(assumptions, acceptable_backlog_per_instance(self.latency_seconds, estimate))]

    def datapoints(self, view: View) -> list[float | None]:
        """BPI, as Metric-Publisher publishes it."""
        return [backlog_per_instance(view.visible, view.in_service)]


class DynamicTarget(FixedTarget):
    """The post's: Target-Setter moves the target, over a window as long as its interval."""

    def __init__(self, assumptions: Assumptions, minutes: int, latency_seconds: float | None = None) -> None:
        super().__init__(assumptions, latency_seconds)
        self._minutes = minutes
        self.name = f"dynamic target, {minutes} min"
        if latency_seconds:
            self.name += f", at {latency_seconds / assumptions.acceptable_latency_seconds:.0%} of the latency"

    def datapoints(self, view: View) -> list[float | None]:
        """BPI, and every so many minutes a new target."""
        if view.now % (self._minutes * MINUTE) == 0:
            average = measured_duration(view, self._minutes)
            if average is not None:
                (tracking,) = self.policies
                tracking.target = acceptable_backlog_per_instance(self.latency_seconds, average)
        return super().datapoints(view)


class MetricMath:
    """One policy on the expected wait in seconds, held at the acceptable latency; no function."""

    from_aws = True
    name = "metric math"

    def __init__(self, assumptions: Assumptions) -> None:
        self.policies = [policy(assumptions, assumptions.acceptable_latency_seconds)]
        self._expression = expected_wait(assumptions.estimated_message_seconds)

    def datapoints(self, view: View) -> list[float | None]:
        """The expression of the template."""
        return [
            evaluate(
                self._expression,
                {
                    "visible": view.visible,
                    "instances": view.in_service,
                    "duration": measured_duration(view, 1),
                },
            )
        ]


class Demand:
    """Ours: one policy on what the queue needs for each instance, held at 1; a function publishes it every minute."""

    from_aws = False
    name = "demand"

    def __init__(self, assumptions: Assumptions, minutes: int) -> None:
        self.policies = [policy(assumptions, 1)]
        self._assumptions, self._minutes = assumptions, minutes
        # SQS publishes its counts later than the function asks: so many of the newest minutes are unknown.
        self._unknown = math.ceil(assumptions.aws_metric_delay_seconds / MINUTE)
        self._sent: deque[int] = deque(maxlen=minutes)

    def datapoints(self, view: View) -> list[float | None]:
        """Demand per instance, as Demand-Publisher publishes it."""
        self._sent.append(view.sent)
        known = list(self._sent)[: len(self._sent) - self._unknown]
        return [
            demand_per_instance(
                view.visible,
                view.in_service,
                arrivals_per_second=arrival_rate(dict(enumerate(known))),
                mpd_seconds=measured_duration(view, self._minutes) or self._assumptions.estimated_message_seconds,
                latency_seconds=self._assumptions.acceptable_latency_seconds,
            )
        ]


def policy(assumptions: Assumptions, target: float) -> TargetTracking:
    """A target tracking policy that scales in as assumed."""
    return TargetTracking(target, scale_in_share=assumptions.scale_in_share)


def measured_duration(view: View, minutes: int) -> float | None:
    """The average duration of the messages done in so many last whole minutes."""
    end = int(view.now // MINUTE)
    window = [minute for minute in range(end - minutes, end) if minute in view.counts]
    return average_duration(
        {minute: view.sums[minute] for minute in window}, {minute: view.counts[minute] for minute in window}
    )
