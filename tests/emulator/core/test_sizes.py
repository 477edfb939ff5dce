"""What a service refuses for its size, when a stack or a call comes with it."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack

TRUST = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}


def function(size: int) -> dict[str, Any]:
    """A function whose environment takes so many bytes."""
    variables = {"LIST": "x" * (size - len('{"LIST":""}'))}
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": "def handler(event, context): return event"},
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": variables},
            },
        },
    }


def rule(size: int) -> dict[str, Any]:
    """A rule whose pattern has so many characters."""
    pattern = {"source": ["x" * (size - len('{"source":[""]}'))]}
    return {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern}}}


@pytest.mark.parametrize(
    ("made", "most", "words"), [(function, 4_096, "exceeded the 4KB limit"), (rule, 2_048, "2049 characters of 2048")]
)
def test_one_more_than_the_most_is_refused_by_creation_and_update(
    aws: EmbeddedAws, stack: Stack, made: Any, most: int, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        Stack(aws, "other").create(made(most + 1))
    stack.create(made(most))
    with pytest.raises(AssertionError, match=words):
        stack.update(made(most + 1))


def test_user_data_has_sixteen_kilobytes_also_in_a_launch_template(aws: EmbeddedAws) -> None:
    ec2 = aws.client("ec2")
    launched = {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1}
    ec2.run_instances(UserData="x" * 16_384, **launched)
    with pytest.raises(ClientError, match="limited to 16384 bytes"):
        ec2.run_instances(UserData="x" * 16_385, **launched)
    data = {"UserData": base64.b64encode(b"x" * 16_385).decode()}
    ec2.create_launch_template(LaunchTemplateName="large", LaunchTemplateData=data)
    with pytest.raises(ClientError, match="limited to 16384 bytes"):
        ec2.run_instances(LaunchTemplate={"LaunchTemplateName": "large"}, **launched)
