"""AWS CodePipeline."""

from emulator.core.iam import Call
from emulator.core.service import IamRules, Service
from emulator.core.store import arn
from emulator.services.codepipeline import model
from emulator.services.codepipeline.types import TYPES


def _judged_on(call: Call) -> str:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html: the pipeline."""
    asked = call.content
    return arn("codepipeline", str(asked.get("pipelineName") or asked.get("name") or "*"))


SERVICE = Service(
    "codepipeline",
    operations=model.OPERATIONS,
    types=TYPES,
    controls={"pipeline-run": model.end_run},
    modelled=("executions that are started, superseded and stopped",),
    not_judged=("stages and actions; a scenario does what builds would do",),
    targets={"codepipeline": lambda target, *_: model.start(target.rpartition(":")[2])},
    iam=IamRules(resource=_judged_on),
)
