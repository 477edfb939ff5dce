"""What ``python -m stacks instance_connect_endpoint`` can do."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.instance_connect_endpoint.doctor import DOCTOR, stack_outputs
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared.billing import HOURS, BillingUnit, instance_hours
from stacks.shared.preflight import Clients, Finding, common_findings, looked_at, topic_of_rules, zones_of_get_azs

COST_NOTE = "The endpoint is free; traffic to an instance in another zone is billed in addition."
LINUX_GIB = 8
WINDOWS_GIB = 30
MOST_LOG_POLICIES = 10  # of CloudWatch Logs, in an account and Region
COMMANDS = (DOCTOR,)


def idle_month(common: CommonSettings, settings: InstanceConnectEndpointSettings) -> Iterator[BillingUnit]:
    """What bills in a month without a connection. The endpoint itself does not."""
    for kind, gib, system in (
        (settings.linux_instance_type, LINUX_GIB, "Linux"),
        (settings.windows_instance_type, WINDOWS_GIB, "Windows"),
    ):
        if kind:
            billed = "windows" if system == "Windows" else ""
            yield instance_hours(kind, HOURS, f"{system} demo instance", system=billed)
            yield BillingUnit("gp3_gib_month", gib, f"root volume of the {system} demo instance")
    if settings.trail:
        yield BillingUnit("alarm_month", 2, "events that could not be logged or told")


def findings(common: CommonSettings, settings: InstanceConnectEndpointSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the common things, the one endpoint of the VPC, instance types, the trail."""
    yield from common_findings(common, clients, 1)
    if common.vpc and settings.endpoint:
        yield looked_at("endpoint", lambda: _only_endpoint(common, clients))
    if common.vpc and settings.preserve_client_ip:
        yield looked_at("addresses", lambda: _ipv4_only(common, clients))
    for kind in filter(None, (settings.linux_instance_type, settings.windows_instance_type)):
        yield looked_at(kind, partial(_offered, kind, common, clients))
    if settings.trail:
        yield from topic_of_rules(common, clients)
        yield looked_at("log policies", lambda: _log_policies(common, clients))
    if settings.trail == "existing":
        yield looked_at("trail", lambda: _logging_trail(clients))


def _only_endpoint(common: CommonSettings, clients: Clients) -> Finding:
    assert common.vpc
    pages = (
        clients("ec2")
        .get_paginator("describe_instance_connect_endpoints")
        .paginate(Filters=[{"Name": "vpc-id", "Values": [common.vpc.id]}])
    )
    gone = ("delete-complete", "create-failed")
    found = [e for page in pages for e in page["InstanceConnectEndpoints"] if e["State"] not in gone]
    ours = stack_outputs(common, clients).get("EndpointId")
    others = [endpoint["InstanceConnectEndpointId"] for endpoint in found]
    if [endpoint for endpoint in others if endpoint != ours]:
        fix = "Use that one, with endpoint: false here, or delete it: a VPC has one at most"
        return Finding("endpoint", "problem", f"{common.vpc.id} has {', '.join(others)} already", fix)
    return Finding("endpoint", "ok", "it is ours" if found else f"{common.vpc.id} has none yet")


def _ipv4_only(common: CommonSettings, clients: Clients) -> Finding:
    """CloudFormation cannot choose the endpoint's address type; in a dual-stack subnet it is dual-stack."""
    assert common.vpc
    subnet_id = common.vpc.subnet_ids[0]
    (subnet,) = clients("ec2").describe_subnets(SubnetIds=[subnet_id])["Subnets"]
    if subnet.get("Ipv6CidrBlockAssociationSet"):
        says = f"{subnet_id} has IPv6, and a dual-stack endpoint preserves no client address"
        return Finding("addresses", "problem", says, "Name a subnet with IPv4 only first, or preserve_client_ip: false")
    return Finding("addresses", "ok", f"{subnet_id} has IPv4 only")


def _offered(kind: str, common: CommonSettings, clients: Clients) -> Finding:
    """Whether the zone of the one subnet offers a type: not every zone of a Region does.

    https://repost.aws/knowledge-center/ec2-instance-type-not-supported-az-error
    """
    ec2 = clients("ec2")
    wanted = [{"Name": "instance-type", "Values": [kind]}]
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", Filters=wanted
    )
    zones = sorted(item["Location"] for page in pages for item in page["InstanceTypeOfferings"])
    if not zones:
        return Finding(kind, "problem", "this Region does not offer it", "Choose another instance type")
    if common.vpc:
        (subnet,) = ec2.describe_subnets(SubnetIds=[common.vpc.subnet_ids[0]])["Subnets"]
        zone, other = str(subnet["AvailabilityZone"]), ", or list a subnet of such a zone first in common.vpc"
    else:
        zone, other = zones_of_get_azs(clients)[0], ""
    if zone not in zones:
        says = f"{zone} does not offer it, {', '.join(zones)} do"
        return Finding(kind, "problem", says, f"Choose another instance type{other}")
    return Finding(kind, "ok", f"offered in {zone}")


def _log_policies(common: CommonSettings, clients: Clients) -> Finding:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html: ten, and no more."""
    pages = clients("logs").get_paginator("describe_resource_policies").paginate()
    count = sum(len(page["resourcePolicies"]) for page in pages)
    if count >= MOST_LOG_POLICIES and "TunnelLogGroup" not in stack_outputs(common, clients):
        says = f"CloudWatch Logs has {count} resource policies here, and takes {MOST_LOG_POLICIES}"
        fix = "Delete one that nothing needs: aws logs describe-resource-policies lists them"
        return Finding("log policies", "problem", says, fix)
    return Finding("log policies", "ok", f"{count} of {MOST_LOG_POLICIES}")


def _logging_trail(clients: Clients) -> Finding:
    cloudtrail = clients("cloudtrail")
    trails = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
    refused: ClientError | None = None
    for trail in trails:
        try:
            if not cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"]:
                continue
            if _writes_management_events(cloudtrail.get_event_selectors(TrailName=trail["TrailARN"])):
                return Finding("trail", "ok", f"{trail['Name']} logs")
        except ClientError as error:  # an organization's trail is its management account's
            refused = error
    if refused:
        raise refused
    says = "no trail logs management events that write in this Region"
    return Finding("trail", "problem", says, "Set trail to create, or make one")


def _writes_management_events(selectors: Mapping[str, Any]) -> bool:
    """Only such a trail hands OpenTunnel over to EventBridge.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    """
    for selector in selectors.get("EventSelectors") or ():
        if selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") != "ReadOnly":
            return True
    for selector in selectors.get("AdvancedEventSelectors") or ():
        fields = {field["Field"]: field for field in selector["FieldSelectors"]}
        reads = fields.get("readOnly", {}).get("Equals")
        if fields["eventCategory"].get("Equals") == ["Management"] and reads != ["true"]:
            return True
    return False
