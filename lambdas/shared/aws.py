"""The AWS clients of the functions: one per service, made when first asked for."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def client(service: str, attempts: int = 5) -> Any:
    """Returns the client of a service, the same one for the life of the execution environment.

    A call is tried five times, or *attempts* times where another one could make something twice, by botocore's
    standard mode (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). The timeouts are far
    below botocore's sixty seconds, which a function would spend its whole life waiting for.
    """
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return boto3.client(service, config=Config(retries=retries, connect_timeout=3, read_timeout=10))
