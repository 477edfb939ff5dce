"""The post's test: instances wait, a tag turns Successful, and only then they enter service."""

import json
from typing import Any, ClassVar

from tryout.hosts.processes import boot
from tryout.hosts.programs import require
from tryout.scenario import expect, step
from tryout.scenarios.custom_health_checks.looks import (
    FAILED,
    PASSED,
    PATIENCE,
    PORT,
    TABLE,
    TAG,
    Answering,
    CustomHealthChecksLooks,
)
from tryout.steps import BESIDE, STAND_IN
from tryout.waits import wait_until


class CustomHealthChecksScenario(CustomHealthChecksLooks):
    """Mode event: tag, launch event and sweep, in any order. Mode instance: the script itself runs."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "event": {"mode": "event", "warm_pool": {"min_size": 1, "max_prepared": 3}},
        "instance": {
            "mode": "instance",
            "heartbeat_seconds": 3600,  # of the hook itself; on a busy machine the second instance waits for long
            "checks": [
                {"kind": "tag"},
                {"kind": "http", "port": PORT, "path": "/health"},
                {"kind": "table", "table": TABLE},
            ],
        },
    }
    long_waits: ClassVar[dict[str, int]] = {"instance": 40}
    in_account: ClassVar[dict[str, dict[str, Any]]] = {"event": variants["event"]}
    emulated = STAND_IN
    account_minutes = 30

    # Both modes

    @step(
        "the group's first instances wait for the hook, protected and with the tag that is not yet right",
        "our-model",
        where="anywhere",
    )
    def waits(self) -> str:
        wait_until("two that wait", lambda: len(self._in("Pending:Wait")) == 2)
        waiting = self._in("Pending:Wait")
        expect(self._tag(waiting[0]) == "UnSuccessful", f"the tag is {self._tag(waiting[0])}")
        (hook,) = self.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=self.group)["LifecycleHooks"]
        (group,) = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])[
            "AutoScalingGroups"
        ]
        expect(all(member["ProtectedFromScaleIn"] for member in group["Instances"]), f"{group['Instances']}")
        return f"2 in Pending:Wait, {hook['HeartbeatTimeout']} s, then {hook['DefaultResult']}"

    # Mode event

    @step(
        "one tag turns Successful: that instance enters service, the other waits on",
        "real-code",
        only=("event",),
        where="anywhere",
    )
    def tag_lets_in(self) -> str:
        chosen, other = self._in("Pending:Wait")
        self._mark(chosen, PASSED)
        self._until(chosen, "InService")
        expect(self._states()[other] == "Pending:Wait", f"the other is in {self._states()[other]}")
        return "CreateTags -> event -> function -> CONTINUE"

    @step("the same events again, twice and late, change nothing", "real-code", only=("event",), where="anywhere")
    def duplicates(self) -> str:
        (served,) = self._in("InService")
        before = self._states()
        arn = f"arn:aws:ec2:us-east-1:123456789012:instance/{served}"
        tag = {"detail-type": "Tag Change on Resource", "resources": [arn], "detail": {"tags": {TAG: PASSED}}}
        launch = {"detail-type": "EC2 Instance-launch Lifecycle Action", "detail": {"EC2InstanceId": served}}
        answers = [self.deployed.invoke("CheckerFunction", event) for event in (tag, tag, launch, launch)]
        expect(answers == [{}] * 4, f"it answered {answers}")
        expect(self._states() == before, f"{before} became {self._states()}")
        return "4 deliveries, no call to complete a hook"

    @step("a tag whose event is lost is found by the sweep", "real-code", only=("event",), emulated=BESIDE)
    def swept(self) -> str:
        (waiting,) = self._in("Pending:Wait")
        (pooled,) = self._in("Warmed:Pending:Wait")
        rules = [
            rule["Name"] for rule in self.events.list_rules()["Rules"] if "aws.tag" in rule.get("EventPattern", "")
        ]
        for rule in rules:
            self.events.disable_rule(Name=rule)
        self._mark(waiting, PASSED)
        expect(self._states()[waiting] == "Pending:Wait", "nobody has told the function, and it knew")
        answer = self.deployed.invoke("CheckerFunction", {"group": self.group})
        for rule in rules:
            self.events.enable_rule(Name=rule)
        expect(answer == {"CONTINUE": [waiting], "nothing": [pooled]}, f"it answered {answer}")
        self._until(waiting, "InService")
        return f"rule disabled, tag set, sweep: {answer}"

    @step(
        "a failure value gives the instance up at once, and another takes its place in the warm pool",
        "real-code",
        only=("event",),
        where="anywhere",
    )
    def gives_up(self) -> str:
        wait_until("one on its way into the pool", lambda: len(self._in("Warmed:Pending:Wait")) == 1)
        (bad,) = self._in("Warmed:Pending:Wait")
        self._mark(bad, FAILED)
        wait_until("its end", lambda: bad not in self._states())
        wait_until("another in its place", lambda: len(self._in("Warmed:Pending:Wait")) == 1)
        (self.pooled,) = self._in("Warmed:Pending:Wait")
        return "ABANDON long before the time-out"

    @step(
        "an instance on its way into the warm pool waits for its checks, too, and is stopped then",
        "real-code",
        only=("event",),
        where="anywhere",
    )
    def enters_pool(self) -> str:
        self._mark(self.pooled, PASSED)
        self._until(self.pooled, "Warmed:Stopped")
        return "Warmed:Pending:Wait -> Warmed:Stopped"

    @step(
        "on its way out it waits a second time; the launch event finds the tag right already",
        "real-code",
        only=("event",),
        where="anywhere",
    )
    def leaves_pool(self) -> str:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=3)
        self._until(self.pooled, "InService")
        return "Warmed:Stopped -> Pending:Wait -> InService, and nobody has changed the tag"

    # Mode instance

    @step(
        "the deployed user data installs the script and its unit, which starts at every boot",
        "real-code",
        only=("instance",),
    )
    def installs(self) -> str:
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        machine = boot(self.deployed, template, self._in("Pending:Wait")[0])
        self.service = machine.service("custom-health-check")
        expect(["systemctl", "enable", "--now", "custom-health-check"] in machine.calls, "the unit was not started")
        checks = machine.path("/etc/custom-health-check.checks").read_text().split()
        return f"{len(machine.written())} files; checks: {', '.join(checks)}; dnf and systemctl are stand-ins"

    @step(
        "the script waits and sends heartbeats; a right tag alone is not enough when there are more checks",
        "real-code",
        only=("instance",),
    )
    def needs_all(self) -> str:
        require("curl")
        first = self._start(self._in("Pending:Wait")[0])
        wait_until("a heartbeat", lambda: bool(first.events("heartbeat")), seconds=PATIENCE)
        self._mark(first.instance_id, PASSED)
        self.endpoint = Answering()
        begun = len(first.events("looked"))
        wait_until("two more looks", lambda: len(first.events("looked")) > begun + 1, seconds=PATIENCE)
        verdicts = {event["verdict"] for event in first.events("looked")}
        expect(verdicts == {"pending"}, f"the verdicts are {verdicts}")
        healthy = {member["HealthStatus"].lower() for member in self._members()}
        expect(healthy == {"healthy"}, f"instances are {healthy}")
        return f"{len(first.events('looked'))} looks, all pending; nobody was marked unhealthy"

    @step("when the table has an entry for it, too, the instance lets itself in", "real-code", only=("instance",))
    def lets_itself_in(self) -> str:
        (first,) = self.fleet.workers
        self._enter_in_table(first.instance_id)
        self._until(first.instance_id, "InService")
        wait_until("the script's end", lambda: first.exit_status == 0, seconds=PATIENCE)
        expect(len(self._in("Pending:Wait")) == 1, "the other did not wait on")
        return " -> ".join(event["event"] for event in first.events()[-3:])

    @step("a script that was killed in the middle goes on after a reboot where it was", "real-code", only=("instance",))
    def survives_reboot(self) -> str:
        victim = self._start(self._in("Pending:Wait")[0])
        wait_until("a look", lambda: bool(victim.events("looked")), seconds=PATIENCE)
        waited = int(victim.events("looked")[-1]["waited"])
        victim.kill()
        again = self._start(victim.instance_id)
        wait_until("a look after the reboot", lambda: self._looked_again(again), seconds=PATIENCE)
        self._enter_in_table(victim.instance_id)
        self._mark(victim.instance_id, PASSED)
        self._until(victim.instance_id, "InService")
        looks = [int(event["waited"]) for event in again.events("looked")]
        expect(looks[-1] >= waited, f"it has forgotten that it had waited {waited} s: {looks}")
        return f"{waited} s before, {looks[-1]} s after, then InService"

    @step("a failure value makes a new instance give itself up at once", "real-code", only=("instance",))
    def gives_itself_up(self) -> str:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=3)
        (bad,) = self._in("Pending:Wait")
        self._mark(bad, FAILED)
        script = self._start(bad)
        wait_until("its end", lambda: bad not in self._states(), seconds=PATIENCE)
        wait_until("the log", lambda: bool(script.events("abandoned")))
        return f"{script.events('looked')[-1]['verdict']} after {script.events('looked')[-1]['waited']} s, and replaced"

    # Both, at the end

    @step("scale-in leaves protected instances alone, until the stack's end takes their protection away", "real-code")
    def protects(self) -> str:
        before = set(self._in("InService"))
        self.autoscaling.update_auto_scaling_group(AutoScalingGroupName=self.group, MinSize=0, DesiredCapacity=0)
        expect(set(self._in("InService")) == before, f"{before} became {self._states()}")
        with Answering(port=0) as cloudformation:
            names = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
            event = {"RequestType": "Delete", "ResponseURL": cloudformation.url, **names}
            self.deployed.invoke("Unprotect", {**event, "ResourceProperties": {"GroupName": self.group}})
            said = json.loads(cloudformation.received[-1])
        expect(said["Status"] == "SUCCESS", f"CloudFormation was told {said}")
        kept = [
            m["InstanceId"] for m in self._members() if m["ProtectedFromScaleIn"] and "Wait" not in m["LifecycleState"]
        ]
        expect(not kept, f"still protected: {kept}")
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=0)
        expect(not self._in("InService"), f"{self._states()}")
        return f"{len(before)} instances stayed; unprotected, all of them left"


SCENARIO = CustomHealthChecksScenario
