"""What Step Functions tells CloudWatch on AWS and ministack does not: how many executions end how."""

from emulator import seams

METRICS = {"FAILED": "ExecutionsFailed", "SUCCEEDED": "ExecutionsSucceeded", "ABORTED": "ExecutionsAborted"}


def status_changed(machine_arn: str, status: str) -> None:
    """Follows https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html."""
    if metric := METRICS.get(status):
        seams.record_metric("AWS/States", metric, {"StateMachineArn": machine_arn}, 1)
        seams.evaluate_alarms()


def install() -> None:
    """Listens to ministack's executions."""
    seams.on_execution_status(status_changed)
