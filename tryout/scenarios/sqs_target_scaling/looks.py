"""What the steps of the scenario look at, and what they do again and again."""

import datetime
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from tryout.hosts.group import LiveGroup
from tryout.hosts.processes import Fleet, WorkerProcess
from tryout.hosts.user_data import Service
from tryout.scenario import Deployed, Scenario, StepFailedError, expect
from tryout.waits import wait_until

HOUR = 3600
# The post's two tests; what is a minute there is a second here.
MESSAGES = 50
# Fifteen datapoints below the target lie before a scale-in; here in half the time, and messages that outlast them.
QUICK_MINUTE = 0.5
LONG_MESSAGE = 14
TRIES = 3
SCALE_IN_TRIES = 6  # each with more time for a minute: the policy wants fifteen datapoints without a gap
# What the schedules of each strategy run.
SCHEDULED = {
    "dynamic-target": ("MetricPublisher", "TargetSetter"),
    "metric-math": (),
    "demand": ("DemandPublisher",),
}
QUICK_WORKER = {"WATCH_SECONDS": "0.5", "POLL_SECONDS": "1", "HOOK_BEAT_SECONDS": "5"}
# The shortest timeout that EC2 Auto Scaling takes, and a message that outlasts it.
HOOK_TIMEOUT, OUTLASTING = 30, 35


class SqsTargetScalingLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.sqs = deployed.client("sqs")
        self.autoscaling, self.cloudwatch = deployed.client("autoscaling"), deployed.client("cloudwatch")
        self.service: Service | None = None
        self.first_target = math.nan
        self.first_peak = 0
        self.sent = 0

    def __exit__(self, *_: object) -> None:
        """Ends the workers."""
        self.fleet.stop()

    def _scale_in(self, slowly: int) -> str:
        message_seconds = LONG_MESSAGE * slowly
        self._set_size(self.first_peak)
        before = self._instances()
        with self._at_work(minute=60):
            self._send(len(before), message_seconds)
            self._in_time("every message in a hand", lambda: self._in_flight() == len(before), message_seconds)
        with self._at_work(QUICK_MINUTE * slowly):
            self._in_time("a scale-in", lambda: len(self._leaving()) == len(before) - 1, message_seconds)
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

    def _dashboard(self) -> str:
        (name,) = self.deployed.resources["AWS::CloudWatch::Dashboard"]
        return name

    def _send(self, messages: int, duration_seconds: float) -> None:
        sent = self.deployed.invoke("Testing", {"messages": messages, "duration_seconds": duration_seconds})["sent"]
        expect(sent == messages, f"{sent} of {messages} were sent")
        self.sent += messages

    @staticmethod
    def _in_time(what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Waits as long as messages last; what comes later may come in time where there is more of it."""
        try:
            wait_until(what, condition, seconds)
        except StepFailedError as late:
            raise LateError(str(late)) from late

    def _at_work(self, minute: float = 1) -> LiveGroup:
        assert self.service
        functions = [partial(self.deployed.invoke, name) for name in SCHEDULED[self.variant]]
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

    def _shorten_hook(self) -> None:
        names = {"AutoScalingGroupName": self.group, "LifecycleHookName": "drain"}
        self.autoscaling.put_lifecycle_hook(**names, HeartbeatTimeout=HOOK_TIMEOUT)

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
        template = self.deployed.template()
        for resource in template["Resources"].values():
            tracking = resource.get("Properties", {}).get("TargetTrackingConfiguration")
            if tracking:
                tracking.update(changes)
        done = self.deployed.update(template)
        expect(done.complete and bool(done.events) == bool(changes), f"{done.status}: {done.reasons}")


class LateError(StepFailedError):
    """What a step waited for came later than a machine in time would have brought it."""
