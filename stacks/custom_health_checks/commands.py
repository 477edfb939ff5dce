"""What ``python -m stacks custom_health_checks`` can do."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from functools import partial
from typing import Any

from config.models import CommonSettings
from stacks.custom_health_checks.checks import TagCheck
from stacks.custom_health_checks.settings import SWEEP_SECONDS, CustomHealthChecksSettings
from stacks.shared.billing import HOURS, BillingUnit, instance_hours
from stacks.shared.command import Answer, Command, CommandError
from stacks.shared.preflight import Clients, Finding, common_findings, looked_at

COST_NOTE = "For a month at the smallest size; the instances that the group adds are billed in addition."
VOLUME_GIB = 8
SLUG = "custom_health_checks"


def idle_month(common: CommonSettings, settings: CustomHealthChecksSettings) -> Iterator[BillingUnit]:
    """What bills in a month in which nothing scales: the smallest size of the group, all of it in service."""
    running, warm = settings.min_instances, _warm(settings)
    yield instance_hours(settings.instance_type, HOURS * running, f"{settings.instance_type} instances in service")
    yield BillingUnit("gp3_gib_month", VOLUME_GIB * (running + warm), "root volumes, those of stopped instances too")
    if common.vpc is None:
        public = running if settings.network == "public" else int(settings.network == "nat")
        yield BillingUnit("public_ipv4_hour", HOURS * public, "addresses of the instances or the NAT gateway")
        yield BillingUnit("nat_gateway_hour", HOURS * (settings.network == "nat"), "NAT gateway")
        if settings.network == "endpoints":
            services = 2 * (settings.mode == "instance") + 2 * bool(settings.checks_of("ssm-document"))
            yield BillingUnit("interface_endpoint_hour", HOURS * services * settings.zones, "interface endpoints")
    functions = 1  # Unprotect
    if settings.mode == "event":
        functions += 1 + bool(settings.checks_of("http")) + 1  # the last one is for silence
        yield BillingUnit("lambda_request", HOURS * 3600 / SWEEP_SECONDS, "Checker, every minute")
    never_passed = 5 if settings.warm_pool else 3
    yield BillingUnit("alarm_month", never_passed + functions, "metrics of the alarms")


def _warm(settings: CustomHealthChecksSettings) -> int:
    """Instances that stand by while the group has its smallest size."""
    if settings.warm_pool is None:
        return 0
    prepared = settings.warm_pool.max_prepared or settings.max_instances
    return max(settings.warm_pool.min_size, prepared - settings.min_instances)


def findings(common: CommonSettings, settings: CustomHealthChecksSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment or let no instance in: the common things, the type, documents and tables."""
    yield from common_findings(common, clients, settings.zones)
    yield looked_at("instance type", lambda: _instance_type(settings, clients))
    for check in settings.checks:
        if check.kind == "ssm-document":
            yield looked_at(f"document {check.document}", partial(_document, check.document, clients))
        if check.kind == "table":
            yield looked_at(f"table {check.table}", partial(_table, check.table, check.key, clients))


def _instance_type(settings: CustomHealthChecksSettings, clients: Clients) -> Finding:
    wanted = [{"Name": "instance-type", "Values": [settings.instance_type]}]
    pages = clients("ec2").get_paginator("describe_instance_type_offerings").paginate(Filters=wanted)
    if [item for page in pages for item in page["InstanceTypeOfferings"]]:
        return Finding("instance type", "ok", settings.instance_type)
    return Finding("instance type", "problem", f"no {settings.instance_type} in this Region", "Set instance_type")


def _document(name: str, clients: Clients) -> Finding:
    ssm = clients("ssm")
    try:
        found = ssm.describe_document(Name=name)["Document"]
    except ssm.exceptions.InvalidDocument:
        return Finding(f"document {name}", "problem", "it does not exist here", "Create it, or correct the check")
    needed = [p["Name"] for p in found.get("Parameters", []) if "DefaultValue" not in p]
    if found["DocumentType"] != "Command" or needed:
        says = f"a {found['DocumentType']} document" + (f" that needs {', '.join(needed)}" if needed else "")
        return Finding(f"document {name}", "problem", says, "Name a Command document whose parameters have defaults")
    return Finding(f"document {name}", "ok", "a Command document")


def _table(name: str, key: str, clients: Clients) -> Finding:
    dynamodb = clients("dynamodb")
    try:
        schema = dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return Finding(f"table {name}", "problem", "it does not exist here", "Create it, or correct the check")
    keys = [item["AttributeName"] for item in schema]
    if keys != [key]:
        return Finding(f"table {name}", "problem", f"its key is {', '.join(keys)}", "Correct key in the check")
    return Finding(f"table {name}", "ok", f"its key is {key}")


# The post's own steps: which instances wait, and the tag that lets one in


def show(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Lists the instances of the group and of its warm pool."""
    rows = list(_instances(clients, group_name(common, clients)))
    tags = [check for check in settings.checks if check.kind == "tag"]
    found: dict[str, dict[str, str]] = {}
    if rows:
        pages = (
            clients("ec2").get_paginator("describe_instances").paginate(InstanceIds=[row["InstanceId"] for row in rows])
        )
        for instance in (i for page in pages for r in page["Reservations"] for i in r["Instances"]):
            found[instance["InstanceId"]] = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    data = [
        {
            "instance": row["InstanceId"],
            "state": row["LifecycleState"],
            "health": row["HealthStatus"],
            **{check.key: found.get(row["InstanceId"], {}).get(check.key, "") for check in tags},
        }
        for row in rows
    ]
    columns = ("instance", "state", "health", *(check.key for check in tags))
    return Answer(columns, [tuple(item.values()) for item in data], data)


def mark(options: Namespace, common: CommonSettings, settings: Any, clients: Clients) -> Answer:
    """Sets the first tag check's value on one instance of this group, and on no other."""
    checks: list[TagCheck] = [check for check in settings.checks if check.kind == "tag"]
    if not checks:
        raise CommandError("no check of this solution is a tag; there is nothing to set")
    check = checks[0]
    value = {"success": check.success, "failure": check.failure, "initial": check.initial}[options.value]
    if value is None:
        raise CommandError(f"the check of {check.key} has no failure value")
    group = group_name(common, clients)
    if options.instance not in {row["InstanceId"] for row in _instances(clients, group)}:
        raise CommandError(f"{options.instance} is no instance of {group}; nothing was changed")
    clients("ec2").create_tags(Resources=[options.instance], Tags=[{"Key": check.key, "Value": value}])
    return Answer(
        ("instance", check.key), [(options.instance, value)], {"instance": options.instance, check.key: value}
    )


def group_name(common: CommonSettings, clients: Clients) -> str:
    """The group of the deployed stack.

    Raises:
        CommandError: the stack is not there.
    """
    stack = common.stack_name(SLUG)
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for item in page["StackResourceSummaries"]:
            if item["ResourceType"] == "AWS::AutoScaling::AutoScalingGroup":
                return str(item["PhysicalResourceId"])
    raise CommandError(f"the stack {stack} has no group; deploy it first")


def _instances(clients: Clients, group: str) -> Iterator[dict[str, Any]]:
    """The group's instances, then those of its warm pool."""
    autoscaling = clients("autoscaling")
    pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[group])
    yield from (instance for page in pages for found in page["AutoScalingGroups"] for instance in found["Instances"])
    pages = autoscaling.get_paginator("describe_warm_pool").paginate(AutoScalingGroupName=group)
    yield from (instance for page in pages for instance in page["Instances"])


def _mark_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("instance", help="id of an instance of the group")
    parser.add_argument("value", choices=["success", "failure", "initial"], help="which of the check's values")


COMMANDS = (
    Command("instances", "which instances wait, which are in service, and their tags", show),
    Command("mark", "set the tag of an instance that its check looks at", mark, _mark_arguments),
)
