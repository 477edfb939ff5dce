"""One call to an AWS API in this process: what the CloudFormation types are made of.

CloudFormation handlers run on the server's event loop, so a call over HTTP to the server itself would wait for ever.
"""

import functools
import json
from typing import Any

import boto3

from emulator import seams


@functools.cache
def _client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region, aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106


def call(service: str, operation: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Calls *operation* with those of *properties* that it takes, in the types that it wants, and with *more*.

    Raises ``botocore.exceptions.ClientError`` as any AWS client does.
    """
    client = _client(service, seams.region())
    shape = client.meta.service_model.operation_model(operation).input_shape
    with seams.moto_lock:
        answer: dict[str, Any] = client._make_api_call(operation, fitted(shape, {**(properties or {}), **more}))
    return answer


def fitted(shape: Any, value: Any) -> Any:
    """A CloudFormation value as the API wants it.

    CloudFormation accepts "true" and 1 where an API wants True and "1", ``Name`` where an API says ``name``, and a
    list of subnets where Auto Scaling wants them in one string.
    """
    kind = shape.type_name
    if kind == "structure":
        members = {name.lower(): name for name in shape.members}
        known = {members[name.lower()]: item for name, item in value.items() if name.lower() in members}
        return {name: fitted(shape.members[name], item) for name, item in known.items()}
    if kind == "list":
        return [fitted(shape.member, item) for item in (value if isinstance(value, list) else [value])]
    if kind == "map":
        return {name: fitted(shape.value, item) for name, item in value.items()}
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("double", "float"):
        return float(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind == "string" and isinstance(value, list):
        return ",".join(value)
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    return value
