"""Custom resources: whatever happens, CloudFormation hears of it, or it would wait for its timeout.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html
"""

import json
import logging
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)

PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further attempt at the answer."""
LONGEST_REASON = 1_000
"""Characters: the whole answer may have 4,096 bytes
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html)."""
NEEDED = ("RequestType", "ResponseURL", "StackId", "RequestId", "LogicalResourceId", "ResourceProperties")


class RefusedError(Exception):
    """The change must not be made; the message is meant for whoever deploys."""


Facts = Mapping[str, str]
"""Attributes of a custom resource, for Fn::GetAtt."""


def answer(event: Any, act: Callable[[Mapping[str, Any]], str | tuple[str, Facts]]) -> str:
    """Does what CloudFormation asks for, and tells it how that ended.

    CloudFormation may deliver a request twice, and Lambda repeats one whose answer could not be given: *act* must be
    idempotent.

    Args:
        event: the request.
        act: does it and returns the physical id, alone or with attributes for Fn::GetAtt. What it refuses, or cannot
            do, fails the resource with its words.

    Returns:
        SUCCESS or FAILED, as CloudFormation was told.

    Raises:
        ValueError: the event is no request, so that there is nobody to answer.
        OSError: CloudFormation could not be told. Lambda tries the whole request again.
    """
    if not isinstance(event, dict) or any(not event.get(name) for name in NEEDED):
        raise ValueError(f"not a request of CloudFormation: it needs {', '.join(NEEDED)}")
    reason = "the function ended in the middle; its log says more"
    physical_id: str | None = None
    facts: Facts = {}
    try:
        done = act(event)
        physical_id, facts = (done, {}) if isinstance(done, str) else done
    except RefusedError as refused:
        reason = str(refused)
        logger.warning("refused", extra={"reason": reason})
    except (BotoCoreError, ClientError, ValueError, LookupError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        logger.exception("failed")
    finally:  # whatever else ends the function, the answer is given, and the function fails
        _send(event, physical_id, facts, reason)
    return "SUCCESS" if physical_id else "FAILED"


def _send(event: Mapping[str, Any], physical_id: str | None, facts: Facts, reason: str) -> None:
    known = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    # A failed creation is deleted under the id that it answers here.
    named = {"PhysicalResourceId": physical_id or event.get("PhysicalResourceId") or event["LogicalResourceId"]}
    outcome = {"Status": "SUCCESS"} if physical_id else {"Status": "FAILED", "Reason": _short(reason)}
    data = {"Data": dict(facts)} if facts else {}
    body = json.dumps({**known, **named, **outcome, **data}).encode()
    for seconds in (*PAUSES, None):
        try:
            upload(event["ResponseURL"], body)
            return
        except OSError:  # an HTTP error, no connection, or no answer in time
            if seconds is None:
                raise
            time.sleep(seconds)


def _short(reason: str) -> str:
    """Characters that JSON writes in one byte, or two, so that their number limits the answer."""
    plain = (letter if letter.isascii() and letter.isprintable() else "?" for letter in reason)
    return "".join(plain)[:LONGEST_REASON]


def upload(url: str, body: bytes) -> None:
    """Puts the answer where CloudFormation looks for it: a presigned address, signed for no content type.

    Raises:
        OSError: it did not arrive.
    """
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 (CloudFormation's own address)
        pass
