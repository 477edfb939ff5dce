"""Automation documents, run step by step under the role that they name (our model).

Follows https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-document-actions.html as far as drills
need it: ``aws:executeAwsApi`` with selectors, ``aws:sleep`` (nobody waits), ``nextStep``, ``onFailure: step:...``,
``isEnd``, and ``{{ parameter }}``, ``{{ Step.Output }}``, ``{{ automation:EXECUTION_ID }}``. IAM judges every call.
"""

import contextvars
import json
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from emulator.core.api import Json, Operation, call, client_error
from emulator.core.clock import seconds_of
from emulator.core.eventual import passed
from emulator.core.store import Store, account_id
from emulator.services.ssm.roles import Clients, clients_of

_VARIABLE = re.compile(r"{{ *([\w:.]+) *}}")
_executions: Store[dict[str, Json]] = Store(dict)


def document_named(name: str, version: str | None = None) -> Json:
    """The content of a document; an error if there is none."""
    which = {"DocumentVersion": version} if version else {}
    found = call("ssm", "GetDocument", {**which, "Name": name, "DocumentFormat": "JSON"})
    content: Json = json.loads(found["Content"])
    return content


def start_automation_execution(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html."""
    name, version = request["DocumentName"], request.get("DocumentVersion")
    try:
        document = document_named(name, version)
    except ClientError as error:
        raise client_error("AutomationDefinitionNotFoundException", f"Document {name} does not exist") from error
    known = document.get("parameters", {})
    given = {
        key: value if known.get(key, {}).get("type") == "StringList" else value[0]
        for key, value in request.get("Parameters", {}).items()
    }
    missing = {key for key, value in known.items() if "default" not in value} - given.keys()
    if unknown := missing | (given.keys() - known.keys()):
        raise client_error("InvalidAutomationExecutionParametersException", f"Parameters: {', '.join(sorted(unknown))}")
    execution: Json = {
        "AutomationExecutionId": str(uuid.uuid4()),
        "DocumentName": name,
        "DocumentVersion": version or "$DEFAULT",
        "ExecutionStartTime": datetime.now(UTC),
        "AutomationExecutionStatus": "InProgress",
        "StepExecutions": [],
        "Parameters": request.get("Parameters", {}),
        "Outputs": {},
        "ExecutedBy": f"arn:aws:iam::{account_id()}:root",
    }
    _executions.here()[execution["AutomationExecutionId"]] = execution
    context = contextvars.copy_context()  # account and Region of the request
    threading.Thread(target=context.run, args=(_run, execution, document, given), daemon=True).start()
    return {"AutomationExecutionId": execution["AutomationExecutionId"]}


def get_automation_execution(request: Json) -> Json:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetAutomationExecution.html."""
    found = _executions.here().get(request["AutomationExecutionId"])
    if found is None:
        message = f"Automation execution {request['AutomationExecutionId']} does not exist"
        raise client_error("AutomationExecutionNotFoundException", message)
    return {"AutomationExecution": found}


def _run(execution: Json, document: Json, given: Json) -> None:
    status, reason = "Failed", None
    try:
        clients = clients_of(_filled(document["assumeRole"], given), "Automation")
        defaults = {key: item["default"] for key, item in document.get("parameters", {}).items() if "default" in item}
        values = {**defaults, **given, "automation:EXECUTION_ID": execution["AutomationExecutionId"]}
        if run_steps(document, clients, values, execution["StepExecutions"]):
            status = "Success"
    except Exception as error:  # what is wrong with a document fails its execution, not the server
        reason = f"{type(error).__name__}: {error}"
    execution["Outputs"] = {
        f"{step['StepName']}.{name}": value
        for step in execution["StepExecutions"]
        for name, value in step["Outputs"].items()
        if f"{step['StepName']}.{name}" in document.get("outputs", [])
    }
    failed = [step for step in execution["StepExecutions"] if step["StepStatus"] == "Failed"]
    reason = reason or (f"Step fails when it is executing. {failed[-1]['FailureMessage']}" if failed else None)
    execution |= {"FailureMessage": reason} if reason else {}
    execution |= {"ExecutionEndTime": datetime.now(UTC), "AutomationExecutionStatus": status}


def run_steps(document: Json, clients: Clients, values: dict[str, Any], done: list[Json]) -> bool:
    """Runs a document's steps; *done* gets each, as GetAutomationExecution describes it. False if one has failed."""
    steps = {step["name"]: step for step in document["mainSteps"]}
    order = list(steps)
    name: str | None = order[0]
    while name is not None:
        step = steps[name]
        outputs: dict[str, list[str]] = {}
        described: Json = {"StepName": name, "Action": step["action"], "StepStatus": "Success", "Outputs": outputs}
        try:
            for output, value in _act(step, clients, values):
                values[f"{name}.{output}"] = value
                outputs[output] = [_text(item) for item in (value if isinstance(value, list) else [value])]
        except (BotoCoreError, ClientError, LookupError, ValueError) as error:
            described |= {"StepStatus": "Failed", "FailureMessage": f"{type(error).__name__}: {error}"}
        done.append(described)
        name = _next(step, order, failed=described["StepStatus"] == "Failed")
    return all(step["StepStatus"] == "Success" for step in done)


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
        passed(seconds_of(step["inputs"]["Duration"]))
        return
    if step["action"] != "aws:executeAwsApi":
        raise LookupError(f"{step['action']} is not modelled")
    inputs = _filled(step["inputs"], values)
    service, api = inputs.pop("Service"), inputs.pop("Api")
    answer = getattr(clients(service), xform_name(api))(**inputs)
    for output in step.get("outputs", []):
        # [*] within [*] is one list in JSONPath, and one list in another in JMESPath.
        selector = output["Selector"].removeprefix("$.").replace("[*]", "[]")
        yield output["Name"], jmespath.search(selector, answer)


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


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


OPERATIONS: dict[str, Operation] = {
    "StartAutomationExecution": start_automation_execution,
    "GetAutomationExecution": get_automation_execution,
}
