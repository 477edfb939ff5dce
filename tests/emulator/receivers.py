"""Receivers of deliveries with policies, keys and roles of their own, and what has arrived there."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.client import EmbeddedAws

Json = dict[str, Any]


def statement(service: str, action: str, **conditions: str) -> Json:
    """What lets a service do something; conditions by their keys: ``aws_SourceArn``."""
    found: Json = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": "*"}
    if conditions:
        found["Condition"] = {"ArnLike": {name.replace("_", ":"): value for name, value in conditions.items()}}
    return found


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


HEARS_RULES = policy(statement("events.amazonaws.com", "sqs:SendMessage"))
"""Policy of a queue that every rule of the account may send to."""


def insists_on_tls(action: str) -> Json:
    """All that a topic or a queue of ``enforce_ssl`` says, which replaces the default policy."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", "Condition": condition}


def key(aws: EmbeddedAws, *statements: Json) -> str:
    """A key that its account's own policies decide on, and that the statements open besides."""
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    made = aws.client("kms").create_key(Policy=policy(root, *statements))
    return str(made["KeyMetadata"]["KeyId"])


class Queue:
    """A queue that lets in whom its statements name."""

    def __init__(self, aws: EmbeddedAws, name: str, *statements: Json, key_id: str = "") -> None:
        self._sqs = aws.client("sqs")
        attributes = {"Policy": policy(*statements)} if statements else {}
        attributes |= {"KmsMasterKeyId": key_id} if key_id else {}
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{aws.region}:{aws.account}:{name}"

    def bodies(self) -> list[str]:
        found = self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in found]


def topic(aws: EmbeddedAws, name: str, *statements: Json, key_id: str = "") -> tuple[str, Queue]:
    """A topic, and a queue that hears it; without statements it has the default policy."""
    attributes = {"Policy": policy(*statements)} if statements else {}
    attributes |= {"KmsMasterKeyId": key_id} if key_id else {}
    sns = aws.client("sns")
    arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    ears = Queue(aws, f"{name}-ears", statement("sns.amazonaws.com", "sqs:SendMessage", aws_SourceArn=arn))
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ears.arn)
    return arn, ears


def role(aws: EmbeddedAws, name: str, service: str, *allowed: Json, **trusted: str) -> str:
    """A role that a service may assume, and what it may do."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if trusted:
        trust["Condition"] = {"ArnLike": {key.replace("_", ":"): value for key, value in trusted.items()}}
    iam = aws.client("iam")
    document = policy(trust)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if allowed:
        statements = [{"Effect": "Allow", "Resource": "*", **each} for each in allowed]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy(*statements))
    return str(arn)


def archive(files: Mapping[str, str]) -> bytes:
    """A ZIP file of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


def function(aws: EmbeddedAws, name: str, role_arn: str, code: str) -> str:
    """A function of one module."""
    made = aws.client("lambda").create_function(
        FunctionName=name,
        Role=role_arn,
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": archive({"index.py": code})},
    )
    return str(made["FunctionArn"])


def denials(aws: EmbeddedAws) -> list[str]:
    """Why deliveries were denied."""
    return [denial["why"] for denial in aws.control("denials")["denials"]]


def metric(aws: EmbeddedAws, namespace: str, name: str, dimension: str, value: str) -> float:
    """The sum of a metric of the last minutes."""
    now = datetime.now(UTC)
    found = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))
