"""Plays the post's tutorial: the group and its page, then the same requests to a model of Spinnaker on loopback.

The Gate and the Spinnaker behind it are written from its sources and look things up in the embedded account; no
Spinnaker runs here, and its server groups exist only as names, except the one that tests the managed role.
"""

import base64
from typing import Any, ClassVar

from tryout.hosts.metadata import InstanceMetadata
from tryout.scenario import expect, step
from tryout.scenarios.spinnaker_server_groups.looks import TOKEN, SpinnakerServerGroupsLooks
from tryout.scenarios.spinnaker_server_groups.managed import ManagedRole, denied
from tryout.scenarios.spinnaker_server_groups.page import PAGE, page_booted
from tryout.steps import BESIDE
from tryout.waits import wait_until

FIRST = "demoapp-v000"
GATE = "the Gate is a program of this machine: no Spinnaker runs in the account"
INSTANCES = 2


class SpinnakerServerGroupsScenario(SpinnakerServerGroupsLooks):
    """The group is diversified, its page shows where it runs, and Spinnaker accepts every request or says why not."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "post": {"allocation_strategy": "capacity-optimized"},
        "burstable": {
            "types": ["t3.large", "t3a.large"],
            "cpu_credits": "standard",
            "min_instances": 2,
            "max_instances": 6,
            "desired_instances": 4,
            "on_demand_base": 1,
        },
        "host": {"native_group": False, "network": "nat", "host": {}},
    }
    in_account = variants
    emulated = GATE
    account_minutes = 25

    # The native group

    @step(
        "twelve instances run over seven types and three zones, On-Demand and Spot",
        "our-model",
        only=("post",),
        where="anywhere",
    )
    def diversifies(self) -> str:
        group = self._group()
        sizes = (group["MinSize"], group["MaxSize"], group["DesiredCapacity"])
        expect(sizes == (6, 21, 12), f"sizes are {sizes}")
        wait_until("12 instances", lambda: len(self._group()["Instances"]) == 12)
        ids = [instance["InstanceId"] for instance in self._group()["Instances"]]
        found = self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
        instances = [instance for each in found for instance in each["Instances"]]
        spot = sum(instance.get("InstanceLifecycle") == "spot" for instance in instances)
        zones = {instance["Placement"]["AvailabilityZone"] for instance in instances}
        overrides = group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
        expect(len(zones) == 3 and len(overrides) == 7, f"{len(zones)} zones, {len(overrides)} types")
        expect(3 <= 12 - spot <= 4, f"{12 - spot} are On-Demand")
        public = [instance["InstanceId"] for instance in instances if instance.get("PublicIpAddress")]
        expect(not public, f"with a public address: {public}")
        return f"{12 - spot} On-Demand and {spot} Spot in {len(zones)} zones; which types EC2 takes is not modelled"

    @step("burstable types have the CPU credits that the body sets", "our-model", only=("burstable",), where="anywhere")
    def credits(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        found = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        expect(data.get("CreditSpecification") == {"CpuCredits": "standard"}, f"{data.get('CreditSpecification')}")
        (body,) = self._bodies("server-group")
        expect(body["job"][0]["unlimitedCpuCredits"] is False, "the body says otherwise")
        return "standard, unlimitedCpuCredits: false"

    @step(
        "the instances are behind the load balancer, with the same numbers as in the body",
        "our-model",
        only=("post",),
        where="anywhere",
    )
    def balances(self) -> str:
        (arn,) = self.deployed.resources["AWS::ElasticLoadBalancingV2::TargetGroup"]
        (group,) = self.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        (body,) = self._bodies("load-balancer")
        (wanted,) = body["job"][0]["targetGroups"]
        pairs = {
            "HealthCheckIntervalSeconds": "healthCheckInterval",
            "HealthCheckTimeoutSeconds": "healthCheckTimeout",
            "HealthyThresholdCount": "healthyThreshold",
            "UnhealthyThresholdCount": "unhealthyThreshold",
            "HealthCheckPort": "healthCheckPort",
            "Port": "port",
        }
        other = [name for name, field in pairs.items() if group[name] != wanted[field]]
        expect(not other, f"differ: {other}")
        attributes = self.elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        delay = {each["Key"]: each["Value"] for each in attributes}["deregistration_delay.timeout_seconds"]
        expect(int(delay) == wanted["attributes"]["deregistrationDelay"] == 90, f"the delay is {delay}")

        def targets() -> int:
            return len(self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"])

        wait_until("12 targets", lambda: targets() == 12)
        return f"{targets()} targets, deregistration delay {delay} s; the embedded load balancer finds all healthy"

    @step("the delivered user data writes the page of its instance", "real-code", only=("post",))
    def serves(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        found = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
        encoded = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]
        (body,) = self._bodies("server-group")
        native = base64.b64decode(encoded)
        expect(base64.b64decode(body["job"][0]["base64UserData"]) == native, "Spinnaker's user data is another")
        instance = self._group()["Instances"][0]
        with InstanceMetadata(instance["InstanceId"], self.deployed.client) as metadata:
            environment = self._boot_environment(metadata)
            machine = page_booted(self.deployed.folder / "disk", native.decode(), environment)
        expect(machine.status == 0, f"it ended with {machine.status}: {machine.output[-300:]}")
        page = machine.path(PAGE).read_text(encoding="utf-8")
        for value in (instance["InstanceId"], instance["AvailabilityZone"]):
            expect(value in page, f"{value} is not in the page")
        return f"{instance['InstanceId']} in {instance['AvailabilityZone']}, the same bytes as Spinnaker's"

    # The requests

    @step("without a token Gate asks for a login, and nothing is posted", "real-code", only=("post",))
    def logs_in(self) -> str:
        status, _, err = self._command("post", "application", token=None)
        expect(status == 1 and "asks for a login" in err, f"{status}: {err}")
        expect(not self.gate.posted, "something was posted")
        return err.strip().splitlines()[-1]

    @step("a server group without its load balancer fails with clouddriver's sentence", "real-code")
    def fails(self) -> str:
        self._posted("application")
        status, out, err = self._command("post", "server-group")
        expect(status == 1 and "Unable to find target groups named [demoapp-targetgroup]" in err, f"{status}: {err}")
        expect(TOKEN not in out + err, "the token is printed")
        return err.strip().splitlines()[-1]

    @step("Spinnaker accepts application, load balancer and server group, every field checked", "our-model")
    def deploys(self) -> str:
        self._posted("load-balancer")
        said = self._posted("server-group")
        expect(FIRST in said and self.spinnaker.groups == {FIRST: True}, f"{said}, {self.spinnaker.groups}")
        expect(set(self.gate.tokens) <= {TOKEN, None}, "another token came along")
        return f"{FIRST}: subnets by their purposes, groups, profile, image and key pair are the stack's"

    @step("a task whose answer is lost is not posted again, but found and followed", "real-code", only=("post",))
    def loses(self) -> str:
        before, self.gate.lose_answers = len(self.gate.posted), 1
        status, _, err = self._command("post", "server-group")
        expect(status == 1 and "may have arrived" in err, f"{status}: {err}")
        expect(len(self.gate.posted) == before + 1, f"posted {len(self.gate.posted) - before} times")
        status, out, err = self._command("tasks")
        newest = f"01{len(self.gate.posted):024d}"
        expect(status == 0 and newest in out, f"{status}: {out}{err}")
        status, out, err = self._command("follow", newest)
        expect(status == 0 and "SUCCEEDED" in out, f"{status}: {out}{err}")
        return f"one post, then tasks and follow {newest}"

    @step("modify, disable, enable and destroy act on the named server group", "our-model")
    def changes(self) -> str:
        (body,) = self._bodies("server-group")
        for action in ("modify", "disable", "enable", "destroy"):
            self._posted(action, "--server-group", FIRST)
            kept = self.spinnaker.user_data.get(FIRST)
            expect(action == "destroy" or kept == body["job"][0]["base64UserData"], f"{action} changes the user data")
            enabled = self.spinnaker.groups.get(FIRST)
            wanted = {"modify": True, "disable": False, "enable": True, "destroy": None}[action]
            expect(enabled is wanted, f"after {action} {FIRST} is {enabled}")
        return f"{FIRST} changed, out, in again, gone"

    @step("the clean-up runs in order, waits for the cache and leaves nothing", "our-model")
    def cleans_up(self) -> str:
        self._posted("server-group")
        begun = len(self.gate.posted)
        self._posted("clean-up")
        kinds = [body["job"][0]["type"] for body in self.gate.posted[begun:]]
        expect(kinds[-2:] == ["deleteLoadBalancer", "deleteApplication"], f"{kinds}")
        left = (self.spinnaker.groups, self.spinnaker.balancers, self.spinnaker.applications)
        expect(not any(left), f"left: {left}")
        return " -> ".join(kinds)

    # The host

    @step(
        "the host is in a private subnet, without a public address or inbound rules",
        "emulated",
        only=("host",),
        where="anywhere",
    )
    def hides(self) -> str:
        found = self.ec2.describe_instances(InstanceIds=[self.deployed.outputs["HostInstanceId"]])
        instance = found["Reservations"][0]["Instances"][0]
        expect(not instance.get("PublicIpAddress"), f"it has {instance.get('PublicIpAddress')}")
        groups = [group["GroupId"] for group in instance["SecurityGroups"]]
        rules = self.ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
        expect(not [rule for group in rules for rule in group["IpPermissions"]], "something may come in")
        expect(instance["SubnetId"] in self.deployed.outputs["PrivateSubnets"], "it is in another subnet")
        return f"{instance['InstanceId']} in {instance['SubnetId']}; its installation needs the internet: not run"

    @step(
        "the host's role assumes the managed role, which can deploy this application and nothing else",
        "our-model",
        only=("host",),
        emulated=BESIDE,
    )
    def is_scoped(self) -> str:
        managed = ManagedRole(self.deployed)
        balancer, group = (self._bodies(action)[0]["job"][0] for action in ("load-balancer", "server-group"))
        denied("another load balancer", lambda: managed.balance(balancer, "other-lb"))
        made = managed.balance(balancer, balancer["name"])
        managed.launch(group, FIRST, made[1], INSTANCES)
        template = managed.template(FIRST)
        denied("another group", lambda: managed.group(group, "other-v000", template, made[1], INSTANCES))
        mine = self.deployed.outputs["HostInstanceId"]
        denied("the host's end", lambda: managed.ec2.terminate_instances(InstanceIds=[mine]))
        (own,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        denied("the host's template", lambda: managed.version(own, {"InstanceType": "m5.large"}))
        (modify,) = self._bodies("modify", "--server-group", FIRST)
        managed.modify(modify["job"][0], FIRST)
        expect(managed.user_data(FIRST) == group["base64UserData"], "the user data is another after a modification")
        managed.ec2.terminate_instances(InstanceIds=managed.members(FIRST)[:1])
        managed.destroy(FIRST)
        managed.unbalance(*made)
        return f"load balancer, {FIRST} with {INSTANCES} instances, its next version, and their end; denied: 4 others"


SCENARIO = SpinnakerServerGroupsScenario
