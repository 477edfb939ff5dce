"""The AWS clients of the functions: one per service, made when first asked for."""

import random
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

OWN_CODES: Mapping[str, frozenset[str]] = {
    "autoscaling": frozenset({"ResourceContention"}),
    "cloudwatch": frozenset({"ConcurrentModificationException"}),
    "imagebuilder": frozenset({"CallRateLimitExceededException"}),
    "sns": frozenset({"KMSThrottling", "Throttled"}),
    "sqs": frozenset({"KmsThrottled"}),
    "ssm": frozenset({"TooManyUpdates"}),
    "stepfunctions": frozenset({"KmsThrottlingException"}),
}
"""What a service says for "try again" that botocore's list lacks: https://github.com/boto/botocore/issues/1070, and the
errors of each service's API reference, such as
https://docs.aws.amazon.com/imagebuilder/latest/APIReference/CommonErrors.html."""
LONGEST_PAUSE = 20.0
"""Seconds, as in botocore's standard mode."""


@cache
def client(service: str, attempts: int = 5, region: str | None = None) -> Any:
    """Returns the client of a service, the same one for the life of the execution environment.

    It is of the function's Region, or of *region* where a service has endpoints in few.

    A call is tried five times, or *attempts* times where another one could make something twice, by botocore's
    standard mode (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). The timeouts are far
    below botocore's sixty seconds, which a function would spend its whole life waiting for.

    Args:
        region: where the function's own Region is not meant.
    """
    retries = {"mode": "standard", "total_max_attempts": attempts}
    made = boto3.client(service, region_name=region, config=Config(retries=retries, connect_timeout=3, read_timeout=10))
    if service in OWN_CODES:
        codes = OWN_CODES[service]

        def pause(response: Any, attempts: int, most: int = attempts, **_: Any) -> float | None:
            """Seconds until the next attempt; None where botocore's own answer counts."""
            code = response[1].get("Error", {}).get("Code") if response else None
            if code not in codes or attempts >= most:
                return None
            return min(random.random() * (1 << attempts - 1), LONGEST_PAUSE)  # noqa: S311 (a pause is no secret)

        name = made.meta.service_model.service_id.hyphenize()
        made.meta.events.register(f"needs-retry.{name}", pause)
    return made
