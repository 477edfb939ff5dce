"""The post's fleet in seconds: agents by one association, metrics of busy and idle GPUs, and who is silent."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tryout.hosts.cloudwatch_agent import Gpu, publish
from tryout.hosts.managed import run_once
from tryout.hosts.processes import wait_until
from tryout.scenario import Deployed, Scenario, Step, StepFailedError, expect, step

LINUX = "ami-12345678"
WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
ONE_GPU, FOUR_GPUS, NO_GPU = "g4dn.xlarge", "g4dn.12xlarge", "m7i.large"
WITH_DRIVER = ("busy", "idle", "windows", "silent", "without gpu")
MIB = 15_360
EVEN = 20  # minutes
STEPS = ["Install", "ConfigureLinux"]
STEPS_ON_WINDOWS = ["Install", "SendGpuMetricsOnWindows", "ConfigureWindows"]


class GpuMonitoringScenario(Scenario):
    """A busy, an idle, a Windows and a silent GPU instance, one without a GPU, and one of somebody else."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        # New instances are silent at once; what are hours in an account is written into the past here.
        "insights": {"attach_profile": True},
        "idle-hours": {"idle_hours": 24},
    }

    pictured = ("insights",)

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.cloudwatch = deployed.client("ec2"), deployed.client("cloudwatch")
        self.profile = deployed.outputs["InstanceProfile"]
        self.ids: dict[str, str] = {}
        self.foreign = f"foreign-{variant}"
        deployed.aws.age_metrics(6 * 3600)  # those of an earlier deployment under the same name

    def __exit__(self, *_: object) -> None:
        """Ends the instances, and removes the role of somebody else."""
        if self.ids:
            self.ec2.terminate_instances(InstanceIds=list(self.ids.values()))
        self._remove_foreign()

    def steps(self) -> Iterator[Step]:
        """All of them where the profile is attached by itself; else those that differ."""
        kind = type(self)
        of_attaching = {kind.attaches, kind.never_replaces, kind.draws, kind.shows, kind.releases}
        without = {kind.rings} if self.variant == "insights" else of_attaching
        yield from (each for each in super().steps() if each.run not in without)

    # Who gets the agent

    @step("tagged instances without a profile get it, by their start, their tag, or the sweep", "real-code")
    def attaches(self) -> str:
        self._launch_fleet()
        wait_until("a profile on each of the five", lambda: len(self._with_profile()) == 5)
        expect("untagged" not in self._with_profile(), "an instance without the tag has it too")
        return "five of six; the one without the tag has none"

    @step("a profile that is there is never replaced, and the role could not", "real-code")
    def never_replaces(self) -> str:
        arn = self._make_foreign()
        own = self._launch("own profile", ONE_GPU, profile=arn)
        function = self._function("Attach")
        answer = self.deployed.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"look_at": "all"}))
        done = json.loads(answer["Payload"].read())
        expect(not done.get("attached"), f"it attached {done}")
        found = self.ec2.describe_instances(InstanceIds=[own])["Reservations"][0]["Instances"][0]
        expect(found["IamInstanceProfile"]["Arn"] == arn, f"it has {found['IamInstanceProfile']}")
        actions = self._rights("Attach")
        expect(not any("Replace" in action or "Disassociate" in action for action in actions), f"{actions}")
        self.ec2.terminate_instances(InstanceIds=[self.ids.pop("own profile")])
        return f"the sweep found nothing to do; the role may {', '.join(sorted(actions))}"

    @step("one association installs, then configures: Linux and Windows from their parameters", "our-model")
    def configures(self) -> str:
        if not self.ids:
            self._launch_fleet()
        for name in ("busy", "idle", "windows", "silent", "without gpu"):
            if name not in self._with_profile():  # the output AttachProfile
                self.ec2.associate_iam_instance_profile(
                    InstanceId=self.ids[name], IamInstanceProfile={"Arn": self.profile}
                )
        drivers = [self.ids[name] for name in WITH_DRIVER]
        aws = self.deployed.aws
        aws.control("nvidia-drivers", account=aws.account, region=aws.region, instances=drivers)
        (association,) = self.deployed.resources["AWS::SSM::Association"]
        applied = run_once(self.deployed.client("ssm"), association)
        managed = {name: applied[own] for name, own in self.ids.items() if own in applied}
        expect("untagged" not in managed, "it ran on the instance without the tag")
        expect(len(managed) == 5, f"it ran on {sorted(managed)}")
        for name, steps in managed.items():
            wanted = STEPS_ON_WINDOWS if name == "windows" else STEPS
            expect(list(steps) == wanted and not any(steps.values()), f"{name}: {steps}")
        return f"{', '.join(STEPS)} on four; {', '.join(STEPS_ON_WINDOWS)} on Windows"

    # What they report

    @step("hours of metrics, put by the rights of the two managed policies", "our-model")
    def reports(self) -> str:
        now = datetime.now(UTC)
        drawn = 3 if self.variant in self.pictured else 0  # hours that the dashboard shows
        hours = range(self.deployed.settings.idle_hours + 2, drawn, -1)
        minutes = range(60 * drawn or EVEN, -1, -5)
        self._publish(
            *(now - timedelta(hours=ago) for ago in hours), *(now - timedelta(minutes=ago) for ago in minutes)
        )
        found = self.cloudwatch.list_metrics(
            Namespace="CWAgent",
            MetricName="nvidia_smi_temperature_gpu",
            Dimensions=[{"Name": "InstanceId", "Value": self.ids["busy"]}, {"Name": "index"}],
        )["Metrics"]
        per_gpu = [metric for metric in found if len(metric["Dimensions"]) == 2]
        expect(len(per_gpu) == 4, f"{len(per_gpu)} series by instance and index")
        return "each GPU by instance and index, as the dashboard searches them"

    @step("the function tells busy, idle, silent and GPU-less instances apart", "real-code")
    def counts(self) -> str:
        self._age_launches()
        result = self._count()
        expect(result["without gpu"] == 1, f"{result}")
        expect(result["idle"] == 2 and result["working"] == 1, f"{result}")
        expect(result["silent"] == 1, f"{result}")
        return f"{result}"

    @step("waste by instance type: four GPUs at 80 %, and the idle ones", "real-code")
    def publishes(self) -> str:
        fleet = {name: self._metric(name) for name in ("Gpus", "WastedGpus", "IdleGpus", "SilentInstances")}
        # Four GPUs at 80 % waste 0.8, two idle ones 1.96; the silent one is counted and not judged.
        expect(fleet["Gpus"] == 7 and fleet["IdleGpus"] == 2, f"{fleet}")
        expect(abs((fleet["WastedGpus"] or 0) - 2.76) < 0.01, f"{fleet}")
        large = self._metric("WastedGpus", InstanceType=FOUR_GPUS)
        expect(large is not None and abs(large - 0.8) < 0.01, f"{FOUR_GPUS} wastes {large}")
        expect(self._metric("WastedGpus", InstanceType=NO_GPU) is None, f"{NO_GPU} has no GPU and wastes some")
        idle = self._metric("IdleHours", InstanceId=self.ids["idle"]) or 0
        expect(idle > self.deployed.settings.idle_hours, f"the idle one is idle for {idle} hours")
        return f"{fleet['WastedGpus']:.2f} of {fleet['Gpus']:g} GPUs wasted; the idle one for {idle:.1f} hours"

    @step("memory nearly full and a silent agent ring their alarms", "emulated")
    def alarms(self) -> str:
        self._repeat_looks()
        states = {name: self._alarm(name) for name in ("MemoryNearlyFull", "AgentSilent", "GpuUnseen")}
        wanted = {"MemoryNearlyFull": "ALARM", "AgentSilent": "ALARM", "GpuUnseen": "OK"}
        expect(states == wanted, f"{states}")
        return f"{states}"

    @step("idleness beyond three hours rings by the metric IdleHours", "emulated")
    def rings(self) -> str:
        expect(self._alarm("GpuIdle") == "ALARM", f"it is {self._alarm('GpuIdle')}")
        return f"{self._metric('LongestIdleHours'):.1f} hours, more than {self.deployed.settings.idle_hours}"

    @step("once the silent one reports, nobody is silent", "real-code")
    def hears_again(self) -> str:
        publish(self.deployed.aws, self.ids["silent"], {datetime.now(UTC): [_gpu(60, 20)]})
        result = self._count()
        expect(result["silent"] == 0 and result["working"] == 2, f"{result}")
        return f"{result}"

    @step("`python -m stacks gpu_monitoring fleet` shows the same to people", "real-code")
    def shows(self) -> str:
        config = self.deployed.folder.parent / "config.yaml"
        done = subprocess.run(
            [sys.executable, "-m", "stacks", "gpu_monitoring", "fleet", "--json", "--config", str(config)],
            env=self.deployed.aws.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepFailedError(done.stderr.strip())
        found = json.loads(done.stdout)
        states = {item["instance"]: item["state"] for item in found["instances"]}
        expect(states[self.ids["idle"]] == "idle" and states[self.ids["without gpu"]] == "without gpu", f"{states}")
        return f"{found['fleet']['WastedGpus']:.2f} of {found['fleet']['Gpus']:g} GPUs wasted"

    @step("the dashboard has the post's four widgets and the ones of each GPU, none over another", "emulated")
    def draws(self) -> str:
        body = self._dashboard()
        titles = [widget["properties"]["title"] for widget in body["widgets"]]
        cells = [
            (x, y)
            for widget in body["widgets"]
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        ]
        expect(len(cells) == len(set(cells)), "two widgets overlap")
        expect(len(titles) == 11, f"{titles}")
        return self.deployed.keep_dashboard(self.deployed.outputs["DashboardName"])

    @step("before the profile goes, it is taken off every instance, and off no instance of somebody else", "real-code")
    def releases(self) -> str:
        other = self._launch("own profile", ONE_GPU, profile=self._make_foreign())
        s3, bucket = self.deployed.client("s3"), f"answers-{self.variant}"
        s3.create_bucket(Bucket=bucket)
        url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "answer"})
        request = {
            "RequestType": "Delete",
            "ResponseURL": url,
            "StackId": "try",
            "RequestId": "try",
            "LogicalResourceId": "Profile",
            "PhysicalResourceId": self.profile,
            "ResourceProperties": {"ProfileArn": self.profile},
        }
        lambda_ = self.deployed.client("lambda")
        lambda_.invoke(FunctionName=self._function("ReleaseFunction"), Payload=json.dumps(request))
        answer = json.loads(s3.get_object(Bucket=bucket, Key="answer")["Body"].read())
        s3.delete_object(Bucket=bucket, Key="answer")
        s3.delete_bucket(Bucket=bucket)
        expect(answer["Status"] == "SUCCESS", f"it answered {answer}")
        left = self.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        expect([item["InstanceId"] for item in left] == [other], f"left are {left}")
        return "off five instances; the one with a profile of its own has kept it"

    # What the steps look at

    def _launch_fleet(self) -> None:
        windows = self.deployed.client("ssm").get_parameter(Name=WINDOWS)["Parameter"]["Value"]
        self._launch("busy", FOUR_GPUS)
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

    def _function(self, name: str) -> str:
        (found,) = [own for own in self.deployed.resources["AWS::Lambda::Function"] if f"-{name}" in own]
        return str(found)

    def _count(self) -> dict[str, int]:
        answer = self.deployed.client("lambda").invoke(FunctionName=self._function("Fleet"))
        found = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise StepFailedError(f"{found}")
        return dict(found)

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


SCENARIO = GpuMonitoringScenario
