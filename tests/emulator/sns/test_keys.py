"""A topic of a stack has the key of its template, in place when that changes."""

from typing import Any

from emulator.client import EmbeddedAws
from tests.emulator.conftest import Stack


def test_the_key_comes_changes_and_goes(aws: EmbeddedAws, stack: Stack) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]

    def resources(**properties: Any) -> dict[str, Any]:
        return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}}

    topic = stack.create(resources(KmsMasterKeyId=key))["Topic"]
    attributes = aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["KmsMasterKeyId"] == key
    assert stack.update(resources())["Topic"] == topic
    assert "KmsMasterKeyId" not in aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
