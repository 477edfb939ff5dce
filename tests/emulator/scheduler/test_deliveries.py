"""A schedule starts its target, and leaves what it could not start, by its role alone."""

from typing import Any

import pytest

from emulator.client import EmbeddedAws
from tests.emulator.conftest import eventually
from tests.emulator.receivers import Queue, denials, insists_on_tls, key, metric, role

SCHEDULER, SEND = "scheduler.amazonaws.com", "sqs:SendMessage"
KEY_USE = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"]}


def schedule(aws: EmbeddedAws, target: str, role_arn: str, **more: Any) -> None:
    aws.client("scheduler").create_schedule(
        Name="tried",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": role_arn, "Input": "hello", **more},
    )
    aws.control("fire-schedule", name="tried", account=aws.account, region=aws.region)


def group(aws: EmbeddedAws, name: str) -> str:
    return f"arn:aws:scheduler:{aws.region}:{aws.account}:schedule-group/{name}"


def test_a_target_needs_no_policy_of_its_own(aws: EmbeddedAws) -> None:
    queue = Queue(aws, "target", insists_on_tls(SEND))
    schedule(aws, queue.arn, role(aws, "by", SCHEDULER, {"Action": SEND}, aws_SourceArn=group(aws, "default")))
    assert eventually(queue.bodies, "the message") == ["hello"]


@pytest.mark.parametrize("trusted", ["other", "service"])
def test_the_role_must_trust_schedules_of_this_group(aws: EmbeddedAws, trusted: str) -> None:
    queue = Queue(aws, "target")
    by = (
        role(aws, "by", SCHEDULER, {"Action": SEND}, aws_SourceArn=group(aws, "other"))
        if trusted == "other"
        else role(aws, "by", "events.amazonaws.com", {"Action": SEND})
    )
    schedule(aws, queue.arn, by)
    assert "sts:AssumeRole" in denials(aws)[0] and queue.bodies() == []


@pytest.mark.parametrize("with_key", [True, False])
def test_the_key_of_a_dead_letter_queue_is_used_by_the_role(aws: EmbeddedAws, with_key: bool) -> None:
    letters = Queue(aws, "letters", key_id=key(aws))
    by = role(aws, "by", SCHEDULER, {"Action": SEND, "Resource": letters.arn}, *([KEY_USE] if with_key else []))
    schedule(aws, Queue(aws, "target").arn, by, DeadLetterConfig={"Arn": letters.arn})
    assert metric(aws, "AWS/Scheduler", "TargetErrorCount", "ScheduleGroup", "default") == 1
    if with_key:
        assert eventually(letters.bodies, "the dead letter") == ["hello"]
    else:
        assert any("kms:" in why for why in denials(aws)) and letters.bodies() == []


def test_a_boundary_limits_the_role(aws: EmbeddedAws) -> None:
    queue = Queue(aws, "target")
    by = role(aws, "by", SCHEDULER, {"Action": SEND})
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    boundary = aws.client("iam").create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    aws.client("iam").put_role_permissions_boundary(RoleName="by", PermissionsBoundary=boundary)
    schedule(aws, queue.arn, by)
    assert f"{by} is not authorized to perform: {SEND}" in denials(aws)[0]
