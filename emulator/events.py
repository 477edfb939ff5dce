"""What the services tell each other on AWS and the emulators do not: EC2 and Auto Scaling events, alarms that scale."""

import json
import re
import time
import uuid
from typing import Any

from emulator import scaling, seams


def put_event(source: str, detail_type: str, detail: dict[str, Any], *resources: str) -> None:
    """Puts an event of an AWS service on the default bus of the request's account and Region."""
    seams.put_aws_event(
        {
            "EventId": str(uuid.uuid4()),
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "EventBusName": "default",
            "Time": time.time(),
            "Resources": list(resources),
            "Account": seams.account_id(),
            "Region": seams.region(),
        }
    )


def instance_state_changed(instance_id: str, state: str) -> None:
    """Follows https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-state-change-notifications.html."""
    arn = f"arn:aws:ec2:{seams.region()}:{seams.account_id()}:instance/{instance_id}"
    put_event("aws.ec2", "EC2 Instance State-change Notification", {"instance-id": instance_id, "state": state}, arn)


def alarm_changed(alarm: dict[str, Any], _old: str, state: str, reason: str) -> None:
    """Lets an alarm run the scaling policies among its actions.

    Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html: an alarm "can invoke" an Auto
    Scaling policy when it enters a state that names it among its actions.
    """
    kind = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}[state]
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(kind) or []:
        if match := re.search(r":autoScalingGroupName/(.+):policyName/(.+)$", action):
            threshold = float(alarm.get("Threshold") or 0)
            scaling.execute_policy(match.group(2), _crossing_value(reason, threshold), threshold)


def _crossing_value(reason: str, threshold: float) -> float:
    """The metric's value, which the alarm says only in its reason; the threshold itself when it was set by hand."""
    found = re.match(r"Threshold Crossed: \S+ (-?[\d.]+(?:e[+-]?\d+)?) ", reason)
    return float(found.group(1)) if found else threshold


def install() -> None:
    """Connects the services."""
    seams.on_instance_state(instance_state_changed)
    seams.on_alarm(alarm_changed)
    scaling.announce = put_event
