"""EC2 wants instances back: the delivered functions deregister them, let them leave, and complete their hook once."""

import json
import time
from typing import Any, ClassVar

from tryout.hosts.processes import boot
from tryout.scenario import expect, step
from tryout.scenarios.spot_asg.looks import SpotAsgLooks
from tryout.steps import BESIDE, PLANTED, STAND_IN
from tryout.waits import wait_until

INSTANCES = 4
# What minutes are in an account is seconds here.
# stop_seconds is what a busy machine may need longer: the application stops at once, and its hook waits for all of it.
QUICK = {"max_instances": 8, "drain_seconds": 1, "stop_seconds": 5}
HOOK = "leave"


class SpotAsgScenario(SpotAsgLooks):
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
    in_account: ClassVar[dict[str, dict[str, Any]]] = {
        name: {key: value for key, value in settings.items() if key not in ("drain_seconds", "stop_seconds")}
        for name, settings in variants.items()
    }
    emulated = STAND_IN
    account_minutes = 25

    # Before the deployment

    @step("the command scores Regions, and the zones of one, for the configured shape", "our-model", where="anywhere")
    def scores(self) -> str:
        regions, zones = self.deployed.command("score"), self.deployed.command("score", "--by", "zones")
        asked = [answer["request"] for answer in (regions, zones)]
        expect(asked[0] == self.deployed.command("score")["request"], "the question changed")
        shape = "InstanceTypes" if self.deployed.settings.types else "InstanceRequirementsWithMetadata"
        expect(all(shape in question for question in asked), f"asked was {asked}")
        expect(all("zone_id" in score for score in zones["scores"]), f"{zones['scores']}")
        counted = f"{len(regions['scores'])} Region, {len(zones['scores'])} zones"
        return f"{counted}, for {asked[0]['TargetCapacity']} Spot Instances; the scores are invented"

    # The group

    @step("listed types, On-Demand base and percentage reach the group", "our-model", only=("types",), where="anywhere")
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

    @step(
        "Spot Instances start in every zone, and register with the target group",
        "our-model",
        only=("balanced",),
        where="anywhere",
    )
    def starts(self) -> str:
        self._set_size(INSTANCES)
        found = self._instances_in_ec2()
        zones = {item["Placement"]["AvailabilityZone"] for item in found}
        expect(all(item.get("InstanceLifecycle") == "spot" for item in found), "not all are Spot")
        expect(len(zones) == self.deployed.settings.zones, f"in {sorted(zones)}")
        wait_until("all of them are healthy", lambda: set(self._healthy()) == set(self._members()))
        return f"{len(found)} Spot Instances in {len(zones)} zones, of the smallest type that fits"

    @step("off-peak hours are scheduled in their time zone", "recorded", only=("balanced",), where="anywhere")
    def schedules(self) -> str:
        actions = self.autoscaling.describe_scheduled_actions(AutoScalingGroupName=self.group)[
            "ScheduledUpdateGroupActions"
        ]
        seen = sorted((item["Recurrence"], item["TimeZone"], item["DesiredCapacity"]) for item in actions)
        expect(seen == [("0 20 * * *", "Europe/Berlin", 2), ("0 6 * * *", "Europe/Berlin", 0)], f"{seen}")
        return "; ".join(f"{cron} {zone}: {size}" for cron, zone, size in seen)

    @step(
        "the experiment interrupts one running Spot Instance of the group, and has a stop condition",
        "recorded",
        only=("balanced",),
        where="anywhere",
    )
    def experiments(self) -> str:
        template = self.deployed.template()
        (experiment,) = [r["Properties"] for r in template["Resources"].values() if "::FIS::" in r["Type"]]
        (condition,) = experiment["StopConditions"]
        expect(condition["Source"] == "aws:cloudwatch:alarm", f"{condition}")
        (target,) = experiment["Targets"].values()
        return f"{target['SelectionMode']} with the tag {', '.join(target['ResourceTags'])}; FIS itself is not emulated"

    # An instance

    @step("the deployed user data installs the application and the unit that stops it", "real-code", only=("balanced",))
    def installs(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        self.machine = boot(self.deployed, template, self._members()[0])
        expect(["systemctl", "enable", "--now", "spot-app", "spot-shutdown"] in self.machine.calls, "not started")
        return f"{len(self.machine.written())} files, read with the role's one right"

    # What EC2 says

    @step(
        "an interruption warning: deregistered at once, replaced, counted for its pool",
        "real-code",
        only=("balanced",),
        emulated=PLANTED,
    )
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

    @step(
        "its hook is completed once, after it has had its time; the same event again does nothing",
        "real-code",
        only=("balanced",),
    )
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

    @step(
        "the same warning again, and late: nothing happens, and it counts once",
        "real-code",
        only=("balanced",),
        emulated=PLANTED,
    )
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

    @step("a notice for an instance of somebody else touches nothing", "real-code", only=("balanced",), emulated=BESIDE)
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

    @step(
        "rebalance recommendations for all at once are counted, and nobody stops serving",
        "real-code",
        only=("balanced",),
        emulated=PLANTED,
    )
    def rebalances(self) -> str:
        before = self._healthy()
        for instance in self._members():
            self._tell("rebalance", instance)
        expect(self._count("RebalanceRecommendations") == INSTANCES, f"{self._count('RebalanceRecommendations')}")
        expect(self._healthy() == before, f"{self._healthy()} are healthy, before {before}")
        return f"{INSTANCES} recommendations for {INSTANCES} instances: as many are healthy as before"

    @step(
        "Capacity Rebalancing ends an instance at risk only when its replacement serves, and then through its hook",
        "our-model",
        only=("balanced",),
        emulated=PLANTED,
    )
    def replaces(self) -> str:
        old, healthy = self._healthy()[0], len(self._healthy())
        self.deployed.aws.spot_notice("rebalance", old, act=True)
        wait_until("the replacement", lambda: old not in (serve := self._in_service()) and len(serve) == INSTANCES)
        expect(len(self._healthy()) >= healthy, f"{len(self._healthy())} are healthy, before {healthy}")
        return f"{INSTANCES} serve, and {old} has its time to leave"

    @step(
        "scale-in gives each instance its time: its unit stops the application, then the hook is completed",
        "real-code",
        only=("balanced",),
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
        emptied = time.monotonic() - begun
        wait_until("the count of short lives", lambda: self._count("ShortLivedInstances") >= INSTANCES)
        wait_until("all events taken", lambda: self._waiting("Queue") == 0)
        expect(self._waiting("DeadLetters") == 0, "an event was lost")
        return (
            f"stopped after {stopped:.1f} s, the group was empty after {emptied:.1f} s; their short lives are counted"
        )

    @step("the dashboard shows the group through all of this", "emulated", only=("balanced",))
    def shows(self) -> str:
        (name,) = self.deployed.resources["AWS::CloudWatch::Dashboard"]
        return self.deployed.keep_dashboard(name)


SCENARIO = SpotAsgScenario
