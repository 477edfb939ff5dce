"""Notices: whose instance it is, what a notice may do to it, and that it counts once."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from spot_asg.notices.handler import GroupNotFoundError, NotDeregisteredError, take
from spot_asg.notices.notice import INTERRUPTION, KINDS, REBALANCE, Notice, member_of
from tests.solutions.spot_asg.faults import notice

WHEN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
WEB, API = (f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/1" for name in ("web", "api"))


def event(kind: str = "EC2 Spot Instance Interruption Warning", **detail: Any) -> dict[str, Any]:
    """The example of the user guide of EC2."""
    return notice(kind, "i-1234567890abcdef0", **{"instance-action": "terminate", **detail})


class AutoScaling:
    """A group of instances i-0, i-1, ..., on the second page of two."""

    def __init__(self, instances: int = 4, target_groups: tuple[str, ...] = (WEB,)) -> None:
        self.group: dict[str, Any] | None = {
            "DesiredCapacity": instances,
            "TargetGroupARNs": list(target_groups),
            "Instances": [
                {"InstanceId": f"i-{n}", "InstanceType": "m7g.large", "AvailabilityZone": f"eu-west-1{'abc'[n % 3]}"}
                for n in range(instances)
            ],
        }

    def get_paginator(self, operation: str) -> Any:
        assert operation == "describe_auto_scaling_groups"
        return self

    def paginate(self, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
        assert AutoScalingGroupNames == ["spot"]
        yield {"AutoScalingGroups": []}
        yield {"AutoScalingGroups": [self.group] if self.group else []}


class LoadBalancing:
    """Target groups with the states of their targets; an error code instead of states refuses."""

    def __init__(self, **groups: dict[str, str] | str) -> None:
        self.groups = {WEB: groups.get("web", {}), API: groups.get("api", {})}
        self.left: list[tuple[str, str]] = []

    def deregister_targets(self, TargetGroupArn: str, Targets: list[dict[str, str]]) -> None:  # noqa: N803
        states = self._states(TargetGroupArn)
        for target in Targets:
            self.left.append((TargetGroupArn, target["Id"]))
            states[target["Id"]] = "draining"

    def _states(self, arn: str) -> dict[str, str]:
        states = self.groups[arn]
        if isinstance(states, str):
            raise ClientError({"Error": {"Code": states, "Message": "refused"}}, "Operation")
        return states


class Table:
    """Remembers keys."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def get_item(self, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        assert TableName == "taken" and ConsistentRead
        found = self.items.get(Key["notice"]["S"])
        return {"Item": found} if found else {}

    def put_item(self, TableName: str, Item: dict[str, Any]) -> None:  # noqa: N803
        self.items[Item["notice"]["S"]] = Item


class CloudWatch:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self.refuses = False

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "InternalFailure"}}, "PutMetricData")
        assert Namespace == "Spot"
        self.data += MetricData


class Account:
    """All four services, and a notice taken."""

    def __init__(self, instances: int = 4, target_groups: tuple[str, ...] = (WEB,), **groups: Any) -> None:
        healthy = {f"i-{n}": "healthy" for n in range(instances)}
        self.autoscaling = AutoScaling(instances, target_groups)
        self.elb = LoadBalancing(**{"web": dict(healthy), "api": dict(healthy), **groups})
        self.table, self.cloudwatch = Table(), CloudWatch()

    def take(self, kind: str, instance_id: str = "i-0") -> dict[str, Any]:
        return take(
            Notice(kind, instance_id, WHEN),
            self.autoscaling,
            self.elb,
            self.table,
            self.cloudwatch,
            group_name="spot",
            table="taken",
            namespace="Spot",
            now=1_000_000,
        )


# What EC2 says


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_both_notices_are_understood(name: str, kind: str) -> None:
    assert Notice.of(event(name)) == Notice(kind, "i-1234567890abcdef0", WHEN)


@pytest.mark.parametrize("change", [{"source": "my.app"}, {"detail-type": "EC2 Instance State-change Notification"}])
def test_another_event_is_no_notice(change: dict[str, str]) -> None:
    assert Notice.of({**event(), **change}) is None


@pytest.mark.parametrize("instance_id", [None, "", 7, "arn:aws:ec2:..."])
def test_a_notice_about_nothing_fails_visibly(instance_id: Any) -> None:
    with pytest.raises(ValueError, match="names no instance"):
        Notice.of(event(**{"instance-id": instance_id}))


def test_the_key_is_the_same_for_every_delivery_and_another_for_the_other_kind() -> None:
    late = Notice(INTERRUPTION, "i-0", datetime(2026, 1, 2, tzinfo=UTC))
    assert late.key == Notice(INTERRUPTION, "i-0", WHEN).key != Notice(REBALANCE, "i-0", WHEN).key


# An interruption


def test_an_interrupted_instance_leaves_every_target_group_even_the_last_healthy_one() -> None:
    account = Account(1, (WEB, API))
    assert account.take(INTERRUPTION)["left"] == 2
    assert account.elb.left == [(WEB, "i-0"), (API, "i-0")]


def test_an_instance_of_another_group_is_left_alone() -> None:
    account = Account()
    assert account.take(INTERRUPTION, "i-99") == {"notice": INTERRUPTION, "member": False}
    assert not account.elb.left and not account.cloudwatch.data
    assert account.table.items == {}


def test_a_group_that_is_gone_is_an_error_and_not_an_instance_of_somebody_else() -> None:
    account = Account()
    account.autoscaling.group = None
    with pytest.raises(GroupNotFoundError, match="'spot'"):
        account.take(INTERRUPTION)


def test_a_group_without_target_groups_only_counts() -> None:
    account = Account(target_groups=())
    assert account.take(INTERRUPTION) == {"notice": INTERRUPTION, "member": True, "left": 0, "counted": True}


@pytest.mark.parametrize("code", ["InvalidTarget", "TargetGroupNotFound"])
def test_what_is_gone_already_has_been_left(code: str) -> None:
    assert Account(web=code).take(INTERRUPTION)["left"] == 1


def test_one_refusing_target_group_does_not_keep_the_instance_in_the_other_and_is_reported() -> None:
    account = Account(target_groups=(WEB, API), web="AccessDenied")
    with pytest.raises(NotDeregisteredError, match=r"targetgroup/web/1.*AccessDenied"):
        account.take(INTERRUPTION)
    assert account.elb.left == [(API, "i-0")]
    assert len(account.cloudwatch.data) == 2


# The count


def test_a_notice_counts_for_the_group_and_for_its_pool_when_it_was_said() -> None:
    account = Account()
    account.take(INTERRUPTION, "i-1")
    group, pool = account.cloudwatch.data
    assert [d["MetricName"] for d in (group, pool)] == ["Interruptions"] * 2
    assert group["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "spot"}]
    assert {d["Name"]: d["Value"] for d in pool["Dimensions"]} == {
        "AutoScalingGroupName": "spot",
        "InstanceType": "m7g.large",
        "AvailabilityZone": "eu-west-1b",
    }
    assert group["Timestamp"] == WHEN and group["Value"] == 1


def test_the_same_notice_twice_counts_once_and_deregisters_again_without_harm() -> None:
    account = Account()
    assert [account.take(INTERRUPTION)["counted"] for _ in range(3)] == [True, False, False]
    assert len(account.cloudwatch.data) == 2


def test_a_recommendation_and_the_interruption_that_follows_are_two_things() -> None:
    account = Account()
    account.take(REBALANCE)
    account.take(INTERRUPTION)
    assert {datum["MetricName"] for datum in account.cloudwatch.data} == {"RebalanceRecommendations", "Interruptions"}


def test_a_count_that_failed_is_made_up_for_when_the_event_comes_again() -> None:
    account = Account()
    account.cloudwatch.refuses = True
    with pytest.raises(ClientError):
        account.take(INTERRUPTION)
    account.cloudwatch.refuses = False
    assert account.take(INTERRUPTION)["counted"] is True


def test_what_was_counted_is_forgotten_after_a_week() -> None:
    account = Account()
    account.take(INTERRUPTION)
    assert account.table.items["i-0#interruption"]["expires_at"] == {"N": str(1_000_000 + 7 * 86_400)}


# A recommendation


def test_recommendations_for_all_leave_every_target_healthy_until_its_replacement_serves() -> None:
    """aws/aws-node-termination-handler#759 and #141, LeanerCloud/AutoSpotting#401: whoever drains first serves less."""
    account = Account(4)
    taken = [account.take(REBALANCE, f"i-{n}") for n in range(4)]
    assert [each["left"] for each in taken] == [0] * 4 and all(each["counted"] for each in taken)
    assert account.elb.left == []
    assert account.take(INTERRUPTION)["left"] == 1


@given(st.lists(st.integers(0, 50), unique=True), st.integers(0, 50))
def test_a_member_is_one_that_the_group_names(ids: list[int], wanted: int) -> None:
    group = {
        "Instances": [{"InstanceId": f"i-{n}", "InstanceType": "t", "AvailabilityZone": "z"} for n in ids],
    }
    found = member_of(group, f"i-{wanted}")
    assert (found is not None) == (wanted in ids)
    assert found is None or found.instance_id == f"i-{wanted}"


# The real clients


def test_the_real_clients_take_these_parameters(aws: None) -> None:
    autoscaling = boto3.client("autoscaling")
    autoscaling.create_launch_configuration(LaunchConfigurationName="s", ImageId="ami-1", InstanceType="t4g.small")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="spot",
        LaunchConfigurationName="s",
        MinSize=1,
        MaxSize=1,
        AvailabilityZones=["us-east-1a"],
    )
    boto3.client("dynamodb").create_table(
        TableName="taken",
        KeySchema=[{"AttributeName": "notice", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "notice", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    clients = [boto3.client(name) for name in ("autoscaling", "elbv2", "dynamodb", "cloudwatch")]
    results = [
        take(
            Notice(INTERRUPTION, group["Instances"][0]["InstanceId"], datetime.now(UTC)),
            *clients,
            group_name="spot",
            table="taken",
            namespace="Spot",
            now=1.0,
        )["counted"]
        for _ in range(2)
    ]
    assert results == [True, False]
