"""Private names of ministack's Lambda: a destination is written to by the role of the function.

"To use an asynchronous invocation destination, your function's execution role must have the permissions" of the table
at https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html.
"""

import os
import shlex
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import cloudwatch_logs, lambda_svc

from emulator.core.api import Json
from emulator.core.deliveries import Delivery, denied
from emulator.core.patch import patch, private
from emulator.loaded import Loaded
from emulator.services.cloudwatch.patches import record_metric

_functions: Any = private(lambda_svc, "_functions")
_groups: Any = private(cloudwatch_logs, "_log_groups")


@patch(lambda_svc, "_emit_lambda_logs", "func request_id log_text error duration_ms log_source")
def _log(original: Any, function: Json, *details: Any, **more: Any) -> None:
    """A log group of one's own that is gone stays gone: roles here lack logs:CreateLogGroup, which would make it anew.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    group = ((function.get("config") or function).get("LoggingConfig") or {}).get("LogGroup")
    if group is None or group in _groups:
        original(function, *details, **more)


@patch(lambda_svc, "_route_async_failure", "target_arn func_name event result")
def _leave(original: Any, target: str, name: str, event: Json, result: Json) -> None:
    """DestinationDeliveryFailures: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html."""
    configuration = _functions[name]["config"]
    delivery = Delivery("lambda.amazonaws.com", configuration["FunctionArn"], target, role=configuration["Role"])
    if denied(delivery) is None:
        original(target, name, event, result)
    else:
        record_metric("AWS/Lambda", "DestinationDeliveryFailures", {"FunctionName": name}, 1)


_sdk = Loaded("boto3", flags=["-P"])  # as functions start: the judge of their calls is on PYTHONPATH
_one_at_a_time = Lock()

# Where the worker looks before it looks in the environment: in the code, which is its folder, and in layers.
START = """#!/bin/sh
IFS=:
for folder in . $_LAMBDA_LAYERS_DIRS; do
  for name in boto3 botocore s3transfer jmespath dateutil urllib3; do
    if [ -e "$folder/$name" ] || [ -e "$folder/python/$name" ]; then exec {alone} "$@"; fi
  done
done
exec {loaded} "$@"
"""


@patch(lambda_runtime, "_detect_runtime_binary", "runtime")
def _python(original: Any, runtime: str) -> tuple[str, str]:
    """The program of an execution environment: a Python that has the SDK of the runtime loaded.

    A function whose code or layers bring an SDK, or a part of one, starts alone and loads that one, as in
    https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-searchpath.
    """
    program, script = original(runtime)
    if not runtime.startswith("python"):
        return program, script
    with _one_at_a_time:
        return _starter(START.format(alone=shlex.quote(program), loaded=_sdk.words())), script


@cache
def _starter(text: str) -> str:
    file = Path(os.environ["TMPDIR"]) / "python"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    return str(file)
