"""Private names of ministack's CloudWatch Logs: events of rules, and the fields of JSON events."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs

from emulator.core.api import Json
from emulator.core.deliveries import Delivery, denied
from emulator.core.patch import patch, private
from emulator.core.store import arn

_create_stream: Any = private(cloudwatch_logs, "_create_log_stream", "data")
_put_events: Any = private(cloudwatch_logs, "_put_log_events", "data")


def deliver(target: str, _token: str, event: Json) -> None:
    """A rule's target may be a log group: each event becomes one log event in a stream of the target's.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    where = {"logGroupName": target.split(":log-group:")[1].removesuffix(":*"), "logStreamName": "events"}
    _create_stream(where)
    message = {"timestamp": int(time.time() * 1000), "message": json.dumps(event)}
    _put_events({**where, "logEvents": [message]})


@patch(cloudwatch_logs, "_collect_query_records", "group_names start_time_s end_time_s")
def _discover_json_fields(original: Any, *arguments: Any) -> list[Json]:
    """Lets a query of Logs Insights use the fields of JSON events, by their paths with dots.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
    """
    records: list[Json] = original(*arguments)
    for record in records:
        with contextlib.suppress(ValueError):
            record.update(_flat(json.loads(record["@message"]), ""))
    return records


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif path and value is not None:
        yield path, value if isinstance(value, str) else json.dumps(value)


@patch(cloudwatch_logs, "_put_subscription_filter", "data")
def _subscribe(original: Any, request: Json) -> Any:
    """A function must allow CloudWatch Logs before a filter may name it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample; the words
    are those of https://repost.aws/knowledge-center/lambda-cloudwatch-log-subscription-filter-error.
    """
    target = str(request.get("destinationArn", ""))
    group = arn("logs", f"log-group:{request.get('logGroupName')}:*")
    if ":function:" in target and denied(Delivery("logs.amazonaws.com", group, target)):
        return error_response_json(
            "InvalidParameterException",
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute "
            "your function.",
            400,
        )
    return original(request)
