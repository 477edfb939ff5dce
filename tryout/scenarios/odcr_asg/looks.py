"""What the steps of the scenario look at, and what they do again and again."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from stacks.odcr_asg.placement import place
from tryout.hosts.group import REAL_MINUTE
from tryout.scenario import Deployed, Scenario, StepFailedError, expect
from tryout.waits import wait_until

QUICK_MINUTE = 0.5


class OdcrAsgLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.autoscaling = deployed.client("ec2"), deployed.client("autoscaling")
        self.ssm = deployed.client("ssm")
        self.group = deployed.outputs["AutoScalingGroupName"]
        self.reserved: dict[str, int] = {}

    def _seen(self, wanted: int) -> str:
        expected = place(wanted, self.reserved)
        with suppress(StepFailedError):  # what is seen instead says more
            wait_until("as many in use", lambda: self._used(self._reservations()) == Counter(expected.covered), 5)
        used = self._used(self._reservations())
        expect(used == Counter(expected.covered), f"used are {dict(used)}, expected {dict(expected.covered)}")
        return f"{used.total()} of {sum(self.reserved.values())} used: {dict(used)}"

    def _reservations(self) -> list[dict[str, Any]]:
        own = self.deployed.resources["AWS::EC2::CapacityReservation"]
        found = self.ec2.describe_capacity_reservations(CapacityReservationIds=own)["CapacityReservations"]
        return [item for item in found if item["State"] == "active"]

    def _used(self, reservations: list[dict[str, Any]]) -> Counter[str]:
        counts = {
            item["AvailabilityZone"]: item["TotalInstanceCount"] - item["AvailableInstanceCount"]
            for item in reservations
        }
        return Counter(counts)

    def _ringing(self) -> list[str]:
        return [name for name, state in self._alarms().items() if state == "ALARM"]

    def _states(self) -> set[str]:
        return set(self._alarms().values())

    def _alarms(self) -> dict[str, str]:
        names = self.deployed.resources["AWS::CloudWatch::Alarm"]
        found = self.deployed.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}

    def _soon(self, what: str, done: Callable[[], bool]) -> None:
        """Waits for what minutes bring, with a second or less for each."""
        self.deployed.aws.minute_lasts(QUICK_MINUTE)
        try:
            wait_until(what, done)
        finally:
            self.deployed.aws.minute_lasts(REAL_MINUTE)

    def _members(self) -> list[str]:
        return [instance["InstanceId"] for instance in self._group()["Instances"]]

    def _reservation_of(self, instance_id: str) -> str | None:
        (found,) = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"]
        reservation: str | None = found.get("CapacityReservationId")
        return reservation

    def _group(self) -> dict[str, Any]:
        groups = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        return dict(groups["AutoScalingGroups"][0])

    def _document(self, name: str) -> str:
        return self.deployed.outputs[f"{name}Drill"].rsplit(" ", 1)[-1]

    def _drill(self, name: str) -> dict[str, list[Any]]:
        """Starts a drill, waits for its end, and returns what its steps have put out, by ``Step.Output``."""
        drill = self._execution(name)
        expect(drill["AutomationExecutionStatus"] == "Success", f"the drill has failed: {drill.get('FailureMessage')}")
        return {
            f"{step['StepName']}.{output}": [json.loads(item) if item[:1] == "{" else item for item in values]
            for step in drill["StepExecutions"]
            for output, values in step.get("Outputs", {}).items()
        }

    def _execution(self, name: str, **parameters: Any) -> dict[str, Any]:
        """Runs a drill to its end, however it ends."""
        document = self._document(name)
        started = self.ssm.start_automation_execution(DocumentName=document, **parameters)["AutomationExecutionId"]

        def execution() -> dict[str, Any]:
            found = self.ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
            return dict(found)

        wait_until(f"the end of {name}", lambda: execution()["AutomationExecutionStatus"] != "InProgress")
        return execution()

    def _client_of(self, name: str) -> Any:
        """EC2 with the permissions of a drill's role."""
        content = self.ssm.get_document(Name=self._document(name), DocumentFormat="JSON")["Content"]
        role = json.loads(content)["assumeRole"]
        given = self.deployed.client("sts").assume_role(RoleArn=role, RoleSessionName="Automation")["Credentials"]
        return self.deployed.aws.client(
            "ec2",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
