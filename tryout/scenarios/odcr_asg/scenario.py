"""The post's four tests, started as a user would start them: by the delivered drills, under their own roles."""

from collections import Counter
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from stacks.odcr_asg.placement import place
from tryout.scenario import expect, step
from tryout.scenarios.odcr_asg.looks import OdcrAsgLooks
from tryout.steps import BESIDE, CLOCK

POST = {"required_instances": 6, "max_instances": 12, "zones": 3, "zone_names": [], "drills": True}


class OdcrAsgScenario(OdcrAsgLooks):
    """6 of 9 used; 12 wanted: 9 + 3; an outsider takes none; 7 wanted and a zone dropped: 6 + 1."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "group": {**POST, "targeting": "group"},
        "launch-template": {**POST, "targeting": "launch-template"},
    }
    in_account = variants
    account_minutes = 40

    @step(
        "reservations equal the launch template in type, platform and tenancy, and the group in zones",
        "our-model",
        where="anywhere",
    )
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

    @step("the pool is named in exactly one place", "recorded", where="anywhere")
    def one_target(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        versions = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        in_template = "CapacityReservationSpecification" in versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        in_group = self._group()["CapacityReservationSpecification"]
        itself = "CapacityReservationTarget" in in_group
        expect(itself != in_template, f"group: {in_group}, launch template: {in_template}")
        return str(in_group if itself else "the launch template, as in the post")

    @step("6 of 9 reservations are used, 2 in each zone", "our-model", where="anywhere")
    def six(self) -> str:
        return self._seen(6)

    @step(
        "drill scale-out: 12 wanted are 9 in reservations and 3 on plain On-Demand capacity, then 6 again",
        "our-model",
        where="anywhere",
    )
    def twelve(self) -> str:
        drill = self._drill("ScaleOut")
        used, instances = self._used(drill["Look.Reservations"]), len(drill["Members.Instances"])
        expect((used.total(), instances) == (9, 12), f"{used.total()} of {instances} instances were covered")
        return f"{dict(used)} covered, {instances - used.total()} not; afterwards {self._seen(6)}"

    @step(
        "drill outsider: an instance that matches and does not name the pool takes no reservation",
        "our-model",
        where="anywhere",
    )
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
        emulated=CLOCK,
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

    @step(
        "with the zone back, scale-in takes the one without a reservation first",
        "our-model",
        only=("group",),
        emulated=CLOCK,
    )
    def back(self) -> str:
        subnets = self._group()["VPCZoneIdentifier"].split(",")
        expect(len(subnets) == 3, f"the drill has left {subnets}")
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=6)
        used = self._used(self._reservations())
        expect(used.total() == 6, f"{used.total()} of 6 are covered")
        return f"{dict(used)}"

    @step(
        "a member that is stopped without more is ended, and another takes its place",
        "our-model",
        only=("group",),
        emulated=CLOCK,
    )
    def stopped_member(self) -> str:
        stopped = self._group()["Instances"][0]["InstanceId"]
        self.ec2.stop_instances(InstanceIds=[stopped])
        self._soon("its end", lambda: stopped not in self._members())
        expect(self._used(self._reservations()).total() == 6, "the new one is not covered")
        return f"{stopped} is gone with its disk; 6 of 9 are used"

    @step(
        "README's way to stop a member: on standby it stops, starts, and is back in its reservation",
        "our-model",
        only=("group",),
        emulated=CLOCK,
    )
    def stop_and_start(self) -> str:
        instance, other = self._members()[:2]
        before = self._reservation_of(instance)
        group = {"AutoScalingGroupName": self.group}
        self.autoscaling.update_auto_scaling_group(**group, MinSize=5)
        self.autoscaling.enter_standby(**group, InstanceIds=[instance], ShouldDecrementDesiredCapacity=True)
        self.ec2.stop_instances(InstanceIds=[instance, other])
        self._soon("the end of another that is stopped", lambda: other not in self._members())
        meanwhile = self._used(self._reservations()).total()
        self.ec2.start_instances(InstanceIds=[instance])
        self.autoscaling.exit_standby(**group, InstanceIds=[instance])
        self.autoscaling.update_auto_scaling_group(**group, MinSize=6)
        after = self._reservation_of(instance)
        expect((meanwhile, after) == (5, before), f"{meanwhile} were used meanwhile; {before} became {after}")
        expect(instance in self._members() and len(self._members()) == 6, f"members are {self._members()}")
        return "its place stayed free for it: nobody else may have it"

    @step(
        "at rest no alarm is on; with every reservation in use one rings", "our-model", only=("group",), emulated=CLOCK
    )
    def rings(self) -> str:
        self._soon("what is published at rest", lambda: self._states() == {"OK"})
        before = self._ringing()
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=9)
        self._soon("the alarm", lambda: self._ringing() != [])
        rang = self._ringing()
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=6)
        expect(before == [] and len(rang) == 1 and "UsedUp" in rang[0], f"{before}, then {rang}")
        return "6 of 9 used: none; 9 of 9: the one that says so"

    @step("the drills' roles may do nothing besides", "emulated", only=("group",), emulated=BESIDE)
    def bounded(self) -> str:
        denied = []
        for name in ("ScaleOut", "LoseZone", "Outsider"):
            try:
                self._client_of(name).terminate_instances(InstanceIds=[self._group()["Instances"][0]["InstanceId"]])
            except ClientError as error:
                denied.append(error.response["Error"]["Code"])
        expect(len(denied) == 3, f"only {len(denied)} of 3 were refused to end an instance of the group")
        return ", ".join(denied)

    @step(
        "the drill that loses a zone moves the group into no other subnet", "emulated", only=("group",), emulated=BESIDE
    )
    def stays(self) -> str:
        before = self._group()["VPCZoneIdentifier"]
        (vpc,) = self.deployed.resources["AWS::EC2::VPC"]
        other = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.255.0/28")["Subnet"]["SubnetId"]
        execution = self._execution("LoseZone", Parameters={"SubnetsToKeep": [other]})
        (lose, *_) = execution["StepExecutions"]
        expect(lose["StepStatus"] == "Failed" and "AccessDenied" in lose["FailureMessage"], f"{lose}")
        expect(self._group()["VPCZoneIdentifier"] == before, f"it is in {self._group()['VPCZoneIdentifier']}")
        self.ec2.delete_subnet(SubnetId=other)
        return "AccessDenied; the group stays where it is"

    @step(
        "an instance that a cancelled drill has left is ended by the next one",
        "our-model",
        only=("group",),
        emulated=BESIDE,
    )
    def leftover(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        tags = [{"Key": "odcr-asg-drill", "Value": self.deployed.stack_name}]
        left = self.ec2.run_instances(
            MinCount=1,
            MaxCount=1,
            LaunchTemplate={"LaunchTemplateId": template},
            SubnetId=self.deployed.outputs["SubnetForManuallyAddedInstance"],
            CapacityReservationSpecification={"CapacityReservationPreference": "open"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )["Instances"][0]["InstanceId"]
        self._drill("Outsider")
        (found,) = self.ec2.describe_instances(InstanceIds=[left])["Reservations"]
        state = found["Instances"][0]["State"]["Name"]
        expect(state == "terminated", f"it is still {state}")
        return f"{left} is {state}"


SCENARIO = OdcrAsgScenario
