"""The happy paths of the functions of gpu_monitoring."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend

from shared.aws import client
from tests.faults.custom_resources import CustomResourceWorld, custom_resource
from tests.faults.subject import Subject, lambda_function

ACCOUNT, REGION = "123456789012", "us-east-1"
TAG = {"Key": "gpu-monitoring", "Value": "enabled"}
OPT_IN = {"OPT_IN_KEY": TAG["Key"], "OPT_IN_VALUE": TAG["Value"]}
NAMESPACE = "gpu-monitoring"


def launched(*, tagged: bool = True, profile: str | None = None, kind: str = "g4dn.xlarge") -> str:
    """An instance that has been running for a day."""
    made = client("ec2").run_instances(
        ImageId="ami-12345678",
        InstanceType=kind,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [TAG if tagged else {"Key": "team", "Value": "other"}]}
        ],
        **({"IamInstanceProfile": {"Arn": profile}} if profile else {}),
    )["Instances"][0]["InstanceId"]
    get_backend("ec2")[ACCOUNT][REGION].get_instance(made).launch_time -= timedelta(days=1)
    return str(made)


def profile_named(name: str) -> str:
    """A new instance profile's ARN."""
    return str(client("iam").create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"])


def profiles() -> dict[str, str]:
    """The profiles of the instances that have one, as moto keeps them."""
    found = get_backend("ec2")[ACCOUNT][REGION].iam_instance_profile_associations
    return {name: item.iam_instance_profile.arn for name, item in found.items()}


class AttachWorld:
    """Two tagged instances without a profile, one with its own, and one without the tag."""

    def __init__(self) -> None:
        self.ours, self.theirs = profile_named("ours"), profile_named("theirs")
        self.bare = [launched(), launched()]
        self.own, self.untagged = launched(profile=self.theirs), launched(tagged=False)
        self.env: Mapping[str, str] = {**OPT_IN, "PROFILE_ARN": self.ours}
        self.event: Any = {"look_at": "all"}

    def invariant(self) -> None:
        assert {profiles().get(name) for name in self.bare} == {self.ours}, f"{profiles()}"

    def unharmed(self) -> None:
        assert profiles().get(self.own) == self.theirs, "a profile of somebody else was replaced"
        assert self.untagged not in profiles(), "an instance without the tag has a profile"


class StartedWorld(AttachWorld):
    """One of them has started."""

    def __init__(self) -> None:
        super().__init__()
        self.other, self.bare = self.bare[1], self.bare[:1]
        self.event = {
            "detail-type": "EC2 Instance State-change Notification",
            "time": "2026-01-01T12:00:00Z",
            "detail": {"instance-id": self.bare[0], "state": "running"},
        }


class FleetWorld:
    """A GPU instance that reports, one that does not, and one without a GPU."""

    def __init__(self) -> None:
        self.busy, self.silent, self.without = launched(), launched(), launched(kind="m5.large")
        self.env: Mapping[str, str] = {
            **OPT_IN,
            "IDLE_PERCENT": "5",
            "IDLE_HOURS": "2",
            "SILENT_MINUTES": "15",
            "METRIC_NAMESPACE": NAMESPACE,
        }
        self.event: Any = {"detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z"}
        for name, of in (
            ("nvidia_smi_utilization_gpu", self.busy),
            ("mem_used_percent", self.busy),
            ("mem_used_percent", self.without),
        ):
            client("cloudwatch").put_metric_data(
                Namespace="CWAgent",
                MetricData=[
                    {
                        "MetricName": name,
                        "Dimensions": [{"Name": "InstanceId", "Value": of}],
                        "Value": 60,
                        "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
                    }
                ],
            )

    def published(self, name: str) -> list[float]:
        """The values of a metric of the fleet, as moto keeps them."""
        data = get_backend("cloudwatch")[ACCOUNT][REGION].metric_data
        return [item.value for item in data if (item.namespace, item.name) == (NAMESPACE, name) and not item.dimensions]

    def invariant(self) -> None:
        assert set(self.published("SilentInstances")) == {1}, f"silent are {self.published('SilentInstances')}"
        assert set(self.published("WastedGpus")) == {0.4}, f"wasted are {self.published('WastedGpus')}"

    def unharmed(self) -> None:
        """Whatever was published is right: a fault makes nobody silent or idle."""
        assert set(self.published("SilentInstances")) <= {1}, f"silent are {self.published('SilentInstances')}"
        assert set(self.published("IdleInstances")) <= {0}, f"idle are {self.published('IdleInstances')}"


class ReleaseWorld(CustomResourceWorld):
    """A stack that goes, whose profile an instance has; another instance has its own."""

    def __init__(self) -> None:
        super().__init__()
        self.ours, self.theirs = profile_named("ours"), profile_named("theirs")
        self.released, self.own = launched(profile=self.ours), launched(profile=self.theirs)
        self.event |= {
            "RequestType": "Delete",
            "LogicalResourceId": "Profile",
            "PhysicalResourceId": self.ours,
            "ResourceProperties": {"ProfileArn": self.ours},
        }

    def invariant(self) -> None:
        super().invariant()
        assert self.released not in profiles(), "the profile is still there"

    def unharmed(self) -> None:
        assert profiles().get(self.own) == self.theirs, "a profile of somebody else was taken off"
        answer = self.answer()
        said = answer is not None and answer["Status"] == "SUCCESS"
        assert not said or self.released not in profiles(), "it said so and the profile is still there"


SUBJECTS: list[Subject] = [
    lambda_function("gpu_monitoring.attach", AttachWorld),
    Subject(
        "gpu_monitoring.attach.started",
        lambda_function("gpu_monitoring.attach", StartedWorld).deliver,
        StartedWorld,
        module="gpu_monitoring.attach.handler",
    ),
    lambda_function("gpu_monitoring.fleet", FleetWorld),
    custom_resource("gpu_monitoring.release", ReleaseWorld, tells=lambda result: bool(result == "FAILED")),
]
