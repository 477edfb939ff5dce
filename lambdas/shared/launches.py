"""When an instance was launched, and when it was started last."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def first_launch(instance: Mapping[str, Any]) -> datetime:
    """When an instance was launched, from its primary interface's attachment; LaunchTime is its last start.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    found = [interface.get("Attachment", {}) for interface in instance.get("NetworkInterfaces", [])]
    times: list[datetime] = [one["AttachTime"] for one in found if one.get("DeviceIndex") == 0 and "AttachTime" in one]
    last: datetime = instance["LaunchTime"]
    return min([*times, last])
