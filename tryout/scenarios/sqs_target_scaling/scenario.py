"""The post's tests with seconds for minutes: the deployed policy scales real workers; nothing is lost on the way."""

import datetime
import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from tryout.hosts.group import LiveGroup
from tryout.hosts.processes import Fleet, WorkerProcess, boot, wait_until
from tryout.hosts.user_data import Service
from tryout.scenario import Deployed, Scenario, Step, StepFailedError, expect, step

HOUR = 3600
# The post's two tests; what is a minute there is a second here.
MESSAGES = 50
MINUTE = 60
LATENCY, TEST_1, TEST_2 = 300 / MINUTE, 25 / MINUTE, 50 / MINUTE
# Fifteen datapoints below the target lie before a scale-in; here in half the time, and messages that outlast them.
QUICK_MINUTE = 0.5
LONG_MESSAGE = 14
TRIES = 3
QUICK = {
    "acceptable_latency_seconds": int(LATENCY),
    "estimated_message_seconds": TEST_1,
    "heartbeat_seconds": 1,
    "drain_seconds": 30,
    "instance_warmup_seconds": 2,
}
# What the schedules of each strategy run.
SCHEDULED = {
    "dynamic-target": ("MetricPublisher", "TargetSetter"),
    "metric-math": (),
    "demand": ("DemandPublisher",),
}
QUICK_WORKER = {"WATCH_SECONDS": "0.2", "POLL_SECONDS": "1"}


class LateError(StepFailedError):
    """What a step waited for came later than a machine in time would have brought it."""


class SqsTargetScalingScenario(Scenario):
    """The post's two tests: 50 messages, and 50 that take twice as long; then what goes wrong in real life."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "dynamic-target": {"strategy": "dynamic-target", "min_instances": None, **QUICK},
        "metric-math": {"strategy": "metric-math", "min_instances": None, **QUICK},
        "demand": {"strategy": "demand", "min_instances": None, **QUICK},
    }
    pictured = ("dynamic-target",)

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.sqs, self.functions = deployed.client("sqs"), deployed.client("lambda")
        self.autoscaling, self.cloudwatch = deployed.client("autoscaling"), deployed.client("cloudwatch")
        self.service: Service | None = None
        self.first_target = math.nan
        self.first_peak = 0
        self.sent = 0

    def __exit__(self, *_: object) -> None:
        """Ends the workers."""
        self.fleet.stop()

    def steps(self) -> Iterator[Step]:
        """All of them for the dynamic target; for the others the post's tests, and what is theirs."""
        kind = type(self)
        shared = {kind.installs, kind.test_1, kind.scales_in, kind.test_2}
        own = {"metric-math": {kind.one_policy}, "demand": {kind.drains, kind.leaves_zero}}
        for each in super().steps():
            if each.run in shared | own[self.variant] if self.variant in own else each.run != kind.one_policy:
                yield each

    # The solution at work

    @step("the deployed user data installs the worker and its packages from S3", "real-code")
    def installs(self) -> str:
        self.autoscaling.update_auto_scaling_group(AutoScalingGroupName=self.group, MinSize=1)
        self._set_size(1)
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        machine = boot(self.deployed, template, self._instances()[0])
        self.service = machine.service("sqs-worker")
        expect(["systemctl", "enable", "--now", "sqs-worker"] in machine.calls, "the service was not started")
        files = machine.written()
        return f"{len(files)} files, read with the role's rights; dnf, systemctl and the AWS CLI are stand-ins"

    @step("the deployed policy is one of metric math, with the acceptable latency as its target", "emulated")
    def one_policy(self) -> str:
        (policy,) = self.autoscaling.describe_policies(AutoScalingGroupName=self.group)["ScalingPolicies"]
        target = policy["TargetTrackingConfiguration"]
        (wait,) = [q for q in target["CustomizedMetricSpecification"]["Metrics"] if q.get("Expression")]
        latency = self.deployed.settings.acceptable_latency_seconds
        expect(target["TargetValue"] == latency, f"the target is {target['TargetValue']}")
        return f"{wait['Expression']} is held at {latency} s"

    @step("the post's Test 1, a second for a minute: one instance, 50 messages of 25 s", "our-model")
    def test_1(self) -> str:
        # `demand` is not the post's rule, and answers a burst with more.
        most = 10 if self.variant == "demand" else 6
        self.first_peak, seen = self._test(TEST_1, lambda peak: 3 <= peak <= most)
        expect(3 <= self.first_peak <= most, f"{self.first_peak} instances; the post had 4")
        return seen

    @step("Target-Setter sets the target to latency / measured duration and keeps the rest of the policy", "real-code")
    def sets_target(self) -> str:
        before = self._policy()
        self._invoke("TargetSetter")
        after = self._policy()
        durations = [event["seconds"] for event in self.fleet.events("done")]
        wanted = self.deployed.settings.acceptable_latency_seconds / (sum(durations) / len(durations))
        self.first_target = after["TargetTrackingConfiguration"].pop("TargetValue")
        before["TargetTrackingConfiguration"].pop("TargetValue")
        initial = self.deployed.settings.acceptable_backlog
        expect(math.isclose(self.first_target, wanted, rel_tol=0.01), f"{self.first_target}, not {wanted:.4g}")
        expect(before == after, f"the policy changed elsewhere: {before} to {after}")
        return f"{initial:g} at deployment -> {self.first_target:g} messages per instance"

    @step("a deployment that changes nothing keeps the live target", "emulated")
    def keeps_target(self) -> str:
        self._redeploy_policy()
        target = self._target()
        expect(target == self.first_target, f"the target is {target}")
        return f"{target:g}"

    @step(
        "a deployment that changes the policy resets the target, and the next run of Target-Setter repairs it",
        "emulated",
    )
    def repairs(self) -> str:
        initial = self.deployed.settings.acceptable_backlog
        self._redeploy_policy(TargetValue=initial / 2)
        self._redeploy_policy(TargetValue=initial)
        reset = self._target()
        expect(math.isclose(reset, initial), f"CloudFormation has set {reset}")
        self._invoke("TargetSetter")
        repaired = self._target()
        expect(repaired == self.first_target, f"Target-Setter has set {repaired}")
        return f"{reset:g} -> {repaired:g}"

    @step("the policy scales in while every worker has a message in its hand, and none is lost", "our-model")
    def scales_in(self) -> str:
        for tries in range(1, TRIES):
            try:
                return self._scale_in(tries)
            except LateError:  # a busy machine: more time for each minute, and for each message
                self._all_done()
                self._set_size(1)
                self.deployed.aws.age_metrics(HOUR)
        return self._scale_in(TRIES)

    def _scale_in(self, slowly: int) -> str:
        message_seconds = LONG_MESSAGE * slowly
        self._set_size(self.first_peak)
        before = self._instances()
        with self._at_work(minute=60):
            self._send(len(before), message_seconds)
            wait_until("every message in a hand", lambda: self._in_flight() == len(before))
        with self._at_work(QUICK_MINUTE * slowly):
            try:
                wait_until("a scale-in", lambda: len(self._leaving()) == len(before) - 1, message_seconds)
            except StepFailedError as late:
                raise LateError(str(late)) from late
            in_flight, leaving = self._in_flight(), self._leaving()
            seen = self._all_done()
            wait_until("one instance", lambda: len(self._instances()) == 1, seconds=15)
        if in_flight != len(before):
            raise LateError(f"{in_flight} messages were in flight when the policy scaled in")
        for worker in self.fleet.workers:
            if worker.instance_id in leaving:
                order = [event["event"] for event in worker.events()][-5:]
                expect(order == ["draining", "done", "drained", "hook-completed", "stopped"], f"one logged {order}")
        return f"{len(before)} -> 1 instances with {in_flight} messages in flight; {seen}"

    @step("an hour later the post's Test 2: messages of 50 s, half the target, about twice the instances", "our-model")
    def test_2(self) -> str:
        self.deployed.aws.age_metrics(HOUR)
        least, most = (1, 4) if self.variant == "demand" else (1.5, 2.7)  # `demand` is at the largest size soon
        peak, seen = self._test(TEST_2, lambda peak: least <= peak / self.first_peak <= most)
        ratio = peak / self.first_peak
        expect(least <= ratio <= most, f"{peak} instances after {self.first_peak}; the post had 8 after 4")
        if self.variant != "dynamic-target":
            return seen
        self._invoke("TargetSetter")
        target = self._target()
        ratio = target / self.first_target
        expect(math.isclose(ratio, 0.5, rel_tol=0.06), f"the target is {target:g}, {ratio:.2f} of the first")
        return f"target {self.first_target:g} -> {target:g}; {seen}"

    @step("the post's dashboard has both tests, with their metrics, on it", "emulated")
    def shows(self) -> str:
        return self.deployed.keep_dashboard(self._dashboard())

    # What goes wrong

    @step("a worker killed in the middle of a message loses nothing", "real-code")
    def survives(self) -> str:
        self._set_size(2)
        victim, *_ = [worker for worker in self.fleet.workers if worker.instance_id in self._instances()]
        begun = len(victim.events("received"))
        self._send(4, 0.5)
        wait_until("a message in the victim's hand", lambda: len(victim.events("received")) > begun)
        lost = victim.events("received")[-1]["id"]
        victim.kill()
        seen = self._all_done()
        (again,) = [event for event in self.fleet.events("done") if event["id"] == lost]
        expect(again["receives"] >= 2, f"{lost} was received {again['receives']} times")
        return f"{lost} came back and was done at receive {again['receives']}; {seen}"

    @step("a malformed message ends in the dead letters and stops nobody", "real-code")
    def dead_letters(self) -> str:
        self.sqs.send_message(QueueUrl=self.deployed.outputs["QueueUrl"], MessageBody="neither JSON nor a job")
        dead = self.deployed.outputs["DeadLettersUrl"]
        wait_until("a dead letter", lambda: self._count(dead, "ApproximateNumberOfMessages") == 1)
        receives = len(self.fleet.events("malformed"))
        allowed = self.deployed.settings.max_receives
        expect(receives == allowed, f"it was received {receives} times, {allowed} are allowed")
        self._send(1, 0)
        self._all_done()
        return f"after {receives} receives; the next message was done"

    @step("scale-in waits until a busy worker has finished its message", "our-model")
    def drains(self) -> str:
        alive = [worker for worker in self.fleet.workers if worker.alive]
        before = sum(len(worker.events("received")) for worker in alive)
        self._send(1, 1)
        wait_until(
            "the message in a worker's hand",
            lambda: sum(len(worker.events("received")) for worker in alive) > before,
        )
        (busy,) = [worker for worker in alive if worker.events()[-1]["event"] == "received"]
        self.autoscaling.update_auto_scaling_group(AutoScalingGroupName=self.group, MinSize=0)
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=0)
        wait_until("the workers' end", lambda: not any(worker.alive for worker in alive), seconds=15)
        order = [event["event"] for event in busy.events()]
        expect(order[-5:] == ["draining", "done", "drained", "hook-completed", "stopped"], f"it logged {order[-6:]}")
        for dead in [worker for worker in self.fleet.workers if worker not in alive]:
            self._give_up(dead)
        wait_until("an empty group", lambda: not self._instances())
        self._all_done()
        return " -> ".join(order[-6:])

    @step("with nobody in service, a waiting message starts the first instance", "our-model")
    def leaves_zero(self) -> str:
        self._send(1, 0)
        self._invoke("DemandPublisher" if self.variant == "demand" else "MetricPublisher")
        waiting = self._newest("BacklogWithoutInstances")
        expect(waiting == 1, f"BacklogWithoutInstances is {waiting}")
        wait_until("an instance", lambda: len(self._instances()) == 1)
        return f"{waiting:g} message without instances -> alarm -> step policy -> 1 instance"

    # What the steps look at

    def _function(self, name: str) -> str:
        found = [f for f in self.deployed.resources["AWS::Lambda::Function"] if f"-{name}" in f]
        return found[0]

    def _dashboard(self) -> str:
        (name,) = self.deployed.resources["AWS::CloudWatch::Dashboard"]
        return name

    def _invoke(self, name: str, **event: object) -> dict[str, Any]:
        answer = self.functions.invoke(FunctionName=self._function(name), Payload=json.dumps(event))
        result = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise StepFailedError(f"{name}: {result.get('errorType')}: {result.get('errorMessage')}")
        return dict(result)

    def _send(self, messages: int, duration_seconds: float) -> None:
        sent = self._invoke("Testing", messages=messages, duration_seconds=duration_seconds)["sent"]
        expect(sent == messages, f"{sent} of {messages} were sent")
        self.sent += messages

    def _at_work(self, minute: float = 1) -> LiveGroup:
        assert self.service
        functions = [partial(self._invoke, name) for name in SCHEDULED[self.variant]]
        return LiveGroup(self.deployed, self.fleet, self.group, self.service, QUICK_WORKER, functions, minute)

    def _test(self, duration_seconds: float, fits: Callable[[int], bool]) -> tuple[int, str]:
        """Sends the post's messages to one instance; returns the most instances there were, and what was seen.

        Seconds stand for minutes only on a machine that keeps time; what a busy one made unfit is done again.
        """
        for tries in range(1, TRIES + 1):
            instances = len(self._instances())
            expect(instances == 1, f"{instances} instances at the beginning")
            with self._at_work() as live:
                self._send(MESSAGES, duration_seconds)
                seen = self._all_done()
                took = live.minutes
            minute, most = live.peak
            if fits(most) or not live.held_up or tries == TRIES:
                break
            with self._at_work():
                self._set_size(1)
            self.deployed.aws.age_metrics(HOUR)
        again = f", at try {tries}: the machine was busy" if tries > 1 else ""
        return most, f"1 -> {most} instances at minute {minute:.0f}, all done at {took:.0f}; {seen}{again}"

    def _all_done(self) -> str:
        """Waits until every message sent is done and gone, and checks that each had one effect."""
        total = self.sent
        wait_until(
            f"{total} messages done and deleted",
            lambda: len({e["id"] for e in self.fleet.events("done")}) >= total and self._in_queue() == 0,
            seconds=90,
        )
        ids = [event["id"] for event in self.fleet.events("done")]
        effects = self._effects()
        expect(len(ids) == len(set(ids)) == effects == total, f"{len(ids)} done, {effects} effects, {total} sent")
        return f"{total} done, {effects} effects, {len(self.fleet.events('duplicate'))} duplicates"

    def _effects(self) -> int:
        (table,) = self.deployed.resources["AWS::DynamoDB::GlobalTable"]
        pages = self.deployed.client("dynamodb").get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def _count(self, queue_url: str, *names: str) -> int:
        counts = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names))["Attributes"]
        return sum(int(counts[name]) for name in names)

    def _in_flight(self) -> int:
        return self._count(self.deployed.outputs["QueueUrl"], "ApproximateNumberOfMessagesNotVisible")

    def _leaving(self) -> list[str]:
        members = self.autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"]
        ours = [member for member in members if member["AutoScalingGroupName"] == self.group]
        return [member["InstanceId"] for member in ours if member["LifecycleState"] == "Terminating:Wait"]

    def _in_queue(self) -> int:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return self._count(self.deployed.outputs["QueueUrl"], *names)

    def _set_size(self, instances: int) -> None:
        self.autoscaling.set_desired_capacity(AutoScalingGroupName=self.group, DesiredCapacity=instances)
        wait_until(f"{instances} instances", lambda: len(self._instances()) == instances)

    def _instances(self) -> list[str]:
        (group,) = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])[
            "AutoScalingGroups"
        ]
        return [instance["InstanceId"] for instance in group["Instances"]]

    def _give_up(self, dead: WorkerProcess) -> None:
        """Ends the wait for a worker that was killed, which in an account the hook's time-out does."""
        if dead.instance_id in self._instances():
            self.autoscaling.complete_lifecycle_action(
                AutoScalingGroupName=self.group,
                LifecycleHookName="drain",
                InstanceId=dead.instance_id,
                LifecycleActionResult="ABANDON",
            )

    def _policy(self) -> dict[str, Any]:
        policies = self.autoscaling.describe_policies(AutoScalingGroupName=self.group)["ScalingPolicies"]
        (policy,) = [policy for policy in policies if policy["PolicyType"] == "TargetTrackingScaling"]
        return {key: value for key, value in policy.items() if key != "Alarms"}

    def _target(self) -> float:
        return float(self._policy()["TargetTrackingConfiguration"]["TargetValue"])

    def _newest(self, metric: str) -> float:
        now = datetime.datetime.now(datetime.UTC)
        queue = self.deployed.outputs["QueueUrl"].rsplit("/", 1)[-1]
        found = self.cloudwatch.get_metric_statistics(
            Namespace=self.deployed.settings.metric_namespace,
            MetricName=metric,
            Dimensions=[{"Name": "QueueName", "Value": queue}],
            StartTime=now - datetime.timedelta(minutes=2),
            EndTime=now + datetime.timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        expect(bool(found), f"no datapoint of {metric}")
        return float(max(found, key=lambda datapoint: datapoint["Timestamp"])["Maximum"])

    def _redeploy_policy(self, **changes: object) -> None:
        """Deploys the stack again, with changes in its target tracking policy, as a changed configuration would."""
        formation = self.deployed.client("cloudformation")
        template = formation.get_template(StackName=self.deployed.stack_name)["TemplateBody"]
        template = json.loads(template) if isinstance(template, str) else template
        for resource in template["Resources"].values():
            tracking = resource.get("Properties", {}).get("TargetTrackingConfiguration")
            if tracking:
                tracking.update(changes)
        try:
            formation.update_stack(
                StackName=self.deployed.stack_name,
                TemplateBody=json.dumps(template),
                Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in template["Parameters"]],
                Capabilities=["CAPABILITY_IAM"],
            )
        except ClientError as error:
            if changes or "No updates are to be performed" not in str(error):
                raise
            return
        formation.get_waiter("stack_update_complete").wait(
            StackName=self.deployed.stack_name, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )


SCENARIO = SqsTargetScalingScenario
