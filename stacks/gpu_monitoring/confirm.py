"""Looks at a part of a GPU as EC2 describes it."""

from config.models import CommonSettings
from stacks.gpu_monitoring.settings import GpuMonitoringSettings
from stacks.shared.confirming import Look, Seen
from stacks.shared.preflight import Clients

PART = "g6f.large"


def _count(common: CommonSettings, settings: GpuMonitoringSettings, clients: Clients) -> Seen:
    # A filter, because asking for a type by name fails where the Region lacks it.
    wanted = [{"Name": "instance-type", "Values": [PART]}]
    pages = clients("ec2").get_paginator("describe_instance_types").paginate(Filters=wanted)
    found = [item for page in pages for item in page["InstanceTypes"]]
    if not found:
        return Seen("open", f"this Region lacks {PART}")
    counts = [gpu.get("Count") for gpu in found[0].get("GpuInfo", {}).get("Gpus", [])]
    return Seen("confirmed" if counts == [0] else "refuted", f"{PART}: Count of its GPUs is {counts or 'not told'}")


LOOKS = (Look("That `Count` of a part of a GPU (G6f) is 0", ("ec2:DescribeInstanceTypes",), _count),)
