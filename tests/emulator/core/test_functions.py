"""Deployed functions: they run under their own role, reach the embedded AWS by TLS and answer CloudFormation."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.embedded_aws import Stack, eventually
from tests.emulator.iam.test_authorization import Role

HANDLER = """
import json, os, urllib.request
import boto3

def attempt(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
    return "allowed"

def handler(event, context):
    if "ResponseURL" in event:
        answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": "ours", "Data": {"Said": event["RequestType"]}}
        request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
        urllib.request.urlopen(request)
        return None
    sqs = boto3.client("sqs")
    if event.get("source") == "aws.ec2":
        sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=event["detail"]["state"])
    return {
        "who": boto3.client("sts").get_caller_identity()["Arn"],
        "send": attempt(lambda: sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody="sent")),
        "purge": attempt(lambda: sqs.purge_queue(QueueUrl=os.environ["QUEUE"])),
        "instances": attempt(boto3.client("ec2").describe_instances),
        "profile": os.environ.get("AWS_PROFILE"),
    }
"""


PAUSING = """
import time

def handler(event, context):
    began = time.monotonic()
    time.sleep(60)
    return time.monotonic() - began
"""


def _zipped(handler: str = HANDLER) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", handler)
    return content.getvalue()


def _resources() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}
    policy = {"PolicyName": "send", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}
    return {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [policy],
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.14",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": "assets", "S3Key": "function.zip"},
                "Environment": {"Variables": {"QUEUE": {"Ref": "Queue"}}},
            },
        },
        "Thing": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.ec2"], "detail": {"state": ["running"]}},
                "Targets": [{"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Function"},
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        },
    }


def test_a_function_runs_under_its_own_role_and_hears_of_instances(aws: EmbeddedAws, stack: Stack) -> None:
    s3, sqs = aws.client("s3"), aws.client("sqs")
    s3.create_bucket(Bucket="assets")
    s3.put_object(Bucket="assets", Key="function.zip", Body=_zipped())
    made = stack.create(_resources(), Outputs={"Said": {"Value": {"Fn::GetAtt": ["Thing", "Said"]}}})
    assert stack.outputs() == {"Said": "Create"}

    answer = aws.client("lambda").invoke(FunctionName=made["Function"])
    result = json.loads(answer["Payload"].read())
    assert result["who"] == f"arn:aws:sts::123456789012:assumed-role/{made['Role']}/{made['Function']}"
    assert result["send"] == "allowed"
    assert "AccessDenied" in result["purge"]
    assert "UnauthorizedOperation" in result["instances"]
    assert result["profile"] is None

    aws.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)

    def heard() -> bool:
        messages = sqs.receive_message(QueueUrl=made["Queue"], MaxNumberOfMessages=10).get("Messages", [])
        return any(message["Body"] == "running" for message in messages)

    eventually(heard, "the state change reached the function")
    stack.delete()
    assert aws.client("lambda").list_functions()["Functions"] == []


def test_a_server_keeps_what_it_was_started_with_and_pauses_of_functions_may_be_shorter(tmp_path: Path) -> None:
    with EmbeddedAws(tmp_path, eventual=True, pauses=0.001) as started:
        started.reset()
        ec2 = Role(started, {"Action": "ec2:*"}).client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
            ec2.describe_volumes(VolumeIds=[volume])
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = started.client("iam").create_role(RoleName="pausing", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        started.client("lambda").create_function(
            FunctionName="pausing",
            Runtime="python3.14",
            Handler="index.handler",
            Role=role,
            Timeout=120,
            Code={"ZipFile": _zipped(PAUSING)},
        )
        answer = started.client("lambda").invoke(FunctionName="pausing")
        assert json.loads(answer["Payload"].read()) < 30
