"""One look at an instance through each kind of check, as the services keep what is looked at."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from custom_health_checks.checker.verdict import Verdict, of_answer, of_command, of_entry, of_value

Clients = Callable[[str], Any]


class ProbeError(RuntimeError):
    """The prober itself has failed; that says nothing about the instance."""


@dataclass(frozen=True)
class Instance:
    """What EC2 says about an instance: how it is reached, and its tags."""

    id: str
    private_ip: str | None
    tags: Mapping[str, str]


def tag(check: Mapping[str, Any], instance: Instance, _: Clients) -> Verdict:
    """The post's check."""
    return of_value(instance.tags.get(check["key"]), check["success"], check.get("failure"))


def http(check: Mapping[str, Any], instance: Instance, clients: Clients) -> Verdict:
    """Has the prober ask, for this function is outside the VPC.

    Raises:
        ProbeError: when the prober has failed.
    """
    if instance.private_ip is None:
        return Verdict.PENDING
    question = {"host": instance.private_ip, "port": check["port"], "path": check["path"]}
    answer = clients("lambda").invoke(FunctionName=check["prober"], Payload=json.dumps(question).encode())
    said = json.loads(answer["Payload"].read())
    if answer.get("FunctionError") or not isinstance(said, dict):
        raise ProbeError(f"the prober has failed: {said!r:.300}")
    return of_answer(said.get("status"), check["status"])


def ssm_document(check: Mapping[str, Any], instance: Instance, clients: Clients) -> Verdict:
    """The newest run of the document on the instance, which is started where there is none.

    Two looks at the same moment may start it twice; a document that checks does no harm by that.
    """
    ssm, document = clients("ssm"), check["document"]
    named = [{"key": "DocumentName", "value": document}]
    pages = ssm.get_paginator("list_command_invocations").paginate(InstanceId=instance.id, Filters=named)
    runs = [run for page in pages for run in page["CommandInvocations"]]
    if runs:
        return of_command(max(runs, key=lambda run: run["RequestedDateTime"])["Status"])
    with suppress(ssm.exceptions.InvalidInstanceId):  # its agent has not registered yet; the next look tries again
        ssm.send_command(DocumentName=document, InstanceIds=[instance.id])
    return Verdict.PENDING


def table(check: Mapping[str, Any], instance: Instance, clients: Clients) -> Verdict:
    """The entry for the instance in a table, read consistently."""
    key = {check["key"]: {"S": instance.id}}
    found = clients("dynamodb").get_item(TableName=check["table"], Key=key, ConsistentRead=True)
    return of_entry(found.get("Item"), check.get("attribute"), check.get("success"), check.get("failure"))


LOOKS: Mapping[str, Callable[[Mapping[str, Any], Instance, Clients], Verdict]] = {
    "tag": tag,
    "http": http,
    "ssm-document": ssm_document,
    "table": table,
}
SERVICES: Mapping[str, str] = {"tag": "ec2", "http": "lambda", "ssm-document": "ssm", "table": "dynamodb"}
"""What each asks, besides EC2."""
