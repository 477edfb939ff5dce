"""Clients with the permissions of a role: what Systems Manager does in somebody's name is judged as any call."""

import functools
import os
from collections.abc import Callable
from typing import Any

import boto3

from emulator.core.store import account_id, region

Clients = Callable[[str], Any]


def clients_of(role: str, session: str) -> Clients:
    """Makes clients of this server that have a role, in the Region of the request.

    Here the account's root assumes the role that a service would assume, so that its trust policy is not judged.

    Raises:
        botocore.exceptions.ClientError: there is no such role, or it may not be assumed.
    """
    root = functools.partial(
        boto3.client,
        region_name=region(),
        endpoint_url=f"https://127.0.0.1:{os.environ['GATEWAY_PORT']}",
        verify=os.environ["AWS_CA_BUNDLE"],
    )
    keys = {"aws_access_key_id": account_id(), "aws_secret_access_key": "local"}
    given = root("sts", **keys).assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return functools.cache(
        functools.partial(
            root,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    )
