"""A task of Spinnaker: whether it has ended, and why it failed."""

from collections.abc import Iterator, Mapping
from typing import Any

# All values of Orca's ExecutionStatus:
# https://github.com/spinnaker/spinnaker/blob/main/orca/orca-api/src/main/java/com/netflix/spinnaker/orca/api/pipeline/models/ExecutionStatus.java
GOES_ON = frozenset({"NOT_STARTED", "RUNNING", "PAUSED", "SUSPENDED", "BUFFERED", "REDIRECT"})
DONE = frozenset({"SUCCEEDED", "SKIPPED", "FAILED_CONTINUE"})
FAILED = frozenset({"TERMINAL", "CANCELED", "STOPPED"})

Json = Mapping[str, Any]


def failure(task: Json) -> str:
    """Why a task failed, in the words that Deck shows.

    Deck takes the errors of the variable ``exception``, then the message of the operation of clouddriver that failed
    (``kato.tasks``): deck/packages/core/src/orchestratedItem/orchestratedItem.transformer.ts.
    """
    found = [*_errors(_value(task, "exception")), *_operations(_value(task, "kato.tasks"))]
    return ("; ".join(dict.fromkeys(found)) or _failed_step(task)) + _stays(task)


def made_server_groups(task: Json, region: str) -> list[str]:
    """Names of the server groups that a task has made in a Region."""
    made = _value(task, "deploy.server.groups")
    names = made.get(region) if isinstance(made, Mapping) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _value(task: Json, key: str) -> Any:
    """A variable of the task, or of its first stage that has it."""
    for variable in _list(task.get("variables")):
        if variable.get("key") == key:
            return variable.get("value")
    execution = task.get("execution")
    for stage in _list(execution.get("stages") if isinstance(execution, Mapping) else None):
        context = stage.get("context")
        if isinstance(context, Mapping) and context.get(key) not in (None, ""):
            return context[key]
    return None


def _errors(exception: Any) -> Iterator[str]:
    details = exception.get("details") if isinstance(exception, Mapping) else None
    if not isinstance(details, Mapping):
        return
    errors = [str(error) for error in details.get("errors") or () if error]
    if errors:
        yield from errors
    elif details.get("error"):
        yield str(details["error"])


def _operations(tasks: Any) -> Iterator[str]:
    for task in _list(tasks):
        status = task.get("status")
        if not (isinstance(status, Mapping) and status.get("failed")):
            continue
        exception = task.get("exception")
        if isinstance(exception, Mapping) and exception.get("message"):
            yield str(exception["message"])
        elif history := _list(task.get("history")):
            yield str(history[-1].get("status"))
        return


def _failed_step(task: Json) -> str:
    for step in _list(task.get("steps")):
        if step.get("status") in FAILED:
            return f"its step {step.get('name')} ended {step['status']}; Deck may say more"
    return "Spinnaker does not say why; Deck may say more"


def _stays(task: Json) -> str:
    """What a failed createServerGroup leaves behind: it creates the group, then waits for healthy instances."""
    execution = task.get("execution")
    for stage in _list(execution.get("stages") if isinstance(execution, Mapping) else None):
        context = stage.get("context")
        made = context.get("deploy.server.groups") if isinstance(context, Mapping) else None
        if stage.get("type") == "createServerGroup" and isinstance(made, Mapping):
            names = [str(name) for group in made.values() for name in group or ()]
            if names:
                return f"; {', '.join(names)} was created and stays until you destroy it"
    return ""


def _list(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
