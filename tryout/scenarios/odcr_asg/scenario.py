"""The post's four tests, started as a user would start them: by the delivered drills, under their own roles."""

import json
from collections import Counter
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from stacks.odcr_asg.placement import place
from tryout.scenario import Deployed, Scenario, expect, step
from tryout.waits import wait_until

POST = {"required_instances": 6, "max_instances": 12, "zones": 3, "zone_names": [], "drills": True}
HOUR = 3600


class OdcrAsgScenario(Scenario):
    """6 of 9 used; 12 wanted: 9 + 3; an outsider takes none; 7 wanted and a zone dropped: 6 + 1."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "group": {**POST, "targeting": "group"},
        "launch-template": {**POST, "targeting": "launch-template"},
    }

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.autoscaling = deployed.client("ec2"), deployed.client("autoscaling")
        self.ssm = deployed.client("ssm")
        self.group = deployed.outputs["AutoScalingGroupName"]
        self.reserved: dict[str, int] = {}

    @step("reservations equal the launch template in type, platform and tenancy, and the group in zones", "our-model")
    def equal(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        versions = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        found = self._reservations()
        kinds = {(item["InstanceType"], item["InstancePlatform"], item["Tenancy"]) for item in found}
        expect(kinds == {(data["InstanceType"], "Linux/UNIX", "default")}, f"{kinds}, not {data['InstanceType']}")
        subnets = self._group()["VPCZoneIdentifier"].split(",")
        zones = [item["AvailabilityZone"] for item in self.ec2.describe_subnets(SubnetIds=subnets)["Subnets"]]
        self.reserved = {item["AvailabilityZone"]: item["TotalInstanceCount"] for item in found}
        expect(sorted(self.reserved) == sorted(zones), f"reserved in {sorted(self.reserved)}, used are {zones}")
        expect({item["InstanceMatchCriteria"] for item in found} == {"targeted"}, "a reservation is open to everybody")
        return f"{self.reserved}, targeted"

    @step("the pool is named in exactly one place", "recorded")
    def one_target(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        versions = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        in_template = "CapacityReservationSpecification" in versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        in_group = self._group().get("CapacityReservationSpecification")
        expect(bool(in_group) != in_template, f"group: {in_group}, launch template: {in_template}")
        return str(in_group or "the launch template, as in the post")

    @step("6 of 9 reservations are used, 2 in each zone", "our-model")
    def six(self) -> str:
        return self._seen(6)

    @step(
        "drill scale-out: 12 wanted are 9 in reservations and 3 on plain On-Demand capacity, then 6 again", "our-model"
    )
    def twelve(self) -> str:
        drill = self._drill("ScaleOut")
        used, instances = self._used(drill["Look.Reservations"]), len(drill["Members.Instances"])
        expect((used.total(), instances) == (9, 12), f"{used.total()} of {instances} instances were covered")
        return f"{dict(used)} covered, {instances - used.total()} not; afterwards {self._seen(6)}"

    @step("drill outsider: an instance that matches and does not name the pool takes no reservation", "our-model")
    def outsider(self) -> str:
        drill = self._drill("Outsider")
        used = self._used(drill["Look.Reservations"])
        expect(used.total() == 6, f"{used.total()} reservations were used")
        (started,) = drill["Outsider.Instances"]
        expect("CapacityReservationId" not in started, f"it took {started.get('CapacityReservationId')}")
        (ended,) = self.ec2.describe_instances(InstanceIds=drill["Start.InstanceId"])["Reservations"]
        state = ended["Instances"][0]["State"]["Name"]
        expect(state == "terminated", f"it is still {state}")
        return "6 of 9 used while it ran; it is ended"

    @step(
        "drill lose-zone at 7 wanted: 6 in the reservations of two zones, 1 on plain On-Demand capacity",
        "our-model",
        only=("group",),
    )
    def seven(self) -> str:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=7)
        drill = self._drill("LoseZone")
        zones: Counter[str] = Counter(drill["Members.Zones"])
        used = self._used(drill["Look.Reservations"])
        (lost,) = set(self.reserved) - set(zones)
        expected = place(7, self.reserved, [lost])
        expect(sorted(zones.values()) == [3, 4], f"the instances are in {dict(zones)}")
        expect(+used == Counter(expected.covered), f"covered are {dict(used)}, expected {dict(expected.covered)}")
        return f"{lost} lost: {dict(zones)}, of which {used.total()} in reservations and {7 - used.total()} not"

    @step("with the zone back, scale-in takes the one without a reservation first", "our-model", only=("group",))
    def back(self) -> str:
        subnets = self._group()["VPCZoneIdentifier"].split(",")
        expect(len(subnets) == 3, f"the drill has left {subnets}")
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=6)
        used = self._used(self._reservations())
        expect(used.total() == 6, f"{used.total()} of 6 are covered")
        return f"{dict(used)}"

    @step("an instance that is stopped and started again is back in its reservation", "our-model", only=("group",))
    def stop_and_start(self) -> str:
        instance = self._group()["Instances"][0]["InstanceId"]
        before = self._reservation_of(instance)
        self.ec2.stop_instances(InstanceIds=[instance])
        meanwhile = self._used(self._reservations()).total()
        self.ec2.start_instances(InstanceIds=[instance])
        after = self._reservation_of(instance)
        expect((meanwhile, after) == (5, before), f"{meanwhile} were used meanwhile; {before} became {after}")
        return "its place stayed free for it: nobody else may have it"

    @step("with every reservation in use the alarm of each zone rings", "our-model", only=("group",))
    def rings(self) -> str:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=9)
        before = self._ringing()
        aws = self.deployed.aws
        aws.age_metrics(HOUR)  # what was published while there was room is of another hour
        aws.minute_lasts(0.5)
        try:
            wait_until("three alarms", lambda: len(self._ringing()) == 3)
        finally:
            aws.minute_lasts(60)
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=6)
        expect(before == [], f"it rang before: {before}")
        return "9 of 9 used: 3 alarms"

    @step("the drills' roles may do nothing besides", "emulated", only=("group",))
    def bounded(self) -> str:
        denied = []
        for name in ("ScaleOut", "LoseZone", "Outsider"):
            try:
                self._client_of(name).terminate_instances(InstanceIds=[self._group()["Instances"][0]["InstanceId"]])
            except ClientError as error:
                denied.append(error.response["Error"]["Code"])
        expect(len(denied) == 3, f"only {len(denied)} of 3 were refused to end an instance of the group")
        return ", ".join(denied)

    # What the steps look at

    def _seen(self, wanted: int) -> str:
        used, expected = self._used(self._reservations()), place(wanted, self.reserved)
        expect(used == Counter(expected.covered), f"used are {dict(used)}, expected {dict(expected.covered)}")
        return f"{used.total()} of {sum(self.reserved.values())} used: {dict(used)}"

    def _reservations(self) -> list[dict[str, Any]]:
        found = self.ec2.describe_capacity_reservations()["CapacityReservations"]
        return [item for item in found if item["State"] == "active"]

    def _used(self, reservations: list[dict[str, Any]]) -> Counter[str]:
        counts = {
            item["AvailabilityZone"]: item["TotalInstanceCount"] - item["AvailableInstanceCount"]
            for item in reservations
        }
        return Counter(counts)

    def _ringing(self) -> list[str]:
        pages = self.deployed.client("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
        return [
            alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if "UsedUp" in alarm["AlarmName"]
        ]

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
        started = self.ssm.start_automation_execution(DocumentName=self._document(name))["AutomationExecutionId"]

        def execution() -> dict[str, Any]:
            found = self.ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
            return dict(found)

        wait_until(f"the end of {name}", lambda: execution()["AutomationExecutionStatus"] != "InProgress")
        drill = execution()
        expect(drill["AutomationExecutionStatus"] == "Success", f"the drill has failed: {drill.get('FailureMessage')}")
        return {
            f"{step['StepName']}.{output}": [json.loads(item) if item[:1] == "{" else item for item in values]
            for step in drill["StepExecutions"]
            for output, values in step.get("Outputs", {}).items()
        }

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


SCENARIO = OdcrAsgScenario
