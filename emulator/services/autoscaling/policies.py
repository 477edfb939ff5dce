"""What a group publishes each minute, and the policies that scale it (our model).

Follows https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html: only what a group collects;
``emulator.models.target_tracking`` and ``step_scaling`` for what policies do. Metrics come at once, where CloudWatch
takes a minute or two. The alarms of target tracking policies are not shown by any API.
"""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.core.api import call
from emulator.core.clock import clock
from emulator.core.store import Store
from emulator.models.metric_math import evaluate
from emulator.models.step_scaling import new_capacity, step_for
from emulator.models.target_tracking import (
    DEFAULT_COOLDOWN_SECONDS,
    Alarms,
    Capacity,
    TargetTracking,
    desired_capacity,
)
from emulator.services.autoscaling import model
from emulator.services.autoscaling.patches import groups, settings
from emulator.services.cloudwatch.patches import ACTIONS, metric_statistic, record_metric

log = logging.getLogger(__name__)

# What a group publishes when it is told to: name -> lifecycle states that count. AWS has more of them.
GROUP_METRICS: Mapping[str, tuple[str, ...]] = {
    "GroupInServiceInstances": ("InService",),
    "GroupPendingInstances": ("Pending", "Pending:Wait", "Pending:Proceed"),
    "GroupTerminatingInstances": ("Terminating", "Terminating:Wait", "Terminating:Proceed"),
}

# The same for what is a setting of the group.
DESIRED = "GroupDesiredCapacity"

# Group and policy -> the alarms of the policy.
_alarms: Store[dict[tuple[str, str], Alarms]] = Store(dict)


def publish() -> None:
    """Publishes the metrics of every group."""
    for group in list(groups().autoscaling_groups.values()):
        _publish_group(group)


def scale() -> None:
    """Lets the target tracking policies of every group decide."""
    for group in list(groups().autoscaling_groups.values()):
        _scale(group)


def _publish_group(group: Any) -> None:
    states = [member.lifecycle_state for member in group.instance_states]
    values = {name: sum(state in counted for state in states) for name, counted in GROUP_METRICS.items()}
    values[DESIRED] = int(group.desired_capacity or 0)
    for metric in values.keys() & set(group.metrics):
        record_metric("AWS/AutoScaling", metric, {"AutoScalingGroupName": group.name}, values[metric])


# --- target tracking --------------------------------------------------------------------------------------------------


def _scale(group: Any) -> None:
    """Gives the group's policies the minute's datapoint, and the group the capacity that they want."""
    found = call("autoscaling", "DescribePolicies", AutoScalingGroupName=group.name)["ScalingPolicies"]
    policies = [policy for policy in found if policy["PolicyType"] == "TargetTrackingScaling"]
    tracked = []
    for policy in policies:
        alarms = _alarms.here().setdefault((group.name, policy["PolicyName"]), Alarms())
        configuration = policy["TargetTrackingConfiguration"]
        alarms.observe(_value(configuration))
        scale_in = not configuration.get("DisableScaleIn", False)
        tracked.append(TargetTracking(float(configuration["TargetValue"]), scale_in, alarms))
    # "AlarmNotification: Amazon EC2 Auto Scaling does not run scaling policies when a CloudWatch alarm threshold is in
    # breach" (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html).
    suspended = model.suspended(group)
    if not tracked or {"AlarmNotification"} & suspended:
        return
    capacity = _capacity(group, max(_warm_up(group, policy) for policy in policies))
    wanted = desired_capacity(tracked, capacity)
    if wanted != capacity.desired:
        newest = ", ".join(f"{tracking.alarms.newest} of {tracking.target:g}" for tracking in tracked)
        log.info("%s: %d -> %d instances at %s", group.name, capacity.desired, wanted, newest)
        model.set_capacity(group, wanted)


def _capacity(group: Any, warm_up: float) -> Capacity:
    ages = [model.seconds_in_service(member) for member in group.instance_states]
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
    for seconds in (
        policy.get("EstimatedInstanceWarmup"),
        settings.here().get(group.name, {}).get("DefaultInstanceWarmup"),
        group.default_cooldown,
    ):
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
    return metric_statistic(
        metric["Namespace"], metric["MetricName"], dimensions, statistic, since=time.time() - clock.length
    )


# --- simple and step scaling ------------------------------------------------------------------------------------------


def execute_policy(name: str, value: float, threshold: float) -> None:
    """Runs a simple or step scaling policy for a metric's *value*; cooldown and warm-up are not modelled.

    "The new capacity never goes outside of the minimum and maximum size limits"
    (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scale-based-on-demand.html).
    """
    policy = groups().policies.get(name)
    if policy is None:
        return
    if policy.policy_type == "StepScaling":
        adjustment = step_for(policy.step_adjustments or [], value, threshold)
    else:
        adjustment = int(policy.scaling_adjustment)
    if adjustment is None:
        return
    group = model.group_named(policy.auto_scaling_group_name)
    least = int(policy.min_adjustment_magnitude or 0)
    wanted = new_capacity(int(group.desired_capacity or 0), policy.adjustment_type, adjustment, least)
    model.set_capacity(group, min(max(wanted, int(group.min_size)), int(group.max_size)))


def alarm_changed(alarm: dict[str, Any], _old: str, state: str, reason: str) -> None:
    """Runs the scaling policies among the actions of the state that an alarm has entered.

    Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html.
    """
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(ACTIONS[state]) or []:
        if match := re.search(r":autoScalingGroupName/(.+):policyName/(.+)$", action):
            threshold = float(alarm.get("Threshold") or 0)
            execute_policy(match.group(2), _crossing_value(reason, threshold), threshold)


def _crossing_value(reason: str, threshold: float) -> float:
    """The metric's value, which the alarm says only in its reason; the threshold itself when it was set by hand."""
    found = re.match(r"Threshold Crossed: \S+ (-?[\d.]+(?:e[+-]?\d+)?) ", reason)
    return float(found.group(1)) if found else threshold
