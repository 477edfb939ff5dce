"""AWS Step Functions, by ministack, and what it tells CloudWatch: how many executions end how.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
"""

from typing import Any

from ministack.services import stepfunctions

from emulator.core.api import Json
from emulator.core.patch import patch
from emulator.core.service import Service
from emulator.services.cloudwatch.patches import evaluate_alarms, record_metric

_METRICS = {"FAILED": "ExecutionsFailed", "SUCCEEDED": "ExecutionsSucceeded", "ABORTED": "ExecutionsAborted"}


@patch(stepfunctions, "_emit_execution_status_event", "execution")
def _status_changed(original: Any, execution: Json) -> None:
    """When an execution has begun or ended, a nested one too."""
    original(execution)
    if metric := _METRICS.get(execution["status"]):
        record_metric("AWS/States", metric, {"StateMachineArn": execution["stateMachineArn"]}, 1)
        evaluate_alarms()


SERVICE = Service(
    "states", modelled=("metrics of executions",), not_judged=("quotas of executions and of their history",)
)
