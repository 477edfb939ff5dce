"""What EC2 tells EventBridge on AWS and the emulators do not."""

import json
import time
import uuid
from typing import Any

from emulator import seams


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


def install() -> None:
    """Listens to moto's instances."""
    seams.on_instance_state(instance_state_changed)
