"""What the steps of the scenario look at, and what they do again and again."""

import json
import time
from typing import Any, Self

from tryout.scenario import Deployed, Scenario, expect
from tryout.waits import wait_until

IMAGE, ROOT_DEVICE = "ami-12345678", "/dev/sda1"  # of which the embedded AWS knows nothing more
TWO_HOURS = 7200
GIB = 8


class RootVolumeReplacementLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.states = deployed.client("ec2"), deployed.client("stepfunctions")
        self.sqs, self.sns = deployed.client("sqs"), deployed.client("sns")
        opt_in = deployed.settings.opt_in
        self.opted_in = {"Key": opt_in.key, "Value": opt_in.value}
        self.instance, self.stranger = "", ""
        self.launched: list[str] = []
        self.reports, self.heard, self.before = "", "", 0

    def __enter__(self) -> Self:
        """A queue hears the reports."""
        self.reports = self.sqs.create_queue(QueueName=f"reports-{self.variant}")["QueueUrl"]
        queue = self.sqs.get_queue_attributes(QueueUrl=self.reports, AttributeNames=["QueueArn"])
        arn, topic = queue["Attributes"]["QueueArn"], self.deployed.outputs["ReportTopicArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Action": "sqs:SendMessage"}]}
        self.sqs.set_queue_attributes(QueueUrl=self.reports, Attributes={"Policy": json.dumps(policy)})
        self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.before = self._ended("SnapshotMachineArn")  # of an earlier deployment under the same name
        return self

    def __exit__(self, *_: object) -> None:
        """Removes the instances, their volumes and snapshots, and the queue."""
        if self.launched:
            self.ec2.terminate_instances(InstanceIds=self.launched)
        # What still runs would write into a log group that is gone, and so make it again.
        for execution in self._running():
            self.states.stop_execution(executionArn=execution)
        wait_until("the end of every execution", lambda: not self._running())
        for volume in self.ec2.describe_volumes(Filters=[{"Name": "status", "Values": ["available"]}])["Volumes"]:
            self.ec2.delete_volume(VolumeId=volume["VolumeId"])
        for snapshot in self._snapshots():
            self.ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        self.sqs.delete_queue(QueueUrl=self.reports)

    def _launch(self, *tags: dict[str, str]) -> str:
        root = {"DeviceName": ROOT_DEVICE, "Ebs": {"VolumeSize": GIB, "VolumeType": "gp3"}}
        launched = self.ec2.run_instances(
            ImageId=IMAGE,
            InstanceType="m7i.large",
            MinCount=1,
            MaxCount=1,
            BlockDeviceMappings=[root],
            TagSpecifications=[{"ResourceType": "instance", "Tags": list(tags)}] if tags else [],
        )
        self.launched.append(str(launched["Instances"][0]["InstanceId"]))
        return self.launched[-1]

    def _root(self, instance_id: str) -> str:
        (instance,) = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"]
        found = [
            mapping["Ebs"]["VolumeId"]
            for mapping in instance["BlockDeviceMappings"]
            if mapping["DeviceName"] == instance["RootDeviceName"]
        ]
        return found[0] if found else ""

    def _snapshots(self) -> list[dict[str, Any]]:
        tagged = [{"Name": "tag:replace-snapshot", "Values": ["true"]}]
        return list(self.ec2.describe_snapshots(OwnerIds=["self"], Filters=tagged)["Snapshots"])

    def _tasks(self) -> int:
        return len(self.ec2.describe_replace_root_volume_tasks()["ReplaceRootVolumeTasks"])

    def _start(self, machine: str, request: dict[str, Any]) -> str:
        arn = self.deployed.outputs[machine]
        return str(self.states.start_execution(stateMachineArn=arn, input=json.dumps(request))["executionArn"])

    def _end(self, execution: str, seconds: float = 60) -> dict[str, Any]:
        described: dict[str, Any] = {}

        def ended() -> bool:
            described.update(self.states.describe_execution(executionArn=execution))
            return bool(described["status"] != "RUNNING")

        wait_until("the end of an execution", ended, seconds)
        return described

    def _has_joined(self, execution: str) -> bool:
        events = self.states.get_execution_history(executionArn=execution)["events"]
        return any('"joined"' in json.dumps(event, default=str).replace("\\", "") for event in events)

    def _running(self) -> list[str]:
        return [
            execution["executionArn"]
            for machine in self.deployed.resources["AWS::StepFunctions::StateMachine"]
            for execution in self.states.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        ]

    def _ended(self, machine: str) -> int:
        executions = self.states.list_executions(stateMachineArn=self.deployed.outputs[machine])["executions"]
        return sum(execution["status"] == "SUCCEEDED" for execution in executions)

    def _replaced(self, instance_id: str, to: str) -> dict[str, Any]:
        end = self._end(self._start("ReplacementMachineArn", {"instance_id": instance_id, "to": to}))
        expect(end["status"] == "SUCCEEDED", f"it ended {end.get('error')}: {end.get('cause')}")
        return dict(json.loads(end["output"]))

    def _alarm(self, name: str) -> str:
        alarms = self.deployed.client("cloudwatch").describe_alarms()["MetricAlarms"]
        return next(
            str(alarm["StateValue"]) for alarm in alarms if f"#alarm-{name.lower()}" in alarm["AlarmDescription"]
        )

    def _clean_up(self) -> dict[str, Any]:
        return dict(self.deployed.invoke("CleanUpFunction"))

    def _age(self) -> None:
        """Two hours pass: for the snapshots, and for what the ledger says of volumes."""
        self.deployed.aws.control("age-snapshots", seconds=TWO_HOURS)
        dynamodb, table = self.deployed.client("dynamodb"), self.deployed.outputs["LedgerTable"]
        for item in dynamodb.scan(TableName=table)["Items"]:
            if item["id"]["S"].startswith(("vol-", "gone#")):
                dynamodb.put_item(TableName=table, Item={**item, "at": {"N": str(int(time.time()) - TWO_HOURS)}})

    def _hear(self, words: str) -> None:
        """Waits for a report with these words in its subject."""

        def heard() -> bool:
            for message in self.sqs.receive_message(QueueUrl=self.reports).get("Messages", []):
                self.heard += json.loads(message["Body"])["Subject"] + "\n"
                self.sqs.delete_message(QueueUrl=self.reports, ReceiptHandle=message["ReceiptHandle"])
            return words in self.heard

        wait_until(f"a report that says '{words}'", heard)
