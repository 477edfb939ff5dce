"""Runs a Systems Manager Automation document step by step, with the rights of its role (our model of the service).

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeapi.html and
automation-action-sleep.html; of the actions it knows those two, and a sleep takes no time. A step that fails goes where
its ``onFailure`` says, and the execution ends as failed all the same.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from emulator.client import EmbeddedAws

Json = dict[str, Any]
Clients = Callable[[str], Any]

_VARIABLE = re.compile(r"{{ *([\w:.]+) *}}")


@dataclass
class Execution:
    """What has become of one.

    Attributes:
        outputs: by ``Step.Name``.
        failures: what each failed step was told, by its name.
        steps: those that ran, in their order.
    """

    outputs: Json = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Success or Failed."""
        return "Failed" if self.failures else "Success"


def start(aws: EmbeddedAws, name: str, parameters: Mapping[str, Any] | None = None) -> Execution:
    """Runs the newest version of a document that was deployed, under the role that it names."""
    return run(document_named(aws, name), role_clients(aws, name), parameters or {})


def document_named(aws: EmbeddedAws, name: str) -> Json:
    """The newest version of a document."""
    content: Json = json.loads(aws.client("ssm").get_document(Name=name, DocumentFormat="JSON")["Content"])
    return content


def role_clients(aws: EmbeddedAws, name: str) -> Clients:
    """Makes clients with the rights of a document's role."""
    arn = document_named(aws, name)["assumeRole"]
    role = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="Automation")["Credentials"]
    return lambda service: aws.client(
        service,
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )


def run(document: Json, clients: Clients, parameters: Mapping[str, Any]) -> Execution:
    """Runs a document's steps with these clients."""
    defaults = {key: value["default"] for key, value in document.get("parameters", {}).items() if "default" in value}
    values: Json = {**defaults, **parameters, "automation:EXECUTION_ID": "11111111-2222-3333-4444-555555555555"}
    steps = {step["name"]: step for step in document["mainSteps"]}
    order = list(steps)
    execution = Execution()
    name: str | None = order[0]
    while name is not None:
        step = steps[name]
        execution.steps.append(name)
        failed = False
        try:
            for output, value in _act(step, clients, values):
                values[f"{name}.{output}"] = execution.outputs[f"{name}.{output}"] = value
        except (BotoCoreError, ClientError, LookupError) as error:
            failed = True
            execution.failures[name] = f"{type(error).__name__}: {error}"
        name = _next(step, order, failed=failed)
    return execution


def _next(step: Json, order: list[str], *, failed: bool) -> str | None:
    if failed:
        target = str(step.get("onFailure", "Abort"))
        return target.removeprefix("step:") if target.startswith("step:") else None
    position = order.index(step["name"]) + 1
    if step.get("isEnd") or position == len(order):
        return None
    return str(step.get("nextStep", order[position]))


def _act(step: Json, clients: Clients, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if step["action"] == "aws:sleep":
        return
    if step["action"] != "aws:executeAwsApi":
        raise LookupError(f"{step['action']} is not modelled")
    inputs = _filled(step["inputs"], values)
    service, api = inputs.pop("Service"), inputs.pop("Api")
    answer = getattr(clients(service), xform_name(api))(**inputs)
    for output in step.get("outputs", []):
        yield output["Name"], jmespath.search(output["Selector"].removeprefix("$."), answer)


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, dict):
        return {key: _filled(item, values) for key, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, values) for item in template]
    if isinstance(template, str):
        if whole := _VARIABLE.fullmatch(template):
            return values[whole[1]]
        return _VARIABLE.sub(lambda found: str(values[found[1]]), template)
    return template
