"""Alarms that run scaling policies."""

import re
from typing import Any

from emulator import scaling, seams

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def alarm_changed(alarm: dict[str, Any], _old: str, state: str, reason: str) -> None:
    """Runs the scaling policies among the actions of the state that an alarm has entered.

    Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html.
    """
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(_ACTIONS[state]) or []:
        if match := re.search(r":autoScalingGroupName/(.+):policyName/(.+)$", action):
            threshold = float(alarm.get("Threshold") or 0)
            scaling.execute_policy(match.group(2), _crossing_value(reason, threshold), threshold)


def _crossing_value(reason: str, threshold: float) -> float:
    """The metric's value, which the alarm says only in its reason; the threshold itself when it was set by hand."""
    found = re.match(r"Threshold Crossed: \S+ (-?[\d.]+(?:e[+-]?\d+)?) ", reason)
    return float(found.group(1)) if found else threshold


def install() -> None:
    """Listens to ministack's alarms."""
    seams.on_alarm(alarm_changed)
