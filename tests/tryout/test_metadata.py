"""The metadata service of an instance: IMDSv2, the role's credentials, the way out of the group."""

import contextlib
import datetime
import http.client
import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.utils import InstanceMetadataFetcher

from emulator.client import EmbeddedAws
from tryout.hosts.metadata import LIFETIME_HEADER, TOKEN_HEADER, InstanceMetadata


@pytest.fixture
def instance_id(aws: EmbeddedAws) -> str:
    """An instance of a group, with a role that may read one queue."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=document)
    allowed = {"Effect": "Allow", "Action": "sqs:GetQueueUrl", "Resource": "arn:aws:sqs:*:*:work"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="worker", PolicyName="worker", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="worker-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="worker-profile", RoleName="worker")
    data = {"ImageId": "ami-1", "InstanceType": "t4g.micro", "IamInstanceProfile": {"Name": "worker-profile"}}
    template = aws.client("ec2").create_launch_template(LaunchTemplateName="worker", LaunchTemplateData=data)
    api = aws.client("autoscaling")
    api.create_auto_scaling_group(
        AutoScalingGroupName="workers",
        MinSize=0,
        MaxSize=1,
        DesiredCapacity=1,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]},
    )
    api.put_lifecycle_hook(
        AutoScalingGroupName="workers",
        LifecycleHookName="drain",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
    )
    return str(api.describe_auto_scaling_instances()["AutoScalingInstances"][0]["InstanceId"])


@pytest.fixture
def metadata(aws: EmbeddedAws, instance_id: str) -> Iterator[InstanceMetadata]:
    with InstanceMetadata(instance_id, aws.client) as running:
        yield running


def _ask(metadata: InstanceMetadata, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection(metadata.url.removeprefix("http://"), timeout=5)
    with contextlib.closing(connection):
        connection.request(method, f"/latest/{path}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _get(metadata: InstanceMetadata, path: str) -> str:
    status, value = _with_token(metadata, path)
    assert status == 200
    return value


def _with_token(metadata: InstanceMetadata, path: str) -> tuple[int, str]:
    token = _ask(metadata, "PUT", "api/token", {LIFETIME_HEADER: "60"})[1]
    return _ask(metadata, "GET", path, {TOKEN_HEADER: token})


def test_a_request_without_a_token_is_refused(metadata: InstanceMetadata) -> None:
    assert _ask(metadata, "GET", "meta-data/instance-id", {})[0] == 401
    assert _ask(metadata, "GET", "meta-data/instance-id", {TOKEN_HEADER: "guessed"})[0] == 401


@pytest.mark.parametrize("seconds", ["0", "21601", "soon"])
def test_a_token_lives_between_a_second_and_six_hours(metadata: InstanceMetadata, seconds: str) -> None:
    assert _ask(metadata, "PUT", "api/token", {LIFETIME_HEADER: seconds})[0] == 400


def test_it_knows_the_instance(metadata: InstanceMetadata, instance_id: str) -> None:
    assert _get(metadata, "meta-data/instance-id") == instance_id
    assert _get(metadata, "meta-data/placement/region") == "us-east-1"
    assert _get(metadata, "meta-data/placement/availability-zone") == "us-east-1a"
    document = json.loads(_get(metadata, "dynamic/instance-identity/document"))
    assert (document["instanceId"], document["accountId"]) == (instance_id, "123456789012")
    assert _with_token(metadata, "meta-data/ami-launch-index")[0] == 404


def test_botocore_gets_the_roles_credentials_and_the_roles_policy_holds(
    aws: EmbeddedAws, metadata: InstanceMetadata, instance_id: str
) -> None:
    fetcher = InstanceMetadataFetcher(base_url=metadata.url + "/", env={})
    found = fetcher.retrieve_iam_role_credentials()
    assert found["role_name"] == "worker"
    options: dict[str, Any] = {
        "region_name": aws.region,
        "endpoint_url": aws.endpoint_url,
        "verify": str(aws.authority),
        "aws_access_key_id": found["access_key"],
        "aws_secret_access_key": found["secret_key"],
        "aws_session_token": found["token"],
    }
    session = botocore.session.Session()
    arn = session.create_client("sts", **options).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::123456789012:assumed-role/worker/{instance_id}"
    for name in ("work", "other"):
        aws.client("sqs").create_queue(QueueName=name)
    sqs = session.create_client("sqs", **options)
    assert sqs.get_queue_url(QueueName="work")["QueueUrl"].endswith("/work")
    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.get_queue_url(QueueName="other")


def test_the_target_lifecycle_state_follows_the_group(
    aws: EmbeddedAws, metadata: InstanceMetadata, instance_id: str
) -> None:
    path = "meta-data/autoscaling/target-lifecycle-state"
    assert _get(metadata, path) == "InService"
    api = aws.client("autoscaling")
    api.set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=0)
    assert _get(metadata, path) == "Terminated"
    api.complete_lifecycle_action(
        AutoScalingGroupName="workers",
        LifecycleHookName="drain",
        InstanceId=instance_id,
        LifecycleActionResult="CONTINUE",
    )
    assert _get(metadata, path) == "Terminated"


def test_a_spot_interruption_is_announced_two_minutes_ahead(metadata: InstanceMetadata) -> None:
    assert _with_token(metadata, "meta-data/spot/instance-action")[0] == 404
    metadata.interrupt()
    notice = json.loads(_get(metadata, "meta-data/spot/instance-action"))
    assert notice["action"] == "terminate"
    at = datetime.datetime.fromisoformat(notice["time"])
    ahead = at - datetime.datetime.now(datetime.UTC)
    assert 110 < ahead.total_seconds() <= 120


def test_stopping_twice_does_no_harm(aws: EmbeddedAws, instance_id: str) -> None:
    metadata = InstanceMetadata(instance_id, aws.client)
    metadata.start()
    metadata.stop()
    metadata.stop()
    with pytest.raises(ConnectionError):
        _ask(metadata, "GET", "meta-data/instance-id", {})


class Silent:
    """An AWS that is not to be asked; only the group knows the instance's fate."""

    def __init__(self) -> None:
        self.asked = 0

    def describe_auto_scaling_instances(self, **request: Any) -> Any:
        self.asked += 1
        return {"AutoScalingInstances": [{"LifecycleState": "InService"}]}


def test_what_units_ask_several_times_a_second_costs_one_call_at_most() -> None:
    aws = Silent()
    metadata = InstanceMetadata("i-1", lambda service: aws)
    assert metadata.value("meta-data/spot/instance-action") is None
    assert aws.asked == 0
    assert metadata.value("meta-data/autoscaling/target-lifecycle-state") == "InService"
    assert aws.asked == 1
    metadata.stop()
