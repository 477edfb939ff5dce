"""Replacement tasks as the user guide describes them, and the event of a new volume."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from emulator.services.ec2.root_volumes import PENDING_SECONDS
from tests.embedded_aws import eventually
from tests.emulator.receivers import HEARS_RULES

IMAGE = "ami-12345678"


@pytest.fixture
def ec2(aws: EmbeddedAws) -> Any:
    return aws.client("ec2")


def launch(ec2: Any) -> tuple[str, str]:
    instance = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    return instance, root(ec2, instance)


def root(ec2: Any, instance: str) -> str:
    (described,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    return "".join(mapping["Ebs"]["VolumeId"] for mapping in described["BlockDeviceMappings"])


def ended(ec2: Any, task: str) -> Any:
    def described() -> Any:
        (found,) = ec2.describe_replace_root_volume_tasks(ReplaceRootVolumeTaskIds=[task])["ReplaceRootVolumeTasks"]
        return found if found["TaskState"] not in ("pending", "in-progress") else None

    return eventually(described, "the end of the task")


def test_a_task_to_the_launch_state_as_in_the_guide_s_example(ec2: Any) -> None:
    instance, old = launch(ec2)
    task = ec2.create_replace_root_volume_task(InstanceId=instance)["ReplaceRootVolumeTask"]
    assert task["ReplaceRootVolumeTaskId"].startswith("replacevol-")
    assert (task["InstanceId"], task["TaskState"], root(ec2, instance)) == (instance, "pending", old)
    end = ended(ec2, task["ReplaceRootVolumeTaskId"])
    assert end["TaskState"] == "succeeded" and "CompleteTime" in end
    new = root(ec2, instance)
    volumes = {item["VolumeId"]: item for item in ec2.describe_volumes(VolumeIds=[old, new])["Volumes"]}
    assert new != old and volumes[old]["State"] == "available"
    assert (volumes[new]["VolumeType"], volumes[new]["Size"]) == (volumes[old]["VolumeType"], volumes[old]["Size"])


def test_a_snapshot_of_an_earlier_root_volume_can_still_be_used_and_another_instance_s_cannot(ec2: Any) -> None:
    instance, old = launch(ec2)
    _, other = launch(ec2)
    ours, theirs = (ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for volume in (old, other))
    ended(
        ec2,
        ec2.create_replace_root_volume_task(InstanceId=instance)["ReplaceRootVolumeTask"]["ReplaceRootVolumeTaskId"],
    )
    again = ec2.create_replace_root_volume_task(InstanceId=instance, SnapshotId=ours)["ReplaceRootVolumeTask"]
    assert again["SnapshotId"] == ours
    with pytest.raises(ClientError, match="lineage"):
        ec2.create_replace_root_volume_task(InstanceId=instance, SnapshotId=theirs)


def test_the_same_client_token_is_the_same_task_and_with_another_request_an_error(ec2: Any) -> None:
    instance, _ = launch(ec2)
    first, second = (
        ec2.create_replace_root_volume_task(InstanceId=instance, ClientToken="token")["ReplaceRootVolumeTask"]
        for _ in range(2)
    )
    assert first["ReplaceRootVolumeTaskId"] == second["ReplaceRootVolumeTaskId"]
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        ec2.create_replace_root_volume_task(InstanceId=instance, ClientToken="token", ImageId=IMAGE)


def test_tags_are_the_task_s_and_no_volume_s(ec2: Any) -> None:
    instance, _ = launch(ec2)
    tags = [{"Key": "replaced-volume", "Value": "true"}]
    task = ec2.create_replace_root_volume_task(
        InstanceId=instance, TagSpecifications=[{"ResourceType": "replace-root-volume-task", "Tags": tags}]
    )["ReplaceRootVolumeTask"]
    assert task["Tags"] == tags
    with pytest.raises(ClientError, match="not a valid taggable resource type"):
        ec2.create_replace_root_volume_task(
            InstanceId=instance, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}]
        )


def test_only_a_running_instance_s_root_volume_is_replaced(ec2: Any) -> None:
    instance, _ = launch(ec2)
    ec2.stop_instances(InstanceIds=[instance])
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        ec2.create_replace_root_volume_task(InstanceId=instance)


def test_a_task_that_fails_leaves_the_old_volume_and_one_that_fails_detached_none(aws: EmbeddedAws, ec2: Any) -> None:
    for state, left in (("failed", 1), ("failed-detached", 0)):
        instance, old = launch(ec2)
        aws.control("root-volume-task", ends=state)
        task = ec2.create_replace_root_volume_task(InstanceId=instance)["ReplaceRootVolumeTask"]
        assert ended(ec2, task["ReplaceRootVolumeTaskId"])["TaskState"] == state
        assert root(ec2, instance) == old * left
        assert ec2.describe_volumes(VolumeIds=[old])["Volumes"]


def replaced(ec2: Any, instance: str, **chosen: str) -> str:
    """How a task ends."""
    task = ec2.create_replace_root_volume_task(InstanceId=instance, **chosen)["ReplaceRootVolumeTask"]
    return str(ended(ec2, task["ReplaceRootVolumeTaskId"])["TaskState"])


def test_the_launch_state_is_the_snapshot_that_the_root_volume_of_now_was_made_of(ec2: Any) -> None:
    instance, old = launch(ec2)
    snapshot = ec2.create_snapshot(VolumeId=old)["SnapshotId"]
    assert replaced(ec2, instance, SnapshotId=snapshot) == "succeeded"
    assert replaced(ec2, instance) == "succeeded"
    (made,) = ec2.describe_volumes(VolumeIds=[root(ec2, instance)])["Volumes"]
    assert made["SnapshotId"] == snapshot
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert replaced(ec2, instance) == "failed"
    assert root(ec2, instance) == made["VolumeId"]


def test_a_volume_that_is_available_takes_the_place_of_the_root_volume(ec2: Any) -> None:
    instance, old = launch(ec2)
    replaced(ec2, instance)
    assert replaced(ec2, instance, VolumeId=old) == "succeeded"
    assert root(ec2, instance) == old
    (described,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert described["BlockDeviceMappings"][0]["Ebs"]["DeleteOnTermination"] is False, "it keeps what it is by itself"
    with pytest.raises(ClientError, match="IncorrectState"):
        ec2.create_replace_root_volume_task(InstanceId=instance, VolumeId=old)
    with pytest.raises(ClientError, match="cannot be used together"):
        ec2.create_replace_root_volume_task(InstanceId=instance, VolumeId=old, ImageId=IMAGE)


def test_a_held_task_ends_when_it_is_let_go(aws: EmbeddedAws, ec2: Any) -> None:
    instance, old = launch(ec2)
    aws.control("hold-root-volume-tasks", held=True)
    begun = time.time()
    held = ec2.create_replace_root_volume_task(InstanceId=instance)["ReplaceRootVolumeTask"]

    def age() -> float:
        (seen,) = ec2.describe_replace_root_volume_tasks()["ReplaceRootVolumeTasks"]
        assert (seen["TaskState"], root(ec2, instance)) == ("pending", old)
        return time.time() - begun

    eventually(lambda: age() > 2 * PENDING_SECONDS, "the time that a task takes")
    aws.control("hold-root-volume-tasks", held=False)
    assert ended(ec2, held["ReplaceRootVolumeTaskId"])["TaskState"] == "succeeded"


def test_a_new_volume_is_told_as_in_the_guide_s_example(aws: EmbeddedAws, ec2: Any) -> None:
    sqs, rules = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
    pattern = {"source": ["aws.ec2"], "detail-type": ["EBS Volume Notification"], "detail": {"event": ["createVolume"]}}
    rules.put_rule(Name="created", EventPattern=json.dumps(pattern))
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules.put_targets(Rule="created", Targets=[{"Id": "queue", "Arn": arn}])
    _, volume = launch(ec2)
    body = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "an event")[0]["Body"]
    event = json.loads(body)
    assert event["resources"] == [f"arn:aws:ec2:{aws.region}:{aws.account}:volume/{volume}"]
    assert (event["detail"]["result"], event["detail"]["cause"]) == ("available", "")


def test_a_failed_execution_is_counted_as_step_functions_counts_it(aws: EmbeddedAws) -> None:
    states = aws.client("stepfunctions")
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Fail", "Error": "No"}}})
    role = aws.client("iam").create_role(RoleName="none", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    machine = states.create_state_machine(name="fails", definition=definition, roleArn=role)
    arn = machine["stateMachineArn"]
    states.start_execution(stateMachineArn=arn)
    now = time.time()

    def counted() -> Any:
        return aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/States",
            MetricName="ExecutionsFailed",
            Dimensions=[{"Name": "StateMachineArn", "Value": arn}],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]

    assert eventually(counted, "a datapoint")[0]["Sum"] == 1


def test_snapshots_can_be_aged(aws: EmbeddedAws, ec2: Any) -> None:
    _, volume = launch(ec2)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    before = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["StartTime"]
    aws.control("age-snapshots", seconds=3600)
    after = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["StartTime"]
    assert (before - after).total_seconds() == 3600
