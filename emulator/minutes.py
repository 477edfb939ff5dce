"""What happens each minute: metrics of queues and groups, and target tracking policies that scale by them (our model).

A minute lasts 60 seconds unless somebody says otherwise, so that a test of minutes can be one of seconds. Follows

- https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html;
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html: only what a group collects;
- ``emulator.target_tracking`` for what the policies do.

Metrics come at once, where CloudWatch takes a minute or two. The alarms of the policies are not shown by any API.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from emulator import capacity_reservations, scaling, seams
from emulator.calls import call
from emulator.metric_math import evaluate
from emulator.target_tracking import DEFAULT_COOLDOWN_SECONDS, Alarms, Capacity, TargetTracking, desired_capacity

log = logging.getLogger(__name__)

MINUTE = 60.0

# What a group publishes when it is told to: name -> lifecycle states that count. AWS has more of them.
GROUP_METRICS: Mapping[str, tuple[str, ...]] = {
    "GroupInServiceInstances": ("InService",),
    "GroupPendingInstances": ("Pending", "Pending:Wait", "Pending:Proceed"),
    "GroupTerminatingInstances": ("Terminating", "Terminating:Wait", "Terminating:Proceed"),
}

# The same for what is a setting of the group.
DESIRED = "GroupDesiredCapacity"

# Account, Region, group and policy -> the alarms of the policy.
_alarms: dict[tuple[str, str, str, str], Alarms] = {}


class Clock:
    """When the next minute is over.

    Attributes:
        seconds: how long a minute lasts.
        length: how long the minute that has just ended took in fact, in seconds.
    """

    def __init__(self) -> None:
        self.seconds = self.length = MINUTE
        self._over: float | None = None
        self._began = 0.0

    def set(self, seconds: float) -> None:
        """Begins a minute now, and lets it and the next ones last so long. Raises ValueError if that is no duration."""
        if not 0.1 <= seconds <= MINUTE:
            raise ValueError(f"a minute lasts 0.1 to {MINUTE:g} seconds, not {seconds:g}")
        self.seconds, self._over = seconds, None

    def is_over(self, now: float) -> bool:
        """Whether a minute has ended by *now* (seconds of any steady clock), which begins the next one."""
        if self._over is None:
            self._over, self._began = now + self.seconds, now
        if now < self._over:
            return False
        self.length, self._began = now - self._began, now
        # Minutes that nobody looked at are not made up for: one late datapoint instead of several.
        self._over = self._over + self.seconds if now < self._over + self.seconds else now + self.seconds
        return True


clock = Clock()


def reset() -> None:
    """Forgets every datapoint of every policy, and lets minutes last a minute."""
    _alarms.clear()
    clock.set(MINUTE)


def settle_everywhere() -> None:
    """Does what is to be done when a minute is over; the server calls it several times a second."""
    if not clock.is_over(time.monotonic()):
        return
    groups = [(account, region) for account, region, _ in seams.every_groups()]
    for account, region in seams.queue_scopes().union(groups):
        with seams.request_scope(account, region):
            _publish_queues()
            capacity_reservations.publish_metrics()
            for group in list(seams.groups().autoscaling_groups.values()):
                _publish_group(group)
                _scale(account, region, group)
            seams.evaluate_alarms()
    if clock.length < MINUTE:
        age_metrics(MINUTE - clock.length)


def age_metrics(seconds: float) -> int:
    """Moves every datapoint so many seconds into the past, and returns how many there are.

    After a short minute that makes it a whole one for whoever reads metrics by the minute.
    """
    count = 0
    for point in seams.recorded_datapoints():
        point["Timestamp"] -= seconds
        count += 1
    return count


def _publish_queues() -> None:
    for name, counts in seams.queue_counts():
        for metric, value in counts.items():
            seams.record_metric("AWS/SQS", metric, {"QueueName": name}, value)


def _publish_group(group: Any) -> None:
    states = [member.lifecycle_state for member in group.instance_states]
    values = {name: sum(state in counted for state in states) for name, counted in GROUP_METRICS.items()}
    values[DESIRED] = int(group.desired_capacity or 0)
    for metric in values.keys() & set(group.metrics):
        seams.record_metric("AWS/AutoScaling", metric, {"AutoScalingGroupName": group.name}, values[metric])


# --- target tracking --------------------------------------------------------------------------------------------------


def _scale(account: str, region: str, group: Any) -> None:
    """Gives the group's policies the minute's datapoint, and the group the capacity that they want."""
    found = call("autoscaling", "DescribePolicies", AutoScalingGroupName=group.name)["ScalingPolicies"]
    policies = [policy for policy in found if policy["PolicyType"] == "TargetTrackingScaling"]
    tracked = []
    for policy in policies:
        alarms = _alarms.setdefault((account, region, group.name, policy["PolicyName"]), Alarms())
        configuration = policy["TargetTrackingConfiguration"]
        alarms.observe(_value(configuration))
        scale_in = not configuration.get("DisableScaleIn", False)
        tracked.append(TargetTracking(float(configuration["TargetValue"]), scale_in, alarms))
    # "AlarmNotification: Amazon EC2 Auto Scaling does not run scaling policies when a CloudWatch alarm threshold is in
    # breach" (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html).
    suspended = {process["ProcessName"] for process in group.suspended_processes}
    if not tracked or {"AlarmNotification"} & suspended:
        return
    capacity = _capacity(group, max(_warm_up(group, policy) for policy in policies))
    wanted = desired_capacity(tracked, capacity)
    if wanted != capacity.desired:
        newest = ", ".join(f"{tracking.alarms.newest} of {tracking.target:g}" for tracking in tracked)
        log.info("%s: %d -> %d instances at %s", group.name, capacity.desired, wanted, newest)
        scaling.set_capacity(group, wanted)


def _capacity(group: Any, warm_up: float) -> Capacity:
    ages = [scaling.seconds_in_service(member) for member in group.instance_states]
    in_service = [age for age in ages if age is not None]
    warm = sum(age >= warm_up for age in in_service)
    return Capacity(
        desired=int(group.desired_capacity or 0),
        warm=warm,
        warming=len(in_service) - warm,
        minimum=int(group.min_size),
        maximum=int(group.max_size),
        terminating=sum(member.lifecycle_state.startswith("Terminating") for member in group.instance_states),
    )


def _warm_up(group: Any, policy: Mapping[str, Any]) -> float:
    """Seconds: of the policy, else of the group, else its cooldown (PutScalingPolicy, EstimatedInstanceWarmup)."""
    for seconds in (policy.get("EstimatedInstanceWarmup"), seams.warm_up_of(group), group.default_cooldown):
        if seconds is not None and int(seconds) >= 0:
            return float(seconds)
    return DEFAULT_COOLDOWN_SECONDS


def _value(configuration: Mapping[str, Any]) -> float | None:
    """The datapoint of a policy's metric for the minute that has just ended."""
    specification = configuration.get("CustomizedMetricSpecification")
    if specification is None:
        return None  # a predefined metric: no instance here reports its CPU or network
    if "Metrics" not in specification:
        return _statistic(specification, specification["Statistic"])
    return _math(specification["Metrics"])


def _math(queries: Sequence[Mapping[str, Any]]) -> float | None:
    """Metrics first, then expressions in the order of the list, each of which may use those before it."""
    values: dict[str, float | None] = {}
    for query in queries:
        if statistic := query.get("MetricStat"):
            values[query["Id"]] = _statistic(statistic["Metric"], statistic["Stat"])
    for query in queries:
        if expression := query.get("Expression"):
            values[query["Id"]] = evaluate(expression, values)
    (returned,) = [query["Id"] for query in queries if query.get("ReturnData", True)]
    return values[returned]


def _statistic(metric: Mapping[str, Any], statistic: str) -> float | None:
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    return seams.metric_statistic(
        metric["Namespace"], metric["MetricName"], dimensions, statistic, since=time.time() - clock.length
    )
