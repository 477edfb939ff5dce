"""What an asynchronous invocation leaves in a destination, it leaves by the role of the function."""

import pytest

from emulator.client import EmbeddedAws
from tests.emulator.conftest import eventually
from tests.emulator.receivers import Queue, denials, function, key, metric, role

SEND: dict[str, object] = {"Action": "sqs:SendMessage"}
KEY_USE: dict[str, object] = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"]}


@pytest.mark.parametrize("case", ["allowed", "no permission", "key used", "key not used"])
def test_the_role_of_the_function_leaves_what_failed(aws: EmbeddedAws, case: str) -> None:
    letters = Queue(aws, "letters", key_id=key(aws) if "key" in case else "")
    permissions = {"no permission": [], "key used": [SEND, KEY_USE]}
    allowed: list[dict[str, object]] = permissions.get(case, [SEND])
    by = role(aws, "by", "lambda.amazonaws.com", *allowed)
    function(aws, "fails", by, "def handler(event, context):\n    raise ValueError('on purpose')\n")
    api = aws.client("lambda")
    api.put_function_event_invoke_config(
        FunctionName="fails",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": letters.arn}},
    )
    api.invoke(FunctionName="fails", InvocationType="Event", Payload=b"{}")
    if case in ("allowed", "key used"):
        assert eventually(letters.bodies, "what failed")
    else:
        assert "is not authorized to perform" in eventually(lambda: denials(aws), "the denial")[0]
        assert letters.bodies() == []
        assert metric(aws, "AWS/Lambda", "DestinationDeliveryFailures", "FunctionName", "fails") == 1
