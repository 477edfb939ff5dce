"""What the steps of the scenario look at, and what they do again and again."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from tryout.hosts.cloudwatch_agent import Gpu, publish
from tryout.scenario import Deployed, Scenario
from tryout.waits import wait_until

LINUX = "ami-12345678"
WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
ONE_GPU, FOUR_GPUS, NO_GPU = "g4dn.xlarge", "g4dn.12xlarge", "m7i.large"
WITH_DRIVER = ("busy", "idle", "windows", "silent")
MIB = 15_360
EVEN = 20  # minutes


class GpuMonitoringLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.cloudwatch = deployed.client("ec2"), deployed.client("cloudwatch")
        self.profile = deployed.outputs["InstanceProfile"]
        self.ids: dict[str, str] = {}
        self.foreign = f"foreign-{variant}"
        self.group = f"gpu-jobs-{variant}"

    def __enter__(self) -> Self:
        """Metrics of an earlier deployment under the same name are old."""
        self.deployed.aws.age_metrics(6 * 3600)
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the instances, and removes the role of somebody else."""
        if self.ids:
            self._remove_group()
            self.ec2.terminate_instances(InstanceIds=list(self.ids.values()))
        self._remove_foreign()

    def _launch_fleet(self) -> None:
        windows = self.deployed.client("ssm").get_parameter(Name=WINDOWS)["Parameter"]["Value"]
        self._launch_by_group("busy", FOUR_GPUS)
        self._launch("idle", ONE_GPU)
        self._launch("windows", ONE_GPU, image=windows)
        self._launch("silent", ONE_GPU)
        self._launch("without gpu", NO_GPU)
        self._launch("untagged", ONE_GPU, tagged=False)

    def _launch(
        self, name: str, instance_type: str, *, image: str = LINUX, tagged: bool = True, profile: str | None = None
    ) -> str:
        tag = self.deployed.settings.opt_in
        tags = [{"Key": tag.key, "Value": tag.value}] if tagged else [{"Key": "team", "Value": "other"}]
        launched = self.ec2.run_instances(
            ImageId=image,
            InstanceType=instance_type,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            **({"IamInstanceProfile": {"Arn": profile}} if profile else {}),
        )
        self.ids[name] = str(launched["Instances"][0]["InstanceId"])
        return self.ids[name]

    def _launch_by_group(self, name: str, instance_type: str) -> None:
        """An instance of an Auto Scaling group, which its tag names."""
        tag = self.deployed.settings.opt_in
        self.ec2.create_launch_template(
            LaunchTemplateName=self.group,
            LaunchTemplateData={"ImageId": LINUX, "InstanceType": instance_type},
        )
        zones = [zone["ZoneName"] for zone in self.ec2.describe_availability_zones()["AvailabilityZones"]]
        autoscaling = self.deployed.client("autoscaling")
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.group,
            LaunchTemplate={"LaunchTemplateName": self.group, "Version": "$Latest"},
            MinSize=1,
            MaxSize=1,
            AvailabilityZones=zones[:1],
            Tags=[{"Key": tag.key, "Value": tag.value, "PropagateAtLaunch": True}],
        )

        def instances() -> list[str]:
            (found,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])["AutoScalingGroups"]
            return [one["InstanceId"] for one in found["Instances"]]

        wait_until("the instance of the group", lambda: bool(instances()))
        (self.ids[name],) = instances()

    def _remove_group(self) -> None:
        autoscaling = self.deployed.client("autoscaling")
        asked = {"AutoScalingGroupNames": [self.group]}
        if autoscaling.describe_auto_scaling_groups(**asked)["AutoScalingGroups"]:
            autoscaling.delete_auto_scaling_group(AutoScalingGroupName=self.group, ForceDelete=True)
            self.ec2.delete_launch_template(LaunchTemplateName=self.group)

    def _with_profile(self) -> set[str]:
        found = self.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        ours = {item["InstanceId"] for item in found if item["IamInstanceProfile"]["Arn"] == self.profile}
        return {name for name, own in self.ids.items() if own in ours}

    def _publish(self, *at: datetime) -> None:
        """What is counted is even, so that it is known; before that a job has its ups and downs."""
        now = datetime.now(UTC)
        measured: dict[str, dict[datetime, list[Gpu]]] = {"busy": {}, "idle": {}, "windows": {}, "without gpu": {}}
        for number, time in enumerate(at):
            past = now - time > timedelta(minutes=EVEN)
            wave = 18 * math.sin(number / 3) if past else 0
            measured["busy"][time] = [
                _gpu(80 + wave - (4 * index if past else 0), memory) for index, memory in enumerate((95, 60, 55, 50))
            ]
            measured["idle"][time] = [_gpu(1, 3)]
            measured["windows"][time] = [_gpu(3, 5)]
            measured["without gpu"][time] = []
        for name, found in measured.items():
            publish(self.deployed.aws, self.ids[name], found, memory=len(name) * 6)

    def _age_launches(self) -> None:
        """The instances have been running for two days, as far as EC2 tells."""
        self.deployed.aws.control("age-launches", seconds=2 * 86_400)

    def _count(self) -> dict[str, int]:
        return dict(self.deployed.invoke("Fleet"))

    def _repeat_looks(self) -> None:
        """One more look, a period later."""
        self.deployed.aws.age_metrics(60 * self.deployed.settings.fleet_minutes)
        now = datetime.now(UTC)
        self._publish(*(now - timedelta(minutes=ago) for ago in range(10, -1, -5)))
        self._count()
        wait_until("the alarms", lambda: self._alarm("AgentSilent") != "INSUFFICIENT_DATA")

    def _metric(self, name: str, **dimensions: str) -> float | None:
        now = datetime.now(UTC)
        found = self.cloudwatch.get_metric_statistics(
            Namespace=self.deployed.outputs["MetricNamespace"],
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(minutes=30),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return max(found, key=lambda point: point["Timestamp"])["Maximum"] if found else None

    def _alarm(self, name: str) -> str:
        alarms = self.cloudwatch.describe_alarms()["MetricAlarms"]
        return str(next(item["StateValue"] for item in alarms if f"Alarms{name}" in item["AlarmName"]))

    def _dashboard(self) -> dict[str, Any]:
        name = self.deployed.outputs["DashboardName"]
        return dict(json.loads(self.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]))

    def _rights(self, function: str) -> set[str]:
        iam = self.deployed.client("iam")
        (role,) = [own for own in self.deployed.resources["AWS::IAM::Role"] if f"-{function}Role" in own]
        found: set[str] = set()
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            for statement in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                found.update([actions] if isinstance(actions, str) else actions)
        return found

    def _make_foreign(self) -> str:
        iam = self.deployed.client("iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self._remove_foreign()
        iam.create_role(RoleName=self.foreign, AssumeRolePolicyDocument=document)
        made = iam.create_instance_profile(InstanceProfileName=self.foreign)["InstanceProfile"]["Arn"]
        iam.add_role_to_instance_profile(InstanceProfileName=self.foreign, RoleName=self.foreign)
        return str(made)

    def _remove_foreign(self) -> None:
        iam = self.deployed.client("iam")
        if any(item["RoleName"] == self.foreign for item in iam.list_roles()["Roles"]):
            iam.remove_role_from_instance_profile(InstanceProfileName=self.foreign, RoleName=self.foreign)
            iam.delete_instance_profile(InstanceProfileName=self.foreign)
            iam.delete_role(RoleName=self.foreign)


def _gpu(utilization: float, memory_percent: float) -> dict[str, float]:
    return {
        "utilization_gpu": utilization,
        "utilization_memory": utilization / 2,
        "power_draw": 20 + utilization / 2,
        "temperature_gpu": 30 + utilization / 2,
        "memory_used": MIB * memory_percent / 100,
        "memory_total": MIB,
    }
