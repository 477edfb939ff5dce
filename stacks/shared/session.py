"""The Region, and clients in it: one order for this program, boto3 and the CDK CLI."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.models import CommonSettings
from stacks.shared.command import CommandError
from stacks.shared.preflight import Clients

if TYPE_CHECKING:  # boto3 takes a third of a second, which most commands need not wait for
    import boto3

# The order of the CDK CLI and of AWS CLI v2. boto3 itself reads AWS_DEFAULT_REGION only
# (https://github.com/boto/boto3/issues/3620), so that it is handed the result.
# https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class Region:
    """A Region and where it was found."""

    name: str
    source: str


def region_of(common: CommonSettings) -> Region:
    """The Region that ``cdk deploy`` would take: ``common.region``, the environment, then the AWS profile.

    Raises:
        CommandError: none of them names one.
    """
    if common.region:
        return Region(common.region, "common.region")
    for variable in VARIABLES:
        if value := os.environ.get(variable):
            return Region(value, variable)
    import boto3

    session = boto3.Session()
    if session.region_name:
        return Region(session.region_name, f"profile {session.profile_name}")
    raise CommandError("no Region is set; set common.region, AWS_REGION, or the Region of your AWS profile")


def clients_of(common: CommonSettings) -> Clients:
    """Clients of the Region that give up soon enough for somebody who waits."""
    import boto3
    from botocore.config import Config as ClientConfig

    retries = ClientConfig(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=20)
    session: boto3.Session | None = None

    def client(service: str, region: str | None = None, /) -> Any:
        nonlocal session
        session = session or boto3.Session(region_name=region or region_of(common).name)
        try:
            return session.client(service, region_name=region or region_of(common).name, config=retries)
        except ValueError as error:  # botocore's word on an endpoint that is not an address
            raise CommandError(
                f"{str(error).rstrip('.')}; correct AWS_ENDPOINT_URL, for example https://host:443"
            ) from None

    return client
