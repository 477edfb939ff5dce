"""What the steps of the scenario look at, and what they do again and again."""

import datetime
import os
from typing import Any, Self

from tryout.hosts.group import REAL_MINUTE
from tryout.hosts.processes import Fleet
from tryout.hosts.programs import search_path
from tryout.hosts.user_data import Boot
from tryout.scenario import Deployed, Scenario, expect
from tryout.waits import wait_until

QUICK_MINUTE = 1.0
QUICK_UNIT = {"WATCH_SECONDS": "0.2"}


class SpotAsgLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.fleet = Fleet(deployed)
        self.group = deployed.outputs["GroupName"]
        self.autoscaling, self.ec2 = deployed.client("autoscaling"), deployed.client("ec2")
        self.cloudwatch, self.elb = deployed.client("cloudwatch"), deployed.client("elbv2")
        self.sqs = deployed.client("sqs")
        self.machine: Boot | None = None

    def __enter__(self) -> Self:
        """Minutes last a second."""
        self.deployed.aws.minute_lasts(QUICK_MINUTE)
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the units."""
        self.fleet.stop()
        self.deployed.aws.minute_lasts(REAL_MINUTE)

    def _tell(self, kind: str, instance_id: str) -> None:
        """Lets EC2 announce something, and waits until the function has taken it."""
        before = self._invoked("Notices")
        self.deployed.aws.spot_notice(kind, instance_id)
        wait_until("the notice is taken", lambda: self._invoked("Notices") > before)

    def _watch(self, instance_id: str) -> Any:
        assert self.machine
        path = f"{self.machine.root / 'programs'}{os.pathsep}{search_path()}"
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
        name = self.deployed.function(function)
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
