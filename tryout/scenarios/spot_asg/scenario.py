"""EC2 wants instances back: the delivered functions deregister them, let them leave, and complete their hook once."""

import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, ClassVar

from tryout.hosts.group import REAL_MINUTE
from tryout.hosts.processes import Fleet, boot, wait_until
from tryout.hosts.user_data import Boot
from tryout.scenario import Deployed, Scenario, Step, StepFailedError, expect, step

INSTANCES = 4
# What minutes are in an account is seconds here.
# stop_seconds is what a busy machine may need longer: the application stops at once, and its hook waits for all of it.
QUICK = {"max_instances": 8, "drain_seconds": 1, "stop_seconds": 5}
QUICK_MINUTE = 1.0
QUICK_UNIT = {"WATCH_SECONDS": "0.2"}
HOOK = "leave"


class SpotAsgScenario(Scenario):
    """The group is diverse; notices and terminations are handled once; the score is asked for before."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "balanced": {
            "load_balancer": True,
            "off_peak": {"begins": "20:00", "ends": "06:00", "time_zone": "Europe/Berlin", "instances": 2},
            **QUICK,
        },
        "types": {
            "types": ["m6g.large", "m7g.large", "c7g.xlarge"],
            "allocation_strategy": "lowest-price",
            "lowest_price_pools": 3,
            "on_demand_base": 1,
            "on_demand_percentage": 50,
            **QUICK,
        },
    }
    pictured = ("balanced",)

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.autoscaling, self.ec2 = deployed.client("autoscaling"), deployed.client("ec2")
        self.cloudwatch, self.elb = deployed.client("cloudwatch"), deployed.client("elbv2")
        self.sqs = deployed.client("sqs")
        self.machine: Boot | None = None
        deployed.aws.minute_lasts(QUICK_MINUTE)

    def __exit__(self, *_: object) -> None:
        """Ends the units."""
        self.deployed.aws.minute_lasts(REAL_MINUTE)
        self.fleet.stop()

    def steps(self) -> Iterator[Step]:
        """All of them with the load balancer; with listed types only what they change."""
        only = {type(self).mixes}
        for each in super().steps():
            if (each.run in only | {type(self).scores}) if self.variant == "types" else each.run not in only:
                yield each

    # Before the deployment

    @step("the command scores Regions, and the zones of one, for the configured shape", "our-model")
    def scores(self) -> str:
        regions, zones = self._command("score"), self._command("score", "--by", "zones")
        asked = [answer["request"] for answer in (regions, zones)]
        expect(
            asked
            == [answer["request"] for answer in (self._command("score"), self._command("score", "--by", "zones"))],
            "the question changed",
        )
        shape = "InstanceTypes" if self.deployed.settings.types else "InstanceRequirementsWithMetadata"
        expect(all(shape in question for question in asked), f"asked was {asked}")
        expect(all("zone_id" in score for score in zones["scores"]), f"{zones['scores']}")
        counted = f"{len(regions['scores'])} Region, {len(zones['scores'])} zones"
        return f"{counted}, for {asked[0]['TargetCapacity']} Spot Instances; the scores are invented"

    # The group

    @step("listed types, On-Demand base and percentage reach the group", "our-model")
    def mixes(self) -> str:
        self._set_size(INSTANCES)
        policy = self._described()["MixedInstancesPolicy"]
        types = [item["InstanceType"] for item in policy["LaunchTemplate"]["Overrides"]]
        expect(types == list(self.deployed.settings.types), f"{types}")
        spot = sum(item.get("InstanceLifecycle") == "spot" for item in self._instances_in_ec2())
        expect(spot == 1, f"{spot} of {INSTANCES} are Spot")
        return (
            f"{len(types)} types; of {INSTANCES} instances 1 is the base, half of 3, rounded up, On-Demand, {spot} Spot"
        )

    @step("Spot Instances start in every zone, and register with the target group", "our-model")
    def starts(self) -> str:
        self._set_size(INSTANCES)
        found = self._instances_in_ec2()
        zones = {item["Placement"]["AvailabilityZone"] for item in found}
        expect(all(item.get("InstanceLifecycle") == "spot" for item in found), "not all are Spot")
        expect(len(zones) == self.deployed.settings.zones, f"in {sorted(zones)}")
        expect(set(self._healthy()) == set(self._members()), f"healthy: {self._healthy()}")
        return f"{len(found)} Spot Instances in {len(zones)} zones, of the smallest type that fits"

    @step("off-peak hours are scheduled in their time zone", "recorded")
    def schedules(self) -> str:
        actions = self.autoscaling.describe_scheduled_actions(AutoScalingGroupName=self.group)[
            "ScheduledUpdateGroupActions"
        ]
        seen = sorted((item["Recurrence"], item["TimeZone"], item["DesiredCapacity"]) for item in actions)
        expect(seen == [("0 20 * * *", "Europe/Berlin", 2), ("0 6 * * *", "Europe/Berlin", 0)], f"{seen}")
        return "; ".join(f"{cron} {zone}: {size}" for cron, zone, size in seen)

    @step("the experiment interrupts one running Spot Instance of the group, and has a stop condition", "recorded")
    def experiments(self) -> str:
        formation = self.deployed.client("cloudformation")
        body = formation.get_template(StackName=self.deployed.stack_name)["TemplateBody"]
        template = json.loads(body) if isinstance(body, str) else body
        (experiment,) = [r["Properties"] for r in template["Resources"].values() if "::FIS::" in r["Type"]]
        (condition,) = experiment["StopConditions"]
        expect(condition["Source"] == "aws:cloudwatch:alarm", f"{condition}")
        (target,) = experiment["Targets"].values()
        return f"{target['SelectionMode']} with the tag {', '.join(target['ResourceTags'])}; FIS itself is not emulated"

    # An instance

    @step("the deployed user data installs the application and the unit that stops it", "real-code")
    def installs(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        self.machine = boot(self.deployed, template, self._members()[0])
        expect(["systemctl", "enable", "--now", "spot-app", "spot-shutdown"] in self.machine.calls, "not started")
        return f"{len(self.machine.written())} files, read with the role's one right"

    # What EC2 says

    @step("an interruption warning: deregistered at once, replaced, counted for its pool", "real-code")
    def interrupts(self) -> str:
        victim = self.victim = self._members()[0]
        unit = self._watch(victim)
        unit.metadata.interrupt(seconds=120)
        self.deployed.aws.spot_notice("interruption", victim, act=True)
        wait_until("it leaves the target group", lambda: victim not in self._healthy())
        wait_until("the count", lambda: self._count("Interruptions") == 1)
        pool = self._pool(victim)
        expect(self._count("Interruptions", pool) == 1, f"the pool {pool} counts otherwise")
        wait_until("the application is stopped", lambda: bool(unit.events("stopped")))
        left = [event["event"] for event in unit.events()]
        expect(left == ["watching", "leaving", "stopped"], f"the unit logged {left}")
        return f"{' '.join(pool)}: 1; on the instance: {' -> '.join(left)}"

    @step("its hook is completed once, after it has had its time; the same event again does nothing", "real-code")
    def completes(self) -> str:
        wait_until("its end", lambda: self._state(self.victim) == "terminated")
        wait_until("the replacement", lambda: len(self._in_service()) == INSTANCES)
        detail = {
            "AutoScalingGroupName": self.group,
            "LifecycleHookName": HOOK,
            "EC2InstanceId": self.victim,
            "LifecycleActionToken": "00000000-0000-0000-0000-000000000000",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        }
        event = json.dumps({"source": "aws.autoscaling", "detail": detail})
        for _ in range(2):
            self.sqs.send_message(QueueUrl=self._queue("Queue"), MessageBody=event, DelaySeconds=0)
        wait_until("both taken", lambda: self._waiting("Queue") == 0)
        expect(self._waiting("DeadLetters") == 0, "an event was lost")
        return f"{self.victim} is terminated, {INSTANCES} serve"

    @step("the same warning again, and late: nothing happens, and it counts once", "real-code")
    def again(self) -> str:
        for _ in range(2):
            self._tell("interruption", self.victim)
        expect(self._count("Interruptions") == 1, f"{self._count('Interruptions')} counted")
        alive = self._members()[0]
        for _ in range(2):
            self._tell("interruption", alive)
        expect(self._count("Interruptions") == 2, f"{self._count('Interruptions')} counted")
        expect(alive not in self._healthy(), "it is still registered")
        return "of four notices two were of an instance that is gone, two of one other instance; 1 more counted"

    @step("a notice for an instance of somebody else touches nothing", "real-code")
    def foreign(self) -> str:
        other = self.ec2.run_instances(
            ImageId=self._instances_in_ec2()[0]["ImageId"],
            InstanceType="m6g.large",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "solution", "Value": "spot_asg"}]}],
        )["Instances"][0]["InstanceId"]
        before = (self._healthy(), self._count("Interruptions"))
        self._tell("interruption", other)
        self.ec2.terminate_instances(InstanceIds=[other])
        expect((self._healthy(), self._count("Interruptions")) == before, "something changed")
        return "although it carries this solution's tag"

    @step("rebalance recommendations drain while half of the group stays healthy; the rest waits", "real-code")
    def rebalances(self) -> str:
        for instance in self._members():
            self._tell("rebalance", instance)
        expect(self._count("RebalanceRecommendations") == INSTANCES, f"{self._count('RebalanceRecommendations')}")
        healthy = self._healthy()
        expect(len(healthy) == INSTANCES // 2, f"{len(healthy)} are healthy")
        return f"{INSTANCES} recommendations for {INSTANCES} instances: {len(healthy)} still serve"

    @step("Capacity Rebalancing replaces an instance at risk, which then leaves through its hook", "our-model")
    def replaces(self) -> str:
        old = self._healthy()[0]
        self.deployed.aws.spot_notice("rebalance", old, act=True)
        wait_until("the replacement", lambda: old not in (serve := self._in_service()) and len(serve) == INSTANCES)
        return f"{INSTANCES} serve, and {old} has its time to leave"

    @step(
        "scale-in gives each instance its time: its unit stops the application, then the hook is completed", "real-code"
    )
    def scales_in(self) -> str:
        members = self._in_service()
        unit = self._watch(members[-1])
        begun = time.monotonic()
        self._set_size(0)
        wait_until("the application is stopped", lambda: bool(unit.events("stopped")))
        stopped = time.monotonic() - begun
        expect(self._state(members[-1]) != "terminated", "the instance ended before its application")
        wait_until("an empty group", lambda: not self._members())
        expect(unit.events("leaving")[0]["reason"] == "termination", f"{unit.events()}")
        wait_until("all events taken", lambda: self._waiting("Queue") == 0)
        expect(self._waiting("DeadLetters") == 0, "an event was lost")
        return f"stopped after {stopped:.1f} s, the group was empty after {time.monotonic() - begun:.1f} s"

    @step("the dashboard shows the group through all of this", "emulated")
    def shows(self) -> str:
        (name,) = self.deployed.resources["AWS::CloudWatch::Dashboard"]
        return self.deployed.keep_dashboard(name)

    # What the steps look at

    def _command(self, *words: str) -> dict[str, Any]:
        config = self.deployed.folder.parent / "config.yaml"
        done = subprocess.run(
            [sys.executable, "-m", "stacks", "spot_asg", *words, "--json", "--config", str(config)],
            env=self.deployed.aws.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StepFailedError(f"{' '.join(words)}: {done.stderr.strip()}")
        return dict(json.loads(done.stdout))

    def _tell(self, kind: str, instance_id: str) -> None:
        """Lets EC2 announce something, and waits until the function has taken it."""
        before = self._invoked("Notices")
        self.deployed.aws.spot_notice(kind, instance_id)
        wait_until("the notice is taken", lambda: self._invoked("Notices") > before)

    def _watch(self, instance_id: str) -> Any:
        assert self.machine
        path = f"{self.machine.root / 'programs'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        unit = self.fleet.start(instance_id, self.machine.service("spot-shutdown"), PATH=path, **QUICK_UNIT)
        wait_until("the unit watches", lambda: bool(unit.events("watching")))
        return unit

    def _described(self) -> dict[str, Any]:
        return dict(
            self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])["AutoScalingGroups"][0]
        )

    def _members(self) -> list[str]:
        return [instance["InstanceId"] for instance in self._described()["Instances"]]

    def _in_service(self) -> list[str]:
        return [i["InstanceId"] for i in self._described()["Instances"] if i["LifecycleState"] == "InService"]

    def _set_size(self, instances: int) -> None:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=instances)
        wait_until(f"{instances} instances", lambda: len(self._in_service()) == instances)

    def _instances_in_ec2(self, *ids: str) -> list[dict[str, Any]]:
        found = self.ec2.describe_instances(InstanceIds=list(ids) or self._members())["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def _state(self, instance_id: str) -> str:
        return str(self._instances_in_ec2(instance_id)[0]["State"]["Name"])

    def _pool(self, instance_id: str) -> tuple[str, str]:
        instance = self._instances_in_ec2(instance_id)[0]
        return instance["InstanceType"], instance["Placement"]["AvailabilityZone"]

    def _healthy(self) -> list[str]:
        (arn,) = self.deployed.resources["AWS::ElasticLoadBalancingV2::TargetGroup"]
        found = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return [item["Target"]["Id"] for item in found if item["TargetHealth"]["State"] == "healthy"]

    def _count(self, metric: str, pool: tuple[str, str] | None = None) -> float:
        dimensions = {"AutoScalingGroupName": self.group}
        if pool:
            dimensions |= {"InstanceType": pool[0], "AvailabilityZone": pool[1]}
        return self._sum(self.deployed.settings.metric_namespace, metric, dimensions)

    def _sum(self, namespace: str, metric: str, dimensions: dict[str, str]) -> float:
        now = datetime.datetime.now(datetime.UTC)
        found = self.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - datetime.timedelta(days=1),
            EndTime=now + datetime.timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in found))

    def _invoked(self, function: str) -> int:
        """How often a function has run to its end, by its log."""
        (name,) = [name for name in self.deployed.resources["AWS::Lambda::Function"] if f"-{function}" in name]
        configuration = self.deployed.client("lambda").get_function_configuration(FunctionName=name)
        group = configuration["LoggingConfig"]["LogGroup"]
        pages = self.deployed.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        errors = [line for line in lines if "Traceback" in line]
        expect(not errors, f"{function} has failed: {errors[:1]}")
        return sum(line.startswith("REPORT") for line in lines)

    def _queue(self, name: str) -> str:
        (url,) = [url for url in self.deployed.resources["AWS::SQS::Queue"] if f"-Leaving{name}" in url]
        return url

    def _waiting(self, name: str) -> int:
        """Messages of a queue: visible, in flight or delayed."""
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        found = self.sqs.get_queue_attributes(QueueUrl=self._queue(name), AttributeNames=names)["Attributes"]
        return sum(int(found[each]) for each in names)


SCENARIO = SpotAsgScenario
