"""Pipelines of CodePipeline (our model): stored, started, stopped, and never carried out.

A run stays in progress until it is stopped or a scenario, which does what its builds would do, ends it by
``POST /_emulator/pipeline-run``. moto has pipelines too, and looks for their roles in an IAM that is not asked here.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

from emulator import seams

Json = dict[str, Any]

_pipelines: dict[tuple[str, str, str], Json] = {}


def reset() -> None:
    """Takes every pipeline away."""
    _pipelines.clear()


def create(definition: Json) -> str:
    """Makes a pipeline, and starts it, as the service does.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
    """
    _pipelines[_key(definition["name"])] = {"definition": definition, "runs": []}
    start(definition["name"])
    return str(definition["name"])


def update(name: str, definition: Json) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_UpdatePipeline.html: starts nothing."""
    _pipelines[_key(name)]["definition"] = definition


def delete(name: str) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeletePipeline.html."""
    _pipelines.pop(_key(name), None)


def start(name: str) -> Json:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html.

    In mode SUPERSEDED a run that waits gives way to the newest
    (https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html); here those in progress do.
    """
    runs = _pipelines[_key(name)]["runs"]
    for run in runs:
        if run["status"] == "InProgress":
            run["status"] = "Superseded"
    runs.append({"pipelineExecutionId": str(uuid.uuid4()), "status": "InProgress"})
    return {"pipelineExecutionId": runs[-1]["pipelineExecutionId"]}


def _stop(request: Json) -> Json:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html."""
    for run in _pipelines[_key(request["pipelineName"])]["runs"]:
        if run["pipelineExecutionId"] == request["pipelineExecutionId"]:
            run["status"] = "Stopped"
    return {"pipelineExecutionId": request["pipelineExecutionId"]}


_API: dict[str, Callable[[Json], Json]] = {
    "StartPipelineExecution": lambda request: start(request["name"]),
    "StopPipelineExecution": _stop,
    "ListPipelineExecutions": lambda request: {
        "pipelineExecutionSummaries": list(reversed(_pipelines[_key(request["pipelineName"])]["runs"]))
    },
    "GetPipeline": lambda request: {"pipeline": _pipelines[_key(request["name"])]["definition"]},
}


async def _answer(method: str, path: str, headers: dict[str, str], body: bytes, query: Json) -> seams.Answer:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        return seams.json_answer(200, _API[operation](json.loads(body or b"{}")))
    except KeyError as missing:
        return seams.json_answer(400, {"__type": "PipelineNotFoundException", "message": f"no {missing} in this model"})


def end_run(request: Json) -> Json:
    """``POST /_emulator/pipeline-run {"account", "region", "pipeline", "status"}``: how its newest run ends."""
    with seams.request_scope(request["account"], request["region"]):
        run = _pipelines[_key(request["pipeline"])]["runs"][-1]
    run["status"] = request["status"]
    return dict(run)


def _key(name: str) -> tuple[str, str, str]:
    return seams.account_id(), seams.region(), name


def install() -> None:
    """Takes the API over, and lets rules start pipelines."""
    seams.route("codepipeline", _answer)
    seams.let_events_reach(":codepipeline:", lambda arn: start(arn.rpartition(":")[2]))
