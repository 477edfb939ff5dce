"""Pipelines of CodePipeline (our model): stored, started, stopped, and never carried out.

A run stays in progress until it is stopped or a scenario, which does what its builds would do, ends it by
``POST /_emulator/pipeline-run``. moto has pipelines too, and looks for their roles in an IAM that is not asked here.
"""

import uuid

from emulator.core.api import Json, Operation, client_error
from emulator.core.store import Store, request_scope

_pipelines: Store[dict[str, Json]] = Store(dict)


def create(definition: Json) -> str:
    """Makes a pipeline, and starts it, as the service does.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
    """
    _pipelines.here()[definition["name"]] = {"definition": definition, "runs": []}
    start(definition["name"])
    return str(definition["name"])


def update(name: str, definition: Json) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_UpdatePipeline.html: starts nothing."""
    _pipeline(name)["definition"] = definition


def delete(name: str) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeletePipeline.html."""
    _pipelines.here().pop(name, None)


def start(name: str) -> Json:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html.

    In mode SUPERSEDED a run that waits gives way to the newest
    (https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html); here those in progress do.
    """
    runs = _pipeline(name)["runs"]
    for run in runs:
        if run["status"] == "InProgress":
            run["status"] = "Superseded"
    runs.append({"pipelineExecutionId": str(uuid.uuid4()), "status": "InProgress"})
    return {"pipelineExecutionId": runs[-1]["pipelineExecutionId"]}


def _stop(request: Json) -> Json:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html."""
    for run in _pipeline(request["pipelineName"])["runs"]:
        if run["pipelineExecutionId"] == request["pipelineExecutionId"]:
            if run["status"] != "InProgress":
                message = f"Unable to stop pipeline execution, because it is {run['status']}"
                raise client_error("PipelineExecutionNotStoppableException", message)
            run["status"] = "Stopped"
    return {"pipelineExecutionId": request["pipelineExecutionId"]}


OPERATIONS: dict[str, Operation] = {
    "StartPipelineExecution": lambda request: start(request["name"]),
    "StopPipelineExecution": _stop,
    "ListPipelineExecutions": lambda request: {
        "pipelineExecutionSummaries": list(reversed(_pipeline(request["pipelineName"])["runs"]))
    },
    "GetPipeline": lambda request: {"pipeline": _pipeline(request["name"])["definition"]},
}


def end_run(request: Json) -> Json:
    """``pipeline-run {"account", "region", "pipeline", "status"}``: how its newest run ends."""
    with request_scope(request["account"], request["region"]):
        run = _pipeline(request["pipeline"])["runs"][-1]
    run["status"] = request["status"]
    return dict(run)


def _pipeline(name: str) -> Json:
    found = _pipelines.here().get(name)
    if found is None:
        raise client_error("PipelineNotFoundException", f"The account has no pipeline with the name '{name}'")
    return found
