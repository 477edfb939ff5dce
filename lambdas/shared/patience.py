"""EC2 and Elastic Load Balancing are eventually consistent: what was just made may not be known everywhere yet.

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.aws import client
from shared.custom_resource import PAUSES

logger = logging.getLogger(__name__)

THROTTLED = ("RequestLimitExceeded", "Throttling", "ThrottlingException", "RequestThrottled")
KNOWN_AFTER, KNOWN_SECONDS = 12, 5.0
"""A minute until what was made is known."""
LOOKS = 3
ROUNDS, ROUND_SECONDS = 60, 10.0
"""Ten minutes until a load balancer serves, or a deleted one has given its addresses back; the function has fifteen."""


def once_known(call: Callable[[], Any], what: str = "") -> Any:
    """Calls with the id of something just made, again for a minute while AWS does not know it.

    Args:
        what: stands in the code of the error, such as ``InvalidAllocationID.NotFound``: another id may be wrong.
    """
    for last in [*[False] * (KNOWN_AFTER - 1), True]:
        try:
            return call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if last or "NotFound" not in code or what.lower() not in code.lower():
                raise
            logger.info("not known yet", extra={"code": code})
            time.sleep(KNOWN_SECONDS)
    raise AssertionError("the last attempt returns or raises")


def made_once(find: Callable[[], Any], make: Callable[[Any], Any]) -> Any:
    """Finds what is there, or makes it. The calls have no client token: after a lost answer it is looked for.

    What it is made of may have been made just now: while AWS does not know that, nothing is made.
    """
    for seconds in (*PAUSES, None):
        if found := find():
            return found
        try:
            return once_known(lambda: make(client("ec2", 1)))
        except (BotoCoreError, ClientError) as error:
            if seconds is None or not _may_pass(error):
                raise
            logger.info("tried again", extra={"error": str(error)})
            time.sleep(seconds)
    raise AssertionError("the last attempt returns or raises")


def found_at_last(find: Callable[[], Any]) -> Any:
    """What is to be removed, looked for three times: a rollback deletes what was made seconds ago, and may not see it.

    Returns:
        What was found; something false if it is not there.
    """
    for last in [*[False] * (LOOKS - 1), True]:
        if (found := find()) or last:
            return found
        time.sleep(KNOWN_SECONDS)
    raise AssertionError("the last look returns")


def _may_pass(error: Exception) -> bool:
    """Whether another attempt may succeed: throttled, a fault of the service, or no answer."""
    if not isinstance(error, ClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response["Error"]["Code"] in THROTTLED


def removed_at_last(find: Callable[[], Any], remove: Callable[[Any], object]) -> None:
    """Removes what there is, until it is not listed any more.

    A list may have what the call that removes it does not know yet: "not found" says that it is gone only where no list
    has it.

    Args:
        find: what there is; something false if there is nothing.
        remove: gets what was found.
    """
    found = found_at_last(find)
    for last in [*[False] * (KNOWN_AFTER - 1), True]:
        if not found:
            return
        try:
            remove(found)
        except ClientError as error:
            if last or "NotFound" not in error.response["Error"]["Code"]:
                raise
            logger.info("gone, or not known yet", extra={"error": str(error)})
            time.sleep(KNOWN_SECONDS)
            found = found_at_last(find)
        else:
            return
