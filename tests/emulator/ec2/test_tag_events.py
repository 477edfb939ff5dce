"""Events of changed tags: https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html."""

import json
from typing import Any

import pytest

from emulator.client import EmbeddedAws
from tests.embedded_aws import eventually
from tests.emulator.receivers import HEARS_RULES


class Heard:
    """A queue that hears every event of a changed tag."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.sqs = aws.client("sqs")
        self.url = self.sqs.create_queue(QueueName="heard", Attributes={"Policy": HEARS_RULES})["QueueUrl"]
        events = aws.client("events")
        events.put_rule(Name="tags", EventPattern=json.dumps({"source": ["aws.tag"]}))
        events.put_targets(Rule="tags", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:123456789012:heard"}])

    def next(self) -> dict[str, Any]:
        message = eventually(lambda: self.sqs.receive_message(QueueUrl=self.url).get("Messages"), "an event")[0]
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        event: dict[str, Any] = json.loads(message["Body"])
        return event


@pytest.fixture
def heard(aws: EmbeddedAws) -> Heard:
    return Heard(aws)


def test_the_event_of_the_page_s_example(aws: EmbeddedAws, heard: Heard) -> None:
    ec2 = aws.client("ec2")
    tags = {"an-updated-key": "old", "a-deleted-key": "x", "an-unchanged-key": "tag-value-still-the-same"}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}],
    )
    instance = made["Instances"][0]["InstanceId"]
    new = {"a-new-key": "tag-value-on-new-key-just-added", "an-updated-key": "tag-value-was-just-changed"}
    ec2.create_tags(Resources=[instance], Tags=[{"Key": key, "Value": value} for key, value in new.items()])
    event = heard.next()
    assert (event["source"], event["detail-type"]) == ("aws.tag", "Tag Change on Resource")
    assert event["resources"] == [f"arn:aws:ec2:us-east-1:123456789012:instance/{instance}"]
    detail = event["detail"]
    assert (detail["service"], detail["resource-type"]) == ("ec2", "instance")
    assert detail["changed-tag-keys"] == ["a-new-key", "an-updated-key"]
    assert detail["tags"] == {**tags, **new}
    ec2.delete_tags(Resources=[instance], Tags=[{"Key": "a-deleted-key"}])
    after = heard.next()["detail"]
    assert after["changed-tag-keys"] == ["a-deleted-key"] and "a-deleted-key" not in after["tags"]
    assert after["version"] > detail["version"]


def test_a_tag_that_is_set_to_what_it_was_is_no_change(aws: EmbeddedAws, heard: Heard) -> None:
    ec2 = aws.client("ec2")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    for value in ("same", "same", "other"):
        ec2.create_tags(Resources=[instance], Tags=[{"Key": "k", "Value": value}])
    assert [heard.next()["detail"]["tags"]["k"] for _ in range(2)] == ["same", "other"]
