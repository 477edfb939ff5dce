"""State Manager and the CloudWatch agent, as far as their configuration and rights go (our model).

An association runs its Command document on each running instance that has its tag and an instance profile, under the
rights of that profile's role, step after step:

- https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html: the
  precondition ``platformType`` leaves a step out; ``aws:runDocument``; ``onFailure: exit``;
- https://docs.aws.amazon.com/systems-manager/latest/userguide/state-manager-about.html.

The agent publishes what its configuration names, and nothing else:

- https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html:
  ``append_dimensions``, ``aggregation_dimensions``, and the names of metrics;
- with an NVIDIA section it does not start where there is no nvidia-smi: internal/check_plugins_unix.go of
  https://github.com/aws/amazon-cloudwatch-agent, and #756 there. The section is switched off on Windows: #632.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tryout.automation import document_named

Json = dict[str, Any]
Gpu = Mapping[str, float]
"""What nvidia-smi says of one GPU: ``utilization_gpu`` and so on."""

PACKAGE, AGENT = "AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent"
DATA_AT_ONCE = 1_000  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_APPENDED = {"${aws:InstanceId}": "InstanceId", "${aws:InstanceType}": "InstanceType", "${aws:ImageId}": "ImageId"}


@dataclass
class Managed:
    """An instance after an association has run on it.

    Attributes:
        described: as DescribeInstances shows it.
        steps: those that ran, in their order.
        failed: what a failed step was told.
        driver: whether there is an NVIDIA driver, with nvidia-smi.
        sends_gpus: whether a script was left there that asks nvidia-smi and sends to the agent's StatsD port.
        configuration: the agent's, if it came to that.
    """

    described: Json
    credentials: Mapping[str, str]
    steps: list[str] = field(default_factory=list)
    driver: bool = False
    sends_gpus: bool = False
    installed: bool = False
    failed: str | None = None
    configuration: Json | None = None

    @property
    def windows(self) -> bool:
        """Whether it runs Windows."""
        return bool(self.described.get("Platform") == "windows")


def apply(aws: EmbeddedAws, *, drivers: Collection[str] = ()) -> dict[str, Managed]:
    """Runs every association on every instance that Systems Manager reaches; returns those, by id.

    Args:
        drivers: ids of the instances that have an NVIDIA driver by now.
    """
    done: dict[str, Managed] = {}
    for association in aws.control("associations")["associations"].values():
        document = document_named(aws, association["Name"])
        for target in association["Targets"]:
            filters = [
                {"Name": target["Key"], "Values": target["Values"]},
                {"Name": "instance-state-name", "Values": ["running"]},
            ]
            for reservation in aws.client("ec2").describe_instances(Filters=filters)["Reservations"]:
                for instance in reservation["Instances"]:
                    if instance.get("IamInstanceProfile"):
                        done[instance["InstanceId"]] = _run(
                            aws, document, instance, driver=instance["InstanceId"] in drivers
                        )
    return done


def _run(aws: EmbeddedAws, document: Json, instance: Json, *, driver: bool) -> Managed:
    name = instance["IamInstanceProfile"]["Arn"].rpartition("/")[2]
    role = aws.client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"][0]["Arn"]
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName=instance["InstanceId"])["Credentials"]
    managed = Managed(
        instance,
        {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        },
        driver=driver,
    )
    for step in document["mainSteps"]:
        wanted = step.get("precondition", {}).get("StringEquals", ["platformType", None])[1]
        if wanted not in (None, "Windows" if managed.windows else "Linux"):
            continue
        managed.steps.append(step["name"])
        try:
            _act(aws, step, managed)
        except (ClientError, ValueError, LookupError) as error:
            managed.failed = f"{step['name']}: {error}"
            if step.get("onFailure") == "exit":
                break
    return managed


def _act(aws: EmbeddedAws, step: Json, managed: Managed) -> None:
    inputs = step["inputs"]
    if step["action"] in ("aws:runShellScript", "aws:runPowerShellScript"):
        managed.sends_gpus |= any("nvidia-smi" in line for line in inputs["runCommand"])
        return  # there is no such shell here
    if step["action"] != "aws:runDocument":
        raise LookupError(f"{step['action']} is not modelled")
    given = inputs["documentParameters"]
    if inputs["documentPath"] == PACKAGE:
        managed.installed = given["action"] == "Install" and given["name"] == "AmazonCloudWatchAgent"
    elif inputs["documentPath"] == AGENT:
        if not managed.installed:
            raise ValueError("the CloudWatch agent is not installed")
        ssm = aws.client("ssm", **managed.credentials)
        found = ssm.get_parameter(Name=given["optionalConfigurationLocation"])["Parameter"]["Value"]
        configuration = json.loads(found)
        if "nvidia_gpu" in configuration["metrics"]["metrics_collected"] and not (managed.windows or managed.driver):
            raise ValueError("the agent does not start: nvidia_smi needs /usr/bin/nvidia-smi, which is not there")
        managed.configuration = configuration
    else:
        raise LookupError(f"{inputs['documentPath']} is not modelled")


def publish(
    aws: EmbeddedAws, managed: Managed, measured: Mapping[datetime, Sequence[Gpu]], *, memory: float = 40
) -> None:
    """Lets the agent of an instance publish, with the rights of the instance.

    Args:
        measured: what nvidia-smi said of each GPU, and when; empty: there is none, or no driver. A value that it says
            N/A of, such as utilization_gpu of one with MIG, is left out.
        memory: used memory of the instance, in percent.
    """
    data = [datum for at, gpus in measured.items() for datum in _data(managed, gpus, memory, at)]
    cloudwatch = aws.client("cloudwatch", **managed.credentials)
    for start in range(0, len(data), DATA_AT_ONCE):
        cloudwatch.put_metric_data(Namespace="CWAgent", MetricData=data[start : start + DATA_AT_ONCE])


def _data(managed: Managed, gpus: Sequence[Gpu], memory: float, at: datetime) -> Iterator[Json]:
    metrics = (managed.configuration or {}).get("metrics", {})
    appended = {
        name: managed.described[_APPENDED[value]]
        for name, value in metrics.get("append_dimensions", {}).items()
        if value in _APPENDED
    }
    for name, own, value in _measured(managed, gpus, memory):
        raw = {**appended, **own}
        # "If you specify dimensions that a metric does not have", it is not aggregated by them.
        for dimensions in [list(raw), *metrics.get("aggregation_dimensions", [])]:
            if set(dimensions) <= set(raw):
                named = [{"Name": each, "Value": raw[each]} for each in dimensions]
                yield {"MetricName": name, "Dimensions": named, "Value": value, "Timestamp": at}


def _measured(managed: Managed, gpus: Sequence[Gpu], memory: float) -> Iterator[tuple[str, Json, float]]:
    """Name, own dimensions and value of each measurement that the configuration names."""
    collected = (managed.configuration or {}).get("metrics", {}).get("metrics_collected", {})
    if any(name.endswith("used_percent") for name in collected.get("mem", {}).get("measurement", [])):
        yield "mem_used_percent", {}, memory
    if "% Committed Bytes In Use" in collected.get("Memory", {}).get("measurement", []):
        yield "Memory % Committed Bytes In Use", {"objectname": "Memory"}, memory
    for index, gpu in enumerate(gpus if managed.driver else ()):
        for name in () if managed.windows else collected.get("nvidia_gpu", {}).get("measurement", []):
            if name in gpu:
                yield f"nvidia_smi_{name}", {"index": str(index), "name": "NVIDIA"}, gpu[name]
        if "statsd" in collected and managed.sends_gpus:
            for name, value in gpu.items():
                yield f"nvidia_smi_{name}", {"index": str(index), "metric_type": "gauge"}, value
