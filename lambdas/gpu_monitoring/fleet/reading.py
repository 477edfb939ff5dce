"""What EC2 says of the tagged instances, and CloudWatch of their GPUs, each at its API's full page size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gpu_monitoring.fleet.waste import Machine, Reading
from shared.launches import first_launch

TYPES_AT_ONCE = 100  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html
QUERIES_AT_ONCE = 500  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
PERIOD, HOUR = 300, 3600
GPU, USED, TOTAL = "nvidia_smi_utilization_gpu", "nvidia_smi_memory_used", "nvidia_smi_memory_total"
ERRORS = "nvidia_xid_errors"
GROUP = "aws:autoscaling:groupName"
# What an agent reports whether there is a GPU or not.
ALIVE = {False: "mem_used_percent", True: "Memory % Committed Bytes In Use"}

Series = Mapping[str, Mapping[datetime, float]]
Query = dict[str, Any]


class MetricDataError(RuntimeError):
    """CloudWatch could not say what was reported: nobody must be called silent or idle for that."""


def machines(ec2: Any, tag: tuple[str, str]) -> list[Machine]:
    """The running instances with the tag.

    Raises:
        botocore.exceptions.ClientError: when a call is refused, or has failed five times.
    """
    filters = [
        {"Name": f"tag:{tag[0]}", "Values": [tag[1]]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    # Of what may be very many, only what is needed is kept.
    found = [
        Machine(
            id=item["InstanceId"],
            type=item["InstanceType"],
            started=item["LaunchTime"],
            launched=first_launch(item),
            gpus=0,
            windows=item.get("Platform", "").lower() == "windows",
            group=next((each["Value"] for each in item.get("Tags", []) if each["Key"] == GROUP), ""),
        )
        for page in pages
        for reservation in page["Reservations"]
        for item in reservation["Instances"]
    ]
    gpus = gpus_of(ec2, sorted({machine.type for machine in found}))
    return [replace(machine, gpus=gpus.get(machine.type, 0)) for machine in found]


def gpus_of(ec2: Any, types: Sequence[str]) -> dict[str, int]:
    """NVIDIA GPUs of each instance type; AMD's, and accelerators that are no GPUs, are not seen by nvidia-smi.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GpuDeviceInfo.html
    """
    found: dict[str, int] = {}
    for start in range(0, len(types), TYPES_AT_ONCE):
        pages = ec2.get_paginator("describe_instance_types").paginate(
            InstanceTypes=list(types[start : start + TYPES_AT_ONCE])
        )
        for page in pages:
            for item in page["InstanceTypes"]:
                devices = item.get("GpuInfo", {}).get("Gpus", [])
                ours = [device for device in devices if device.get("Manufacturer", "").upper() == "NVIDIA"]
                # A part of a GPU is one for the system on it: the type says 0 then.
                found[item["InstanceType"]] = sum(max(device.get("Count", 0), 1) for device in ours)
    return found


def readings(
    cloudwatch: Any, found: Sequence[Machine], *, window: timedelta, horizon: int, now: datetime
) -> dict[str, Reading]:
    """What the agents of the instances have reported, by instance.

    Args:
        window: of the last minutes that count as now.
        horizon: hours that are looked back for work.

    Raises:
        MetricDataError, botocore.exceptions.ClientError: when CloudWatch does not answer in full.
    """
    with_gpus = [machine for machine in found if machine.gpus]
    recent = _series(
        cloudwatch,
        [
            *((f"alive|{m.id}", _query(ALIVE[m.windows], m.id, "Average", PERIOD)) for m in found),
            *((f"gpu|{m.id}", _query(GPU, m.id, "Average", PERIOD)) for m in with_gpus),
            *((f"used|{m.id}", _query(USED, m.id, "Maximum", PERIOD)) for m in with_gpus),
            *((f"total|{m.id}", _query(TOTAL, m.id, "Maximum", PERIOD)) for m in with_gpus),
            *((f"errors|{m.id}", _query(ERRORS, m.id, "Sum", PERIOD)) for m in with_gpus if not m.windows),
        ],
        _floor(now - window, PERIOD),
        now,
    )
    hours = _series(
        cloudwatch,
        [(m.id, _query(GPU, m.id, "Maximum", HOUR)) for m in with_gpus],
        _floor(now - timedelta(hours=horizon), HOUR),
        now,
    )
    return {machine.id: _reading(machine, recent, hours) for machine in found}


def _reading(machine: Machine, recent: Series, hours: Series) -> Reading:
    gpu, used, total = (recent.get(f"{what}|{machine.id}", {}) for what in ("gpu", "used", "total"))
    whole = max(total.values(), default=0)
    return Reading(
        alive=bool(recent.get(f"alive|{machine.id}") or gpu or total),
        utilization=sum(gpu.values()) / len(gpu) if gpu else None,
        # Used and total are each the highest of any GPU: those of an instance are alike.
        memory_percent=round(100 * max(used.values()) / whole, 4) if used and whole else None,
        hours=hours.get(machine.id, {}),
        errors=round(sum(recent.get(f"errors|{machine.id}", {}).values())),
    )


def _query(metric: str, instance_id: str, statistic: str, period: int) -> Query:
    named = {
        "Namespace": "CWAgent",
        "MetricName": metric,
        "Dimensions": [{"Name": "InstanceId", "Value": instance_id}],
    }
    return {"Metric": named, "Stat": statistic, "Period": period}


def _series(cloudwatch: Any, queries: Sequence[tuple[str, Query]], start: datetime, end: datetime) -> Series:
    found: dict[str, dict[datetime, float]] = {}
    for first in range(0, len(queries), QUERIES_AT_ONCE):
        part = queries[first : first + QUERIES_AT_ONCE]
        names = {f"q{number}": name for number, (name, _) in enumerate(part)}
        asked = [
            {"Id": name, "MetricStat": query, "ReturnData": True} for name, (_, query) in zip(names, part, strict=True)
        ]
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=start, EndTime=end
        )
        for result in _results(pages):
            points = zip(result["Timestamps"], result["Values"], strict=True)
            found.setdefault(names[result["Id"]], {}).update(points)  # by instants, in whatever zone they are written
    return found


def _results(pages: Iterable[Any]) -> Iterator[Any]:
    for page in pages:
        for result in page["MetricDataResults"]:
            if result.get("StatusCode") in ("InternalError", "Forbidden"):
                raise MetricDataError(f"{result['Id']}: {result['StatusCode']} {result.get('Messages', '')}")
            yield result


def _floor(time: datetime, seconds: int) -> datetime:
    """CloudWatch's periods begin at whole multiples of themselves."""
    return datetime.fromtimestamp(time.timestamp() // seconds * seconds, UTC)
