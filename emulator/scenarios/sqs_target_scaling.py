"""The post's test in seconds instead of minutes: messages, workers, measured durations, and the target that follows."""

import datetime
import json
import math
from collections.abc import Iterator
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from emulator.sandbox import Service
from emulator.scenario import Deployed, Scenario, Step, StepFailedError, expect, step
from emulator.workers import Fleet, WorkerProcess, boot, wait_until

MESSAGES = 50
LONGER_MESSAGES = 10  # of the second batch: fewer, since each takes twice as long
DEMANDING = 26  # one for each of two instances, and twenty-four that two instances do in 300 s
HOUR = 3600
# What minutes are in an account is seconds here: a look at the metadata, a heartbeat, a drain.
QUICK = {"heartbeat_seconds": 1, "drain_seconds": 30, "instance_warmup_seconds": 0}
QUICK_WORKER = {"WATCH_SECONDS": "0.2", "POLL_SECONDS": "1"}


class SqsTargetScalingScenario(Scenario):
    """Two workers empty the queue twice; the target halves when the duration doubles; nothing is lost on the way."""

    variants: ClassVar[dict[str, dict[str, Any]]] = {
        "dynamic-target": {"strategy": "dynamic-target", "min_instances": None, **QUICK},
        "metric-math": {"strategy": "metric-math", "min_instances": None, **QUICK},
        "demand": {"strategy": "demand", "min_instances": None, **QUICK},
    }

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.sqs, self.functions = deployed.client("sqs"), deployed.client("lambda")
        self.autoscaling, self.cloudwatch = deployed.client("autoscaling"), deployed.client("cloudwatch")
        self.service: Service | None = None
        self.first_target = math.nan
        self.first_batch = {"dynamic-target": MESSAGES, "metric-math": 4, "demand": DEMANDING}[variant]
        self.sent = 0

    def __exit__(self, *_: object) -> None:
        """Ends the workers."""
        self.fleet.stop()

    def steps(self) -> Iterator[Step]:
        """All of the post's for the dynamic target; for the others what they share, and what is theirs."""
        cls = type(self)
        shared = {cls.installs, cls.sends, cls.starts, cls.drains}
        own = {"metric-math": {cls.one_policy}, "demand": {cls.publishes_demand, cls.leaves_zero}}
        others = {cls.one_policy, cls.publishes_demand}
        for each in super().steps():
            if each.run in shared | own[self.variant] if self.variant in own else each.run not in others:
                yield each

    # The solution at work

    @step("the deployed user data installs the worker and its packages from S3", "real-code")
    def installs(self) -> str:
        self._set_size(2)
        (template,) = self.deployed.resources["AWS::EC2::LaunchTemplate"]
        machine = boot(self.deployed, template, self._instances()[0])
        self.service = machine.service("sqs-worker")
        expect(["systemctl", "enable", "--now", "sqs-worker"] in machine.calls, "the service was not started")
        files = machine.written()
        return f"{len(files)} files, read with the role's rights; dnf, systemctl and the AWS CLI are stand-ins"

    @step("the deployed policy is one of metric math, with the acceptable latency as its target", "recorded")
    def one_policy(self) -> str:
        (policy,) = self.autoscaling.describe_policies(AutoScalingGroupName=self.group)["ScalingPolicies"]
        target = policy["TargetTrackingConfiguration"]
        (wait,) = [q for q in target["CustomizedMetricSpecification"]["Metrics"] if q.get("Expression")]
        latency = self.deployed.settings.acceptable_latency_seconds
        expect(target["TargetValue"] == latency, f"the target is {target['TargetValue']}")
        return f"{wait['Expression']} is held at {latency} s"

    @step("the testing function sends messages of 0.25 s", "real-code")
    def sends(self) -> str:
        self._send(self.first_batch, 0.25)
        visible = self._waiting()
        expect(visible == self.first_batch, f"{visible} messages are in the queue")
        return f"{visible} messages in the queue"

    @step("Metric-Publisher publishes the backlog of each of two instances", "real-code")
    def publishes_backlog(self) -> str:
        self._invoke("MetricPublisher")
        backlog = self._newest("BPI")
        expect(backlog == MESSAGES / 2, f"BPI is {backlog}")
        return f"BPI {backlog:g} = {MESSAGES} messages / 2 instances"

    @step("Demand-Publisher publishes the instances that are needed for each of two in service", "real-code")
    def publishes_demand(self) -> str:
        self.deployed.aws.age_metrics(HOUR)  # a queue of the same name may have been here before
        said = self._invoke("DemandPublisher")["Demand"]
        settings = self.deployed.settings
        backlog = DEMANDING - 2  # the next message of an instance is no backlog
        needed = backlog * settings.estimated_message_seconds / settings.acceptable_latency_seconds
        expect(math.isclose(said, needed / 2) and self._newest("Demand") == said, f"the demand is {said}")
        target = self._target()
        expect(target == 1, f"the target is {target}")
        return f"{needed:g} needed / 2 instances = {said:g}, held at {target:g}"

    @step("two processes run the delivered worker and empty the queue", "real-code")
    def starts(self) -> str:
        assert self.service
        for instance in self._instances():
            self.fleet.start(instance, self.service, **QUICK_WORKER)
        return self._all_done()

    @step("Target-Setter sets the target to latency / measured duration and keeps the rest of the policy", "real-code")
    def sets_target(self) -> str:
        before = self._policy()
        self._invoke("TargetSetter")
        after = self._policy()
        durations = [event["seconds"] for event in self.fleet.events("done")]
        wanted = self.deployed.settings.acceptable_latency_seconds / (sum(durations) / len(durations))
        self.first_target = after["TargetTrackingConfiguration"].pop("TargetValue")
        old = before["TargetTrackingConfiguration"].pop("TargetValue")
        expect(math.isclose(self.first_target, wanted, rel_tol=0.01), f"{self.first_target}, not {wanted:.4g}")
        expect(before == after, f"the policy changed elsewhere: {before} to {after}")
        return f"{old:g} -> {self.first_target:g} messages per instance"

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
        expect(reset == initial, f"CloudFormation has set {reset}")
        self._invoke("TargetSetter")
        repaired = self._target()
        expect(repaired == self.first_target, f"Target-Setter has set {repaired}")
        return f"{reset:g} -> {repaired:g}"

    @step("an hour later messages of 0.5 s halve the target", "our-model")
    def halves(self) -> str:
        self.deployed.aws.age_metrics(HOUR)
        self._send(LONGER_MESSAGES, 0.5)
        seen = self._all_done()
        self._invoke("TargetSetter")
        target = self._target()
        ratio = target / self.first_target
        expect(math.isclose(ratio, 0.5, rel_tol=0.03), f"the target is {target:g}, {ratio:.2f} of the first")
        return f"{self.first_target:g} -> {target:g}; {seen}"

    # What goes wrong

    @step("a worker killed in the middle of a message loses nothing", "real-code")
    def survives(self) -> str:
        victim, *_ = self.fleet.workers
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

    def _all_done(self) -> str:
        """Waits until every message sent is done and gone, and checks that each had one effect."""
        total = self.sent
        wait_until(
            f"{total} messages done and deleted",
            lambda: len({e["id"] for e in self.fleet.events("done")}) >= total and self._in_queue() == 0,
            seconds=60,
        )
        ids = [event["id"] for event in self.fleet.events("done")]
        effects = self._effects()
        expect(len(ids) == len(set(ids)) == effects == total, f"{len(ids)} done, {effects} effects, {total} sent")
        shares = "+".join(str(len(worker.events("done"))) for worker in self.fleet.workers)
        return f"{total} done ({shares}), {effects} effects, {len(self.fleet.events('duplicate'))} duplicates"

    def _effects(self) -> int:
        (table,) = self.deployed.resources["AWS::DynamoDB::GlobalTable"]
        pages = self.deployed.client("dynamodb").get_paginator("scan").paginate(TableName=table, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def _count(self, queue_url: str, *names: str) -> int:
        counts = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names))["Attributes"]
        return sum(int(counts[name]) for name in names)

    def _waiting(self) -> int:
        return self._count(self.deployed.outputs["QueueUrl"], "ApproximateNumberOfMessages")

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
