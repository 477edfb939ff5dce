"""The post's dashboard in seconds: two Outposts, tagged resources, and dashboards that follow what changes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from emulator.client import EmbeddedAws
from tryout.hosts.processes import wait_until
from tryout.scenario import Deployed, Scenario, Step, expect, step

REPOSITORY = Path(__file__).parents[3]
PIPELINE = REPOSITORY / "stacks/outposts_dashboard/pipeline"
RACK, OTHER, COMING = (f"op-{digit * 17}" for digit in "123")
OWNER = "210987654321"
TYPES = ["c5.4xlarge", "g4dn.12xlarge", "m5.24xlarge", "m5.4xlarge", "u-6tb1.metal"]
TAG = {"Key": "OutpostID", "Value": RACK}
OUTPOSTS = [
    {"id": RACK, "name": "factory", "owner": "", "state": "ACTIVE", "types": TYPES},
    {"id": OTHER, "name": "shared", "owner": OWNER, "state": "ACTIVE", "types": ["r5.4xlarge", *TYPES[:3]]},
    {"id": COMING, "name": "ordered", "owner": "", "state": "PENDING", "types": []},
]
ROUNDS, ROUND_SECONDS = 12, 300
QUICK = {"debounce_seconds": 1}

Json = dict[str, Any]


class OutpostsDashboardScenario(Scenario):
    """Two Outposts with two pages of types each, one that is not there yet, and resources that come and go."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "function": QUICK,
        "pipeline": {"refresh": "pipeline"},
    }
    pictured = ("function",)

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.cloudwatch = deployed.client("ec2"), deployed.client("cloudwatch")
        self.name = deployed.outputs["DashboardName"]
        self.instances: list[str] = []
        self.buckets: list[str] = []

    @classmethod
    def prepare(cls, aws: EmbeddedAws) -> None:
        """Nothing is on premises."""
        aws.control("outposts")

    def __exit__(self, *_: object) -> None:
        """Takes the resources and the Outposts away."""
        if self.instances:
            self.ec2.terminate_instances(InstanceIds=self.instances)
        for bucket in self.buckets:
            self.deployed.client("s3").delete_bucket(Bucket=bucket)
        if foreign := self._foreign():
            self.cloudwatch.delete_dashboards(DashboardNames=foreign)
        self.deployed.aws.control("outposts")

    def steps(self) -> Iterator[Step]:
        """Those of the variant."""
        of_pipeline = {type(self).discovers, type(self).deploys, type(self).follows_the_tag}
        for each in super().steps():
            if (each.run in of_pipeline) == (self.variant == "pipeline"):
                yield each

    # refresh: function

    @step("an account without anything gets a dashboard that says so", "real-code")
    def says_that_there_is_nothing(self) -> str:
        wait_until("the first dashboard", lambda: self.name in self._dashboards())
        said = self._texts()
        expect("Nothing to show yet" in said, said)
        return "written by the deployment: 'Nothing to show yet'"

    @step("two Outposts, and what is tagged, appear within seconds of a tag event", "real-code")
    def shows_what_there_is(self) -> str:
        self._outposts()
        self.instances = self._launch(3, TAG, {"Key": "Name", "Value": "web"})
        self._launch_untagged()
        wait_until("both Outposts and three instances", lambda: self._texts().count("### web") == 3)
        said = self._texts()
        expect(f"### Outpost {RACK}" in said and f"of account {OWNER}" in said, said)
        expect(f"{COMING} ordered: its state is PENDING" in said, said)
        kinds = {kind for kind in TYPES for widget in self._widgets() if f"{kind} used" in json.dumps(widget)}
        expect(kinds == set(TYPES), f"only {kinds} are shown")
        return "types of both pages of both Outposts, three instances of one reservation, a PENDING Outpost by name"

    @step("a burst of tag changes is a few refreshes, not one for each", "real-code")
    def waits_for_others(self) -> str:
        before = self._refreshes()
        for _ in range(40):
            self.ec2.delete_tags(Resources=[self.instances[0]], Tags=[{"Key": TAG["Key"]}])
            self.ec2.create_tags(Resources=[self.instances[0]], Tags=[TAG])
        wait_until("all messages to be gone", self._queue_is_empty)
        made = self._refreshes() - before
        # A second of waiting for others; how many seconds 80 calls take is a matter of the machine.
        expect(1 <= made <= 20, f"80 tag changes led to {made} refreshes")
        return f"80 tag changes, {made} refreshes"

    @step("an instance that is terminated disappears; the others stay", "real-code")
    def forgets(self) -> str:
        gone = self.instances.pop()
        self.ec2.terminate_instances(InstanceIds=[gone])
        wait_until(f"{gone} to disappear", lambda: gone not in self._texts())
        expect(all(one in self._texts() for one in self.instances), "others have disappeared too")
        return f"{gone} is gone from the dashboard"

    @step("a bucket of the Region and one on the Outpost join; a name with dots is all right", "real-code")
    def shows_other_services(self) -> str:
        s3 = self.deployed.client("s3")
        bucket = f"plans.{self.deployed.aws.account}"
        s3.create_bucket(Bucket=bucket)
        self.buckets.append(bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [TAG]})
        self._outposts(buckets=[{"outpost": RACK, "name": "on-site", "tags": {"OutpostID": RACK}}])
        self._refresh()
        wait_until("both buckets", lambda: bucket in self._body() and "on-site" in self._body())
        return f"{bucket} in the Region and on-site on {RACK}"

    @step("a dashboard of somebody else is neither overwritten nor deleted", "real-code")
    def leaves_others_alone(self) -> str:
        foreign = f"{self.name}-page-99"
        self.cloudwatch.put_dashboard(DashboardName=foreign, DashboardBody='{"widgets": []}')
        self._refresh()
        wait_until("a refresh", self._queue_is_empty)
        expect(foreign in self._dashboards(), f"{foreign} is gone")
        return f"{foreign} is still there"

    @step("the dashboard as it is, with the metrics of an hour", "emulated")
    def is_kept(self) -> str:
        for number in range(ROUNDS):
            self.deployed.aws.control("metrics", **self._where(), data=self._metrics(number))
            self.deployed.aws.age_metrics(ROUND_SECONDS)
        return self.deployed.keep_dashboard(self.name)

    # refresh: pipeline

    @step("a deployment starts the pipeline, whose build step writes discovery.json by its own rights", "real-code")
    def discovers(self) -> str:
        self._outposts()
        self.instances = self._launch(2, TAG, {"Key": "Name", "Value": "web"})
        expect(bool(self._runs("InProgress")), "no run has been started")
        said = self._build("Discover", "discover.py", self._variable("Discover", "WANTED"), str(self._discovery))
        found = json.loads(self._discovery.read_text(encoding="utf-8"))
        expect(not found["failures"], f"sections failed: {found['failures']}")
        expect(len(found["sections"]["ec2"]) == 2, f"found {found['sections']['ec2']}")
        return said.splitlines()[-1]

    @step("the deploy step synthesizes from that file and deploys a stack for each dashboard", "real-code")
    def deploys(self) -> str:
        assembly = self.deployed.folder / "dashboards.out"
        stack, owner = self._variable("Deploy", "STACK_NAME"), self._variable("Deploy", "DEPLOYED_BY")
        app = f"{sys.executable} {PIPELINE / 'app.py'} {self._discovery} {stack} {owner}"
        role = self._credentials("Deploy")
        cdk = str(REPOSITORY / "node_modules/.bin/cdk")
        self._run([cdk, "synth", "--quiet", "--output", str(assembly), "--app", app], role)
        self._run([cdk, "deploy", "--all", "--app", str(assembly), "--require-approval", "never"], role)
        self._run(
            [sys.executable, str(PIPELINE / "surplus.py"), str(assembly), str(self._discovery), stack, owner], role
        )
        self.deployed.aws.control(
            "pipeline-run", **self._where(), pipeline=self.deployed.outputs["PipelineName"], status="Succeeded"
        )
        expect("### web" in self._texts(), self._texts())
        return f"stack {stack}, by the rights of the build; cdk destroy of this one has to remove it"

    @step("a changed tag starts the pipeline once more", "our-model")
    def follows_the_tag(self) -> str:
        self.ec2.create_tags(Resources=self.instances, Tags=[{"Key": "OutpostID", "Value": OTHER}])
        wait_until("another run", lambda: bool(self._runs("InProgress")))
        return "a run is in progress; cdk destroy has to stop it"

    # What the steps look at

    @property
    def _discovery(self) -> Path:
        return self.deployed.folder / "discovery.json"

    def _where(self) -> dict[str, str]:
        return {"account": self.deployed.aws.account, "region": self.deployed.aws.region}

    def _outposts(self, **more: object) -> None:
        own = [{**each, "owner": each["owner"] or self.deployed.aws.account} for each in OUTPOSTS]
        self.deployed.aws.control("outposts", outposts=own, **more)

    def _launch(self, count: int, *tags: dict[str, str]) -> list[str]:
        launched = self.ec2.run_instances(
            ImageId="ami-12345678",
            InstanceType="m5.4xlarge",
            MinCount=count,
            MaxCount=count,
            TagSpecifications=[{"ResourceType": "instance", "Tags": list(tags)}] if tags else [],
        )
        return [str(one["InstanceId"]) for one in launched["Instances"]]

    def _launch_untagged(self) -> None:
        (stranger,) = self._launch(1)
        self.ec2.terminate_instances(InstanceIds=[stranger])

    def _refresh(self) -> None:
        sent = {"QueueUrl": self.deployed.outputs["RefreshNow"].rpartition(" ")[2], "MessageBody": "now"}
        self.deployed.client("sqs").send_message(**sent)

    def _queue_is_empty(self) -> bool:
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        queue = self.deployed.outputs["RefreshNow"].rpartition(" ")[2]
        found = self.deployed.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=list(counts))
        return all(found["Attributes"][count] == "0" for count in counts)

    def _refreshes(self) -> int:
        """How many there were: each publishes its metrics once."""
        now = datetime.now(UTC)
        found = self.cloudwatch.get_metric_statistics(
            Namespace="ComputeBlog/OutpostsDashboard",
            MetricName="Dashboards",
            Dimensions=[{"Name": "DashboardName", "Value": self.name}],
            StartTime=now - timedelta(hours=3),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["SampleCount"],
        )
        return int(sum(point["SampleCount"] for point in found["Datapoints"]))

    def _dashboards(self) -> list[str]:
        entries = self.cloudwatch.list_dashboards(DashboardNamePrefix=self.name)["DashboardEntries"]
        return [str(entry["DashboardName"]) for entry in entries]

    def _foreign(self) -> list[str]:
        return [name for name in self._dashboards() if name.endswith("-page-99")]

    def _body(self) -> str:
        return str(self.cloudwatch.get_dashboard(DashboardName=self.name)["DashboardBody"])

    def _widgets(self) -> list[Json]:
        found: list[Json] = json.loads(self._body())["widgets"]
        return found

    def _texts(self) -> str:
        return "\n".join(one["properties"]["markdown"] for one in self._widgets() if one["type"] == "text")

    def _metrics(self, number: int) -> list[Json]:
        """What AWS would publish in one of the rounds."""
        used = {kind: place + (number >= 2 * place + 2) for place, kind in enumerate(TYPES, 1)}
        here = {"OutpostId": RACK}
        found: list[tuple[str, str, dict[str, str], float]] = [
            ("AWS/Outposts", "ConnectedStatus", here, 0 if number == 7 else 1)
        ]
        for kind, count in used.items():
            dimensions = {"InstanceType": kind, **here}
            account = {"Account": self.deployed.aws.account}
            found.append(("AWS/Outposts", "UsedInstanceType_Count", {**account, **dimensions}, count))
            found.append(("AWS/Outposts", "AvailableInstanceType_Count", dimensions, 2 * len(TYPES) - count))
        for metric, gigabytes in (("Utilization", 4_000 + 150 * number), ("Availability", 7_000 - 150 * number)):
            name = f"EBSVolumeTypeCapacity{metric}GB"
            found.append(("AWS/Outposts", name, {"VolumeType": "gp2", **here}, gigabytes))
        found.append(("S3Outposts", "OutpostTotalBytes", here, 26e12))
        found.append(("S3Outposts", "OutpostFreeBytes", here, 20e12 - 3e11 * number))
        for place, instance in enumerate(self.instances):
            of = {"InstanceId": instance}
            found.append(("AWS/EC2", "CPUUtilization", of, 20 + 15 * ((number + 3 * place) % 5)))
            for metric, base in (
                ("NetworkIn", 4e6),
                ("NetworkOut", 2e6),
                ("EBSReadBytes", 1e6),
                ("EBSWriteBytes", 3e6),
            ):
                found.append(("AWS/EC2", metric, of, base * (1 + (number + place) % 3)))
        keys = ("namespace", "name", "dimensions", "value")
        return [dict(zip(keys, one, strict=True)) for one in found]

    def _runs(self, status: str) -> list[str]:
        pipeline = self.deployed.outputs["PipelineName"]
        found = self.deployed.client("codepipeline").list_pipeline_executions(pipelineName=pipeline)
        return [run["pipelineExecutionId"] for run in found["pipelineExecutionSummaries"] if run["status"] == status]

    def _project(self, build: str) -> Json:
        name = self.deployed.outputs[f"{build}Project"]
        (found,) = self.deployed.client("codebuild").batch_get_projects(names=[name])["projects"]
        return dict(found)

    def _variable(self, build: str, name: str) -> str:
        variables = self._project(build)["environment"]["environmentVariables"]
        return next(str(one["value"]) for one in variables if one["name"] == name)

    def _credentials(self, build: str) -> Mapping[str, str]:
        """Of the role by which CodeBuild would run the build."""
        sts = self.deployed.client("sts")
        taken = sts.assume_role(RoleArn=self._project(build)["serviceRole"], RoleSessionName=build)["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }

    def _build(self, build: str, script: str, *arguments: str) -> str:
        return self._run([sys.executable, str(PIPELINE / script), *arguments], self._credentials(build))

    def _run(self, command: list[str], role: Mapping[str, str]) -> str:
        """Runs a command of a buildspec as its build would: with the role's rights, and the functions' modules."""
        environment = {**self.deployed.aws.environment(), **role, "PYTHONPATH": str(REPOSITORY / "lambdas")}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(
            command, cwd=self.deployed.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        expect(done.returncode == 0, f"{Path(command[0]).name} {command[1]}: {(done.stderr or done.stdout)[-600:]}")
        return done.stdout


SCENARIO = OutpostsDashboardScenario
