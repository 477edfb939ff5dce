"""Alarms for missing instances, unhealthy targets, and a host that does not answer."""

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.shared.alarms import Alarms
from stacks.spinnaker_server_groups.native import NativeServerGroup

MINUTE = Duration.minutes(1)
MINUTES = 15
"""Longer than a rolling replacement of one instance: boot, installation, a hundred seconds of health checks."""
HOST_MINUTES = 5


def watch_group(alarms: Alarms, native: NativeServerGroup) -> None:
    """Goes off when instances are missing from the group, or its load balancer finds some unhealthy."""
    missing = cloudwatch.MathExpression(
        expression="desired - serving",
        label="Missing instances",
        using_metrics={
            "desired": _of_group(native.group, "GroupDesiredCapacity"),
            "serving": _of_group(native.group, "GroupInServiceInstances"),
        },
        period=MINUTE,
    )
    says = f"Desired instances have not been in service for {MINUTES} minutes"
    alarms.when_above("MissingInstances", missing, 0, says=says, minutes=MINUTES)
    unhealthy = native.target_group.metrics.unhealthy_host_count(period=MINUTE, statistic=cloudwatch.Stats.MAXIMUM)
    says = f"The load balancer has found instances unhealthy for {MINUTES} minutes"
    alarms.when_above("UnhealthyTargets", unhealthy, 0, says=says, minutes=MINUTES)


def watch_host(alarms: Alarms, instance_id: str) -> None:
    """Goes off when the Spinnaker host fails its status checks."""
    failed = cloudwatch.Metric(
        namespace="AWS/EC2",
        metric_name="StatusCheckFailed",
        dimensions_map={"InstanceId": instance_id},
        statistic=cloudwatch.Stats.MAXIMUM,
        period=MINUTE,
    )
    says = f"The Spinnaker host has failed its status checks for {HOST_MINUTES} minutes"
    alarms.when_above("HostStatus", failed, 0, says=says, minutes=HOST_MINUTES)


def _of_group(group: autoscaling.AutoScalingGroup, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/AutoScaling",
        metric_name=name,
        dimensions_map={"AutoScalingGroupName": group.auto_scaling_group_name},
        statistic=cloudwatch.Stats.AVERAGE,
        period=MINUTE,
    )
