"""AWS's managed policies, from moto's copy of them."""

import json
from functools import cache
from typing import Any

Json = dict[str, Any]


@cache
def _policies() -> Json:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    found: Json = json.loads(aws_managed_policies_data)
    return found


def document_of(arn: str) -> Json:
    """The document of a managed policy, by its ARN in any partition, with the ARNs of that partition in it."""
    return _document(arn.split(":")[1], arn.split("/")[-1])


@cache
def _document(partition: str, name: str) -> Json:
    text = json.dumps(_policies()[name]["Document"])
    document: Json = json.loads(text.replace('"arn:aws:', f'"arn:{partition}:'))
    return document
