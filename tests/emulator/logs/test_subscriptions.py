"""A subscription filter may name only a function that lets CloudWatch Logs in."""

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from tests.emulator.receivers import function, role


def test_a_filter_is_refused_until_the_function_allows_it(aws: EmbeddedAws) -> None:
    arn = function(aws, "reads", role(aws, "by", "lambda.amazonaws.com"), "def handler(event, context): return 1")
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="ours")
    wanted = {"logGroupName": "ours", "filterName": "all", "filterPattern": "", "destinationArn": arn}
    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        logs.put_subscription_filter(**wanted)
    aws.client("lambda").add_permission(
        FunctionName="reads",
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceArn=f"arn:aws:logs:{aws.region}:{aws.account}:log-group:ours:*",
    )
    logs.put_subscription_filter(**wanted)
