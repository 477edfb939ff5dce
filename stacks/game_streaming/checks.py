"""What would stop a deployment or an installation: zone, quota, image, subscription, token. It only reads."""

from collections.abc import Iterator, Mapping

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.game_streaming.settings.names import UBUNTU
from stacks.game_streaming.sizes import SIZES, offered
from stacks.shared.deployed import stack_outputs
from stacks.shared.instance_types import quota_code
from stacks.shared.preflight import Clients, Finding, looked_at, zones_of_get_azs

TWO_STEPS = "Deploy with instance: false, then with instance: true"
NOT_SUBSCRIBED = "OptInRequired"
LISTING = "https://aws.amazon.com/marketplace/pp/prodview-aqmdt52vqs5qk"


def findings_of(common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Iterator[Finding]:
    """The solution's own findings."""
    yield sessions_finding(settings)
    yield looked_at("new instance", lambda: _replacement(common, settings, clients))
    yield looked_at("place", lambda: _place(common, settings, clients))
    yield looked_at("quota", lambda: _quota(settings, clients))
    yield looked_at("image", lambda: _image(settings, clients))
    yield looked_at("token", lambda: _token(settings, clients))
    if common.vpc:
        yield looked_at("route", lambda: _route(common, clients))
    if not settings.allowed_cidrs:
        yield Finding("players", "ok", "allowed_cidrs is empty: nobody may play yet")


def sessions_finding(settings: GameStreamingSettings) -> Finding:
    """How many sessions fit."""
    fit = settings.fit
    says = f"{fit.sessions} at the same time on {settings.instance_type}, limited by {fit.limit}"
    return Finding("sessions", "ok", says)


def _replacement(common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Finding:
    outputs = stack_outputs(stack_name(common), clients)
    was = (outputs or {}).get("Installed")
    if was is None or not settings.instance:
        return Finding("new instance", "ok", "nothing is installed, or instance is false")
    before = dict(part.split(" ", 1) for part in was.split("; "))
    if changed := [key for key, value in settings.installed.items() if before.get(key) != value]:
        says = f"{', '.join(changed)}: a change needs a new instance, which loses games, users and tokens"
        return Finding("new instance", "problem", says, TWO_STEPS)
    runs, wanted = _zone_of(outputs or {}, clients), _zone(common, settings, clients)
    if runs and runs != wanted:
        says = (
            f"it runs in {runs}, with its volumes, but the settings want {wanted}: a move loses games, users and tokens"
        )
        return Finding("new instance", "problem", says, f"Set zone: {runs}. To move: {TWO_STEPS}")
    return Finding("new instance", "ok", "none is needed")


def _zone_of(outputs: Mapping[str, str], clients: Clients) -> str | None:
    """The zone of the instance and its volumes; None if it is gone."""
    filters = [{"Name": "instance-id", "Values": [outputs.get("InstanceId", "")]}]
    found = clients("ec2").describe_instances(Filters=filters)["Reservations"]
    zones = [one["Placement"]["AvailabilityZone"] for each in found for one in each["Instances"]]
    return zones[0] if zones else None


def _zone(common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> str:
    """The zone that the settings choose."""
    if common.vpc:
        found = clients("ec2").get_paginator("describe_subnets").paginate(SubnetIds=[common.vpc.subnet_ids[0]])
        (subnet,) = [subnet for page in found for subnet in page["Subnets"]]
        return str(subnet["AvailabilityZone"])
    return settings.zone or zones_of_get_azs(clients)[0]


def stack_name(common: CommonSettings) -> str:
    """Name of the stack."""
    return "-".join(filter(None, [common.prefix, "game-streaming"]))


def _place(common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Finding:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html."""
    ec2 = clients("ec2")
    kind = settings.instance_type
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [kind]}]
    )
    zones = sorted(item["Location"] for page in pages for item in page["InstanceTypeOfferings"])
    if not zones:
        says = f"{ec2.meta.region_name} has no {kind}; G5g is in {', '.join(offered())}"
        return Finding("place", "problem", says, "Choose one of these Regions")
    way = "List a subnet of such a zone first in common.vpc" if common.vpc else f"Set zone: {zones[0]}"
    if (chosen := _zone(common, settings, clients)) not in zones:
        return Finding("place", "problem", f"{chosen} has no {kind}; it is in {', '.join(zones)}", way)
    return Finding("place", "ok", f"{chosen} offers {kind}; EC2 may still lack capacity at a start")


def _quota(settings: GameStreamingSettings, clients: Clients) -> Finding:
    code = quota_code(settings.instance_type, spot=False)
    needed = SIZES[settings.instance_type].vcpus
    quota = clients("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"]
    if quota < needed:
        says = f"needs {needed} vCPUs, the quota {code} is {quota:g}"
        return Finding("quota", "problem", says, f"Request {needed} in Service Quotas ({code}); it may take days")
    return Finding("quota", "ok", f"needs {needed} vCPUs, the quota {code} is {quota:g}")


def _image(settings: GameStreamingSettings, clients: Clients) -> Finding:
    image = settings.image
    if settings.image_parameter:
        try:
            image = clients("ssm").get_parameter(Name=settings.image_parameter)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            return Finding("image", "problem", f"{settings.image_parameter} does not exist here", "Correct image")
    images = clients("ec2").describe_images(ImageIds=[image])["Images"]
    if not images:
        return Finding("image", "problem", f"there is no {image} here", "Correct image")
    if images[0]["Architecture"] != "arm64":
        return Finding("image", "problem", f"{image} is {images[0]['Architecture']}", "Choose the Arm variant")
    if images[0].get("RootDeviceName", "/dev/sda1") != "/dev/sda1":
        says = f"{image} has its root device at {images[0]['RootDeviceName']}, the launch template at /dev/sda1"
        return Finding("image", "problem", says, "Choose an Ubuntu image, whose root device is /dev/sda1")
    if settings.image != UBUNTU and not _subscribed(image, settings.instance_type, clients):
        return Finding("image", "problem", f"this account has not subscribed to {image}", f"Subscribe: {LISTING}")
    return Finding("image", "ok", f"{image}, arm64")


def _subscribed(image: str, instance_type: str, clients: Clients) -> bool:
    """Whether the subscription allows a launch, by a dry run: nothing is launched.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    try:
        clients("ec2").run_instances(DryRun=True, ImageId=image, InstanceType=instance_type, MinCount=1, MaxCount=1)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == NOT_SUBSCRIBED:
            return False
        if code not in ("DryRunOperation", "VPCIdNotSpecified", "MissingInput"):
            raise
    return True


def _token(settings: GameStreamingSettings, clients: Clients) -> Finding:
    name = settings.pro_token_secret
    if settings.image != UBUNTU:
        return Finding("token", "ok", "a Marketplace image needs no token")
    try:
        clients("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        fix = f"Write the token into a file, and run: aws secretsmanager create-secret --name {name} --secret-string file://FILE"
        return Finding("token", "problem", f"there is no secret {name}", fix)
    return Finding(
        "token", "ok", f"{name} exists; the installation checks first whether its token entitles to anbox-cloud"
    )


def _route(common: CommonSettings, clients: Clients) -> Finding:
    """Whether the subnet has a route to an internet gateway, in its own route table or else in the main one."""
    assert common.vpc
    subnet, ec2 = common.vpc.subnet_ids[0], clients("ec2")
    found = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
    if not found:
        main = [{"Name": "vpc-id", "Values": [common.vpc.id]}, {"Name": "association.main", "Values": ["true"]}]
        found = ec2.describe_route_tables(Filters=main)["RouteTables"]
    routes = [route for table in found for route in table["Routes"]]
    if not any(str(route.get("GatewayId", "")).startswith("igw-") for route in routes):
        return Finding(
            "route", "problem", f"{subnet} has no route to an internet gateway", "List a public subnet first"
        )
    return Finding("route", "ok", f"{subnet} has a route to an internet gateway")
