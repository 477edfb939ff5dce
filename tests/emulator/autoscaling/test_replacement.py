"""Members that a group replaces: stopped ones, those at risk; and those on standby, which it leaves alone."""

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.autoscaling.test_model import Group, template

__all__ = ["template"]


@pytest.fixture
def group(aws: EmbeddedAws, template: str) -> Group:
    """Three instances, no hook."""
    made = Group(aws, template, hook=False)
    made.api.update_auto_scaling_group(AutoScalingGroupName="workers", MinSize=3, MaxSize=4)
    return made


def stop(aws: EmbeddedAws, instance_id: str) -> None:
    aws.client("ec2").stop_instances(InstanceIds=[instance_id])


def state(aws: EmbeddedAws, instance_id: str) -> str:
    found = aws.client("ec2").describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return str(found["State"]["Name"])


def enter(group: Group, instance_id: str, *, decrement: bool) -> None:
    group.api.enter_standby(
        AutoScalingGroupName="workers", InstanceIds=[instance_id], ShouldDecrementDesiredCapacity=decrement
    )


def leave(group: Group, instance_id: str) -> None:
    group.api.exit_standby(AutoScalingGroupName="workers", InstanceIds=[instance_id])


def test_a_stopped_member_is_ended_and_replaced(aws: EmbeddedAws, group: Group) -> None:
    """https://jun-engineer.github.io/en/blog/ec2-asg-status-pitfalls/."""
    stopped = next(iter(group.states()))
    stop(aws, stopped)
    assert stopped in group.states(), "nobody has looked at it"
    aws.minutes_pass()
    assert stopped not in group.states()
    assert state(aws, stopped) == "terminated"
    assert list(group.states().values()) == ["InService"] * 3


@pytest.mark.parametrize("process", ["HealthCheck", "ReplaceUnhealthy"])
def test_nobody_is_replaced_while_the_process_is_suspended(aws: EmbeddedAws, group: Group, process: str) -> None:
    group.api.suspend_processes(AutoScalingGroupName="workers", ScalingProcesses=[process])
    first, second, _ = group.states()
    stop(aws, first)
    aws.minutes_pass(3)
    assert first in group.states()
    group.api.resume_processes(AutoScalingGroupName="workers", ScalingProcesses=[process])
    aws.minutes_pass()
    assert first not in group.states(), "the process goes on"
    group.api.set_instance_health(InstanceId=second, HealthStatus="Unhealthy")
    aws.minutes_pass()
    assert second not in group.states(), "somebody calls it unhealthy"


def test_a_member_on_standby_may_stop_and_comes_back(aws: EmbeddedAws, group: Group) -> None:
    group.api.update_auto_scaling_group(AutoScalingGroupName="workers", MinSize=2)
    resting, other, _ = group.states()
    enter(group, resting, decrement=True)
    stop(aws, resting)
    stop(aws, other)
    aws.minutes_pass()
    assert other not in group.states(), "it is not on standby"
    assert group.states()[resting] == "Standby" and group.desired() == 2
    aws.client("ec2").start_instances(InstanceIds=[resting])
    leave(group, resting)
    assert group.states()[resting] == "InService" and group.desired() == 3


def test_without_a_decrement_another_member_takes_its_work(group: Group) -> None:
    resting = next(iter(group.states()))
    enter(group, resting, decrement=False)
    assert sorted(group.states().values()) == ["InService"] * 3 + ["Standby"]
    leave(group, resting)
    assert group.desired() == 4 == list(group.states().values()).count("InService")


def test_the_sizes_of_the_group_bound_both_ways(group: Group) -> None:
    first, second, _ = group.states()
    with pytest.raises(ClientError, match=r"min-size=3.*please update the AutoScalingGroup sizes"):
        enter(group, first, decrement=True)
    enter(group, first, decrement=False)
    with pytest.raises(ClientError, match="is not in InService"):
        enter(group, first, decrement=False)
    with pytest.raises(ClientError, match="is not in Standby"):
        leave(group, second)
    group.scale(4)
    with pytest.raises(ClientError, match="max-size=4"):
        leave(group, first)
    with pytest.raises(ClientError, match="is not part of"):
        leave(group, "i-00000000000000000")
