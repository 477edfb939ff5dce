"""The instances in service: a table counts their failed looks, and the worst is set unhealthy."""

import logging
from datetime import datetime
from typing import Any

from custom_health_checks.checker.looks import LOOKS, Clients
from custom_health_checks.checker.members import Members, Rules, described, each
from custom_health_checks.checker.service import IN_SERVICE, fails, to_replace
from custom_health_checks.checker.verdict import together
from custom_health_checks.checker.waiting import Member
from shared.faults import REFUSED

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = 86_400  # seconds; the table forgets instances that are not looked at any more


def watch(clients: Clients, rules: Rules, members: Members, faults: list[str], now: datetime) -> dict[str, list[str]]:
    """Counts failed looks at the instances in service, and sets the worst unhealthy once there are too many."""
    healthy = [member for member in members.found if member.is_healthy and member.group.startswith(rules.group_prefix)]
    serving = [member for member in healthy if member.state == IN_SERVICE]
    table = clients("dynamodb")
    pages = table.get_paginator("scan").paginate(TableName=rules.failures_table, ConsistentRead=True)
    counted = {item["instance_id"]["S"] for page in pages for item in page["Items"]}

    def count(member: Member) -> int:
        instance, _ = described(clients("ec2"), member.instance_id)
        if fails(together(LOOKS[one["kind"]](one, instance, clients) for one in rules.checks)):
            return _failed(table, rules, member, now)
        if member.instance_id in counted:
            table.delete_item(TableName=rules.failures_table, Key={"instance_id": {"S": member.instance_id}})
        return 0

    failures = {m.instance_id: number for m, number in each(clients, rules, serving, count, faults, now) if number}
    states = [member.state for member in members.found]
    unhealthy = to_replace(failures, rules.unhealthy_after, states=states, desired=members.desired)
    if any(not member.is_healthy for member in members.found):  # it is replaced first
        unhealthy = None
    if unhealthy:
        clients("autoscaling").set_instance_health(
            InstanceId=unhealthy, HealthStatus="Unhealthy", ShouldRespectGracePeriod=True
        )
        logger.warning("set unhealthy", extra={"instance": unhealthy, "failures": failures[unhealthy]})
    return {
        **({"failing": sorted(failures)} if failures else {}),
        **({"Unhealthy": [unhealthy]} if unhealthy else {}),
    }


def _failed(table: Any, rules: Rules, member: Member, now: datetime) -> int:
    """Counts one failed look, once a minute however often the schedule's event comes; returns how many there are."""
    key = {"instance_id": {"S": member.instance_id}}
    minute = str(int(now.timestamp()) // 60)
    try:
        written = table.update_item(
            TableName=rules.failures_table,
            Key=key,
            UpdateExpression="ADD failures :one SET looked = :minute, expires = :expires",
            ConditionExpression="attribute_not_exists(looked) OR looked < :minute",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":minute": {"N": minute},
                ":expires": {"N": str(int(now.timestamp()) + FORGOTTEN_AFTER)},
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except REFUSED as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        written = table.get_item(TableName=rules.failures_table, Key=key, ConsistentRead=True).get("Item", {})
    return int(written.get("failures", {"N": "0"})["N"])
