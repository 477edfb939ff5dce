"""The CloudWatch agent of an instance, as far as it publishes what its configuration names, and nothing else.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html:
``append_dimensions``, ``aggregation_dimensions``, and the names of metrics. Which configuration it has, Systems Manager
has seen to; what it measures, somebody says.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tryout.account.aws import Aws
from tryout.hosts.roles import client_of

Json = dict[str, Any]
Gpu = Mapping[str, float]
"""What nvidia-smi says of one GPU: ``utilization_gpu`` and so on."""

DATA_AT_ONCE = 1_000  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_APPENDED = {"${aws:InstanceId}": "InstanceId", "${aws:InstanceType}": "InstanceType", "${aws:ImageId}": "ImageId"}


def publish(aws: Aws, instance_id: str, measured: Mapping[datetime, Sequence[Gpu]], *, memory: float = 40) -> None:
    """Lets the agent of an instance publish, with the permissions of the instance.

    Args:
        measured: what nvidia-smi said of each GPU, and when; empty: there is none, or no driver. A value that it says
            N/A of, such as utilization_gpu of one with MIG, is left out.
        memory: used memory of the instance, in percent.
    """
    (reservation,) = aws.client("ec2").describe_instances(InstanceIds=[instance_id])["Reservations"]
    instance = reservation["Instances"][0]
    agent = aws.control("cloudwatch-agents", account=aws.account, region=aws.region)["agents"][instance_id]
    data = [datum for at, gpus in measured.items() for datum in _data(instance, agent, gpus, memory, at)]
    cloudwatch = client_of(aws, instance, "cloudwatch")
    for start in range(0, len(data), DATA_AT_ONCE):
        cloudwatch.put_metric_data(Namespace="CWAgent", MetricData=data[start : start + DATA_AT_ONCE])


def _data(instance: Json, agent: Json, gpus: Sequence[Gpu], memory: float, at: datetime) -> Iterator[Json]:
    metrics = (agent["configuration"] or {}).get("metrics", {})
    appended = {
        name: instance[_APPENDED[value]]
        for name, value in metrics.get("append_dimensions", {}).items()
        if value in _APPENDED
    }
    windows = instance.get("Platform") == "windows"
    for name, own, value in _measured(metrics, agent, gpus, memory, windows=windows):
        raw = {**appended, **own}
        # "If you specify dimensions that a metric does not have", it is not aggregated by them.
        for dimensions in [list(raw), *metrics.get("aggregation_dimensions", [])]:
            if set(dimensions) <= set(raw):
                named = [{"Name": each, "Value": raw[each]} for each in dimensions]
                yield {"MetricName": name, "Dimensions": named, "Value": value, "Timestamp": at}


def _measured(
    metrics: Json, agent: Json, gpus: Sequence[Gpu], memory: float, *, windows: bool
) -> Iterator[tuple[str, Json, float]]:
    """Name, own dimensions and value of each measurement that the configuration names."""
    collected = metrics.get("metrics_collected", {})
    if any(name.endswith("used_percent") for name in collected.get("mem", {}).get("measurement", [])):
        yield "mem_used_percent", {}, memory
    if "% Committed Bytes In Use" in collected.get("Memory", {}).get("measurement", []):
        yield "Memory % Committed Bytes In Use", {"objectname": "Memory"}, memory
    for index, gpu in enumerate(gpus if agent["driver"] else ()):
        for name in () if windows else collected.get("nvidia_gpu", {}).get("measurement", []):
            if name in gpu:
                yield f"nvidia_smi_{name}", {"index": str(index), "name": "NVIDIA"}, gpu[name]
        if "statsd" in collected and agent["sends_gpus"]:
            for name, value in gpu.items():
                yield f"nvidia_smi_{name}", {"index": str(index), "metric_type": "gauge"}, value
