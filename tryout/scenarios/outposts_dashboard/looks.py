"""What the steps of the scenario look at, and what they do again and again."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tryout.scenario import Deployed, Scenario, expect

REPOSITORY = Path(__file__).parents[3]
PIPELINE = REPOSITORY / "stacks/outposts_dashboard/pipeline"
RACK, OTHER, COMING = (f"op-{digit * 17}" for digit in "123")
OWNER = "210987654321"
DAY = 86_400
TYPES = ["c5.4xlarge", "g4dn.12xlarge", "m5.24xlarge", "m5.4xlarge", "u-6tb1.metal"]
Json = dict[str, Any]
OUTPOSTS: list[Json] = [
    {"id": RACK, "name": "factory", "owner": "", "state": "ACTIVE", "types": TYPES},
    {"id": OTHER, "name": "shared", "owner": OWNER, "state": "ACTIVE", "types": ["r5.4xlarge", *TYPES[:3]]},
    {"id": COMING, "name": "ordered", "owner": "", "state": "PENDING", "types": []},
]


class OutpostsDashboardLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.cloudwatch = deployed.client("ec2"), deployed.client("cloudwatch")
        self.name = deployed.outputs["DashboardName"]
        self.instances: list[str] = []
        self.buckets: list[str] = []

    def __exit__(self, *_: object) -> None:
        """Takes the resources and the Outposts away."""
        if self.instances:
            self.ec2.terminate_instances(InstanceIds=self.instances)
        for bucket in self.buckets:
            self.deployed.client("s3").delete_bucket(Bucket=bucket)
        if foreign := self._foreign():
            self.cloudwatch.delete_dashboards(DashboardNames=foreign)
        self.deployed.aws.control("outposts")

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
        found = _of_outpost(RACK, TYPES, number, self.deployed.aws.account)
        found.append(
            ("S3Outposts", "BucketUsedBytes", {"BucketName": "on-site", "OutpostId": RACK}, 4e12 + 2e11 * number)
        )
        for place, instance in enumerate(self.instances):
            of = {"InstanceId": instance}
            found.append(("AWS/EC2", "CPUUtilization", of, 20 + 15 * ((number + 3 * place) % 5)))
            found.append(("AWS/EC2", "EBSIOBalance%", of, 100 - 2 * number))
            for metric, base in (
                ("NetworkIn", 4e6),
                ("NetworkOut", 2e6),
                ("NetworkPacketsIn", 6e3),
                ("NetworkPacketsOut", 5e3),
                ("EBSReadBytes", 1e6),
                ("EBSWriteBytes", 3e6),
                ("EBSReadOps", 250),
                ("EBSWriteOps", 400),
            ):
                found.append(("AWS/EC2", metric, of, base * (1 + (number + place) % 3)))
        return _data(found)

    def _metrics_of_owner(self, number: int) -> list[Json]:
        """What the account publishes that owns the shared Outpost, from which the dashboard reads it."""
        return _data(_of_outpost(OTHER, OUTPOSTS[1]["types"], number + 3, OWNER))

    def _metrics_of_day(self, number: int) -> list[Json]:
        """What S3 publishes of the buckets, once a day."""
        found: list[tuple[str, str, Json, float]] = []
        for bucket in self.buckets:
            for metric, storage, value in (
                ("BucketSizeBytes", "StandardStorage", 3e11 + 2e10 * number),
                ("NumberOfObjects", "AllStorageTypes", 4e4 + 1500 * number),
            ):
                found.append(("AWS/S3", metric, {"BucketName": bucket, "StorageType": storage}, value))
        return _data(found)

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


def _of_outpost(outpost: str, types: Sequence[str], number: int, account: str) -> list[tuple[str, str, Json, float]]:
    """The metrics of an Outpost in one of the rounds: more and more of it is used."""
    used = {kind: place + (number >= 2 * place + 2) for place, kind in enumerate(types, 1)}
    here = {"OutpostId": outpost}
    found: list[tuple[str, str, Json, float]] = [("AWS/Outposts", "ConnectedStatus", here, 0 if number == 7 else 1)]
    for kind, count in used.items():
        dimensions = {"InstanceType": kind, **here}
        found.append(("AWS/Outposts", "UsedInstanceType_Count", {"Account": account, **dimensions}, count))
        found.append(("AWS/Outposts", "AvailableInstanceType_Count", dimensions, 2 * len(types) - count))
    for metric, gigabytes in (("Utilization", 4_000 + 150 * number), ("Availability", 7_000 - 150 * number)):
        found.append(("AWS/Outposts", f"EBSVolumeTypeCapacity{metric}GB", {"VolumeType": "gp2", **here}, gigabytes))
    found.append(("S3Outposts", "OutpostTotalBytes", here, 26e12))
    found.append(("S3Outposts", "OutpostFreeBytes", here, 20e12 - 3e11 * number))
    return found


def _data(metrics: Sequence[tuple[str, str, Json, float]]) -> list[Json]:
    """As the embedded AWS wants them."""
    return [dict(zip(("namespace", "name", "dimensions", "value"), one, strict=True)) for one in metrics]
