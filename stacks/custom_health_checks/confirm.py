"""Looks at whatever waits, or is warm, in the account's Auto Scaling groups at the moment."""

from typing import Any

from config.models import CommonSettings
from stacks.custom_health_checks.settings import CustomHealthChecksSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients


def _members(clients: Clients) -> list[dict[str, Any]]:
    pages = clients("autoscaling").get_paginator("describe_auto_scaling_instances").paginate()
    return [member for page in pages for member in page["AutoScalingInstances"]]


def _warm(common: CommonSettings, settings: CustomHealthChecksSettings, clients: Clients) -> Seen:
    shown = [f"{each['InstanceId']} {each['LifecycleState']}" for each in _members(clients)]
    warm = [each for each in shown if " Warmed:" in each]
    if warm:
        return Seen("confirmed", "; ".join(warm))
    return Seen("open", f"{len(shown)} members, none of a warm pool: look while one is in it")


def _protected(common: CommonSettings, settings: CustomHealthChecksSettings, clients: Clients) -> Seen:
    waiting = [each for each in _members(clients) if each["LifecycleState"] == "Pending:Wait"]
    if not waiting:
        return Seen("open", "no member is in Pending:Wait: look while one waits")
    told = "; ".join(f"{each['InstanceId']}: protected is {each['ProtectedFromScaleIn']}" for each in waiting)
    return Seen("seen", told)


LOOKS = (
    Look("Whether an instance in `Pending:Wait` is already", ("autoscaling:DescribeAutoScalingInstances",), _protected),
    Look("That DescribeAutoScalingInstances shows", ("autoscaling:DescribeAutoScalingInstances",), _warm),
)
