"""The post's fleet in seconds: agents by one association, metrics of busy and idle GPUs, and who is silent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from tryout.hosts.cloudwatch_agent import Gpu, publish
from tryout.hosts.managed import run_once
from tryout.scenario import expect, step
from tryout.scenarios.gpu_monitoring.looks import (
    EVEN,
    FOUR_GPUS,
    NO_GPU,
    ONE_GPU,
    WITH_DRIVER,
    GpuMonitoringLooks,
    _gpu,
)
from tryout.steps import BESIDE
from tryout.waits import wait_until

STEPS = ["Install", "ConfigureLinux", "SendGpuMetricsOnLinux"]
STEPS_ON_WINDOWS = ["Install", "ConfigureWindows", "SendGpuMetricsOnWindows"]


class GpuMonitoringScenario(GpuMonitoringLooks):
    """A busy, an idle, a Windows and a silent GPU instance, one without a GPU, and one of somebody else."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        # New instances are silent at once; what are hours in an account is written into the past here.
        "insights": {"attach_profile": True},
        "idle-hours": {"idle_hours": 24},
    }

    pictured = ("insights",)
    in_account: ClassVar[dict[str, dict[str, Any]]] = {
        "idle-hours": {"opt_in": {"key": "verify-gpu-monitoring", "value": "nobody"}}
    }
    emulated = BESIDE

    # Who gets the agent

    @step(
        "tagged instances without a profile get it, by their start, their tag, or the sweep",
        "real-code",
        only=("insights",),
    )
    def attaches(self) -> str:
        self._launch_fleet()
        wait_until("a profile on each of the five", lambda: len(self._with_profile()) == 5)
        expect("untagged" not in self._with_profile(), "an instance without the tag has it too")
        return "five of six; the one without the tag has none"

    @step("a profile that is there is never replaced, and the role could not", "real-code", only=("insights",))
    def never_replaces(self) -> str:
        arn = self._make_foreign()
        own = self._launch("own profile", ONE_GPU, profile=arn)
        done = self.deployed.invoke("Attach", {"look_at": "all"})
        expect(not done.get("attached"), f"it attached {done}")
        found = self.ec2.describe_instances(InstanceIds=[own])["Reservations"][0]["Instances"][0]
        expect(found["IamInstanceProfile"]["Arn"] == arn, f"it has {found['IamInstanceProfile']}")
        actions = self._rights("Attach")
        expect(not any("Replace" in action or "Disassociate" in action for action in actions), f"{actions}")
        self.ec2.terminate_instances(InstanceIds=[self.ids.pop("own profile")])
        return f"the sweep found nothing to do; the role may {', '.join(sorted(actions))}"

    @step("one association installs and configures the agent on all, also where no driver is", "our-model")
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

    @step("where nobody has opted in the function counts nobody", "real-code", where="account")
    def counts_nobody(self) -> str:
        result = self._count()
        expect(not any(result.values()), f"{result}")
        return f"{result}"

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

    @step("idleness beyond three hours rings by the metric IdleHours", "emulated", only=("idle-hours",))
    def rings(self) -> str:
        expect(self._alarm("GpuIdle") == "ALARM", f"it is {self._alarm('GpuIdle')}")
        return f"{self._metric('LongestIdleHours'):.1f} hours, more than {self.deployed.settings.idle_hours}"

    @step("once the silent one reports, nobody is silent", "real-code")
    def hears_again(self) -> str:
        publish(self.deployed.aws, self.ids["silent"], {datetime.now(UTC): [_gpu(60, 20)]})
        result = self._count()
        expect(result["silent"] == 0 and result["working"] == 2, f"{result}")
        return f"{result}"

    @step("`python -m stacks gpu_monitoring fleet` shows the same to people", "real-code", only=("insights",))
    def shows(self) -> str:
        found = self.deployed.command("fleet")
        states = {item["instance"]: item["state"] for item in found["instances"]}
        expect(states[self.ids["idle"]] == "idle" and states[self.ids["without gpu"]] == "without gpu", f"{states}")
        return f"{found['fleet']['WastedGpus']:.2f} of {found['fleet']['Gpus']:g} GPUs wasted"

    @step(
        "the dashboard has the post's four widgets and the ones of each GPU, none over another",
        "emulated",
        only=("insights",),
    )
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
        expect(len(titles) == 12, f"{titles}")
        return self.deployed.keep_dashboard(self.deployed.outputs["DashboardName"])

    @step("an error that only a broken GPU has rings at the first look", "emulated")
    def breaks(self) -> str:
        dimensions = [{"Name": "InstanceId", "Value": self.ids["busy"]}]
        error = {"MetricName": "nvidia_xid_errors", "Dimensions": dimensions, "Value": 1.0, "Unit": "None"}
        self.cloudwatch.put_metric_data(Namespace="CWAgent", MetricData=[error])
        self._count()
        expect(self._metric("BrokenGpuInstances") == 1, f"{self._metric('BrokenGpuInstances')} are broken")
        wait_until("the alarm", lambda: self._alarm("GpuErrors") == "ALARM")
        return "one instance, and the alarm GpuErrors"

    @step("GPUs cut by MIG report memory and no utilization: a state of their own, and no missing driver", "real-code")
    def knows_mig(self) -> str:
        # Newer than what it said before, and alone in the minutes that count.
        self.deployed.aws.age_metrics(60 * (self.deployed.settings.silent_minutes + 10))
        now = datetime.now(UTC)
        measured = {now - timedelta(minutes=ago): [_mig(90)] for ago in range(10, -1, -5)}
        publish(self.deployed.aws, self.ids["idle"], measured)
        result = self._count()
        expect(result["mig"] == 1 and result["gpu unseen"] == 0, f"{result}")
        memory = self._metric("MemoryUsed", InstanceId=self.ids["idle"])
        expect(memory == 90, f"its memory is {memory}")
        return f"{result}, memory {memory:g} %"

    @step(
        "before the profile goes, it is taken off every instance, and off no instance of somebody else",
        "real-code",
        only=("insights",),
    )
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
        self.deployed.invoke("ReleaseFunction", request)
        answer = json.loads(s3.get_object(Bucket=bucket, Key="answer")["Body"].read())
        s3.delete_object(Bucket=bucket, Key="answer")
        s3.delete_bucket(Bucket=bucket)
        expect(answer["Status"] == "SUCCESS", f"it answered {answer}")
        left = self.ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        expect([item["InstanceId"] for item in left] == [other], f"left are {left}")
        return "off five instances; the one with a profile of its own has kept it"


def _mig(memory: float) -> Gpu:
    """A GPU cut into slices: nvidia-smi says N/A of its utilization."""
    known = _gpu(0, memory).items()
    return {name: value for name, value in known if not name.startswith("utilization")}


SCENARIO = GpuMonitoringScenario
