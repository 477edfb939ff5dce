"""What would stop a deployment in this account and Region, and how to fix it. Reads only."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, EndpointConnectionError

from config.models import CommonSettings
from config.types import arn_part

CDK_QUALIFIER = "hnb659fds"  # of a `cdk bootstrap` without --qualifier
BOOTSTRAP_VERSION = 6  # the templates of this CDK ask for it
ROOT_USER = "you are using the root user; use a role instead"

# Codes that mean "these credentials": https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, and
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html for EC2's own.
CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}


class Clients(Protocol):
    """Makes the client of a service by its name."""

    def __call__(self, service: str, region: str | None = None, /) -> Any:
        """Returns a boto3 client; *region* other than the configured one where a command looks at several."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        status: ``ok``; ``problem``: a deployment would fail; ``unknown``: it could not be looked at.
        says: what was found.
        fix: what to do about it; empty if there is nothing to do.
    """

    what: str
    status: Literal["ok", "problem", "unknown"]
    says: str
    fix: str = ""


def looked_at(what: str, look: Callable[[], Finding], *, first: bool = False) -> Finding:
    """Runs one check. What cannot be looked at is unknown, never ok.

    Args:
        first: nothing has answered yet, so that a failed connection means that there is none. Later, after STS has
            answered, it means that the Region lacks the service.

    Raises:
        BotoCoreError: nothing can be looked at: no connection, or no credentials.
        ClientError: AWS does not accept the credentials.
    """
    try:
        return look()
    except ClientError as error:
        refused = error.response["Error"]
        code, message = refused["Code"], refused.get("Message", "").rstrip(".")
        if code in CREDENTIALS:
            raise
        if code in DENIED:
            return Finding(what, "unknown", f"{error.operation_name}: {code}", "Allow your role this call")
        says = f"{error.operation_name}: {code}" + (f": {message}" if message and message != code else "")
        return Finding(what, "unknown", says, "The emulator does not offer this call" if emulated() else "")
    except KeyError as error:  # AWS leaves out what an instance, for example, does not have any more
        return Finding(what, "unknown", f"the answer of AWS has no {error.args[0]}")
    except EndpointConnectionError as error:
        if first:
            raise
        says = str(error).splitlines()[0].rstrip(".")
        return Finding(what, "unknown", says, "See whether this Region offers the service")


def emulated() -> bool:
    """Whether the calls go to an emulator on this machine, as ``make try KEEP=1`` lets them."""
    host = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
    return host in ("127.0.0.1", "localhost", "::1")


def account_findings(common: CommonSettings, clients: Clients) -> Iterator[Finding]:
    """Credentials, account, bootstrap and the permissions to deploy: for a solution without a network."""
    yield looked_at("account", lambda: _account(common, clients), first=True)
    yield looked_at("bootstrap", lambda: _bootstrap(common, clients))
    yield looked_at("permissions", lambda: _permissions(common, clients))


def common_findings(
    common: CommonSettings, clients: Clients, zones: int, *, by_name: str | None = None
) -> Iterator[Finding]:
    """Credentials, account, bootstrap, the network and the permissions to deploy.

    Args:
        zones: Availability Zones that the solution's own network takes of those that Fn::GetAZs returns.
        by_name: the setting that names zones instead, if there is one.
    """
    yield from account_findings(common, clients)
    if common.vpc:
        yield looked_at("network", lambda: _subnets(common, clients))
    else:
        yield looked_at("zones", lambda: _zones(clients, zones, by_name))


def topic_of_rules(common: CommonSettings, clients: Clients) -> Iterator[Finding]:
    """Whether EventBridge reaches ``common.alarm_topic_arn``, for a solution whose rules tell it something.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html
    """
    topic = common.alarm_topic_arn
    if topic:
        yield looked_at("topic", lambda: _topic(topic, clients))


def _topic(topic: str, clients: Clients) -> Finding:
    sts = clients("sts")
    account, owner = sts.get_caller_identity()["Account"], arn_part(topic, "account")
    if owner != account:
        says = f"alarm_topic_arn is of account {owner}, this is {account}: EventBridge reaches none of another account"
        return Finding("topic", "problem", says, "Name a topic of this account, or leave alarm_topic_arn out")
    if (region := arn_part(topic, "region")) != sts.meta.region_name:
        says = f"alarm_topic_arn is of {region}, this is {sts.meta.region_name}: EventBridge reaches no other Region"
        return Finding("topic", "problem", says, "Name a topic of this Region, or leave alarm_topic_arn out")
    return Finding("topic", "ok", "alarm_topic_arn is of this account and Region")


def _account(common: CommonSettings, clients: Clients) -> Finding:
    caller = clients("sts").get_caller_identity()
    if common.account and common.account != caller["Account"]:
        says = f"common.account is {common.account}, your credentials are of {caller['Account']}"
        return Finding("account", "problem", says, "Use the other profile, or correct common.account")
    return Finding("account", "ok", f"{caller['Account']} as {caller['Arn'].rsplit(':', 1)[-1]}")


def _bootstrap(common: CommonSettings, clients: Clients) -> Finding:
    qualifier = common.bootstrap_qualifier or CDK_QUALIFIER
    name = f"/cdk-bootstrap/{qualifier}/version"
    try:
        version = int(clients("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        option = f" --qualifier {qualifier}" if common.bootstrap_qualifier else ""
        return Finding("bootstrap", "problem", f"{name} does not exist", f"Run: cdk bootstrap{option}")
    if version < BOOTSTRAP_VERSION:
        says = f"version {version}, at least {BOOTSTRAP_VERSION} is needed"
        return Finding("bootstrap", "problem", says, "Run: cdk bootstrap")
    return Finding("bootstrap", "ok", f"version {version}")


def _permissions(common: CommonSettings, clients: Clients) -> Finding:
    """Whether the caller may take the role that ``cdk bootstrap`` has made for deployments.

    SimulatePrincipalPolicy judges the caller's own policies; the trust of the role is looked at by STS only.
    """
    sts = clients("sts")
    caller = sts.get_caller_identity()
    partition = caller["Arn"].split(":")[1]
    qualifier = common.bootstrap_qualifier or CDK_QUALIFIER
    region = sts.meta.region_name
    role = f"arn:{partition}:iam::{caller['Account']}:role/cdk-{qualifier}-deploy-role-{caller['Account']}-{region}"
    source = policy_source(clients, caller["Arn"])
    if source is None:
        return Finding("permissions", "ok", ROOT_USER)
    answer = clients("iam").simulate_principal_policy(
        PolicySourceArn=source, ActionNames=["sts:AssumeRole"], ResourceArns=[role]
    )
    decision = answer["EvaluationResults"][0]["EvalDecision"]
    if decision != "allowed":
        return Finding(
            "permissions", "problem", f"sts:AssumeRole on {role}: {decision}", "Allow your role to assume it"
        )
    return Finding("permissions", "ok", "the deployment role may be assumed")


def policy_source(clients: Clients, arn: str) -> str | None:
    """What SimulatePrincipalPolicy takes for a caller: of a session its role; None for the root user.

    Args:
        arn: the caller's, as STS tells it.
    """
    if arn.endswith(":root"):
        return None
    if ":assumed-role/" not in arn:
        return arn
    role: str = clients("iam").get_role(RoleName=arn.split("/")[1])["Role"]["Arn"]
    return role


def zones_of_region(clients: Clients) -> list[str]:
    """Every Availability Zone of the Region."""
    answer = clients("ec2").describe_availability_zones(
        Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
    )
    return sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])


def zones_of_get_azs(clients: Clients) -> list[str]:
    """What Fn::GetAZs returns: "only Availability Zones that have a default subnet", unless none has one: then all.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
    """
    filters = [{"Name": "default-for-az", "Values": ["true"]}]
    pages = clients("ec2").get_paginator("describe_subnets").paginate(Filters=filters)
    found = {subnet["AvailabilityZone"] for page in pages for subnet in page["Subnets"]}
    return sorted(found) or zones_of_region(clients)


def _zones(clients: Clients, wanted: int, by_name: str | None) -> Finding:
    every = zones_of_region(clients)
    if len(every) < wanted:
        fix = f"Set zones to {len(every)} or less"
        return Finding("zones", "problem", f"{wanted} wanted, the Region has {len(every)}", fix)
    if wanted < 2:
        return Finding("zones", "ok", f"{wanted} of {len(every)}")
    found = zones_of_get_azs(clients)
    if len(found) < wanted:
        missing = next(zone for zone in every if zone not in found)
        says = f"{wanted} wanted, CloudFormation takes {', '.join(found)} only: no other zone has a default subnet"
        other = f"name zones in {by_name}" if by_name else f"set zones to {len(found)} or less"
        fix = f"Run: aws ec2 create-default-subnet --availability-zone {missing}; or {other}"
        return Finding("zones", "problem", says, fix)
    return Finding("zones", "ok", f"{wanted} of {len(found)}")


def _subnets(common: CommonSettings, clients: Clients) -> Finding:
    assert common.vpc
    wanted = common.vpc.subnet_ids
    pages = (
        clients("ec2")
        .get_paginator("describe_subnets")
        .paginate(Filters=[{"Name": "subnet-id", "Values": list(wanted)}])
    )
    found = {subnet["SubnetId"]: subnet["VpcId"] for page in pages for subnet in page["Subnets"]}
    missing = [subnet for subnet in wanted if subnet not in found]
    elsewhere = [subnet for subnet, vpc in found.items() if vpc != common.vpc.id]
    if missing or elsewhere:
        says = f"not in {common.vpc.id}: {', '.join([*missing, *elsewhere])}"
        return Finding("network", "problem", says, "Correct common.vpc")
    return Finding("network", "ok", f"{len(wanted)} subnets of {common.vpc.id}")
