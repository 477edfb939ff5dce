"""What would stop a deployment of guardrails: the account, the organization, each target."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from config.models import CommonSettings
from stacks.guardrails import attachment
from stacks.guardrails.settings import GuardrailSettings
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

ACCELERATOR = "AWSAccelerator"
SUBNET_STATEMENTS = {"DenyNotLocalZonesSubnet", "DenyNotOutpostSubnet"}


def findings(slug: str, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the account, the organization, each target, the zones."""
    ours = "-".join(filter(None, [common.prefix, slug.replace("_", "-")])) + "-"  # so the names of our policies begin
    yield from account_findings(common, clients)
    yield looked_at("organization", lambda: _organization(clients))
    for target in settings.targets:
        yield looked_at(f"target {target}", partial(_target, settings, clients, target, ours))
    if settings.zone_names:
        yield looked_at("zones", lambda: _zones(settings, clients))
    for identifier, says in settings.warnings():
        yield Finding(f"note: {identifier}", "ok", says)


def _organization(clients: Clients) -> Finding:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_enable-disable.html"""
    organizations = clients("organizations")
    found = organizations.describe_organization()["Organization"]
    if found["FeatureSet"] != "ALL":
        return Finding(
            "organization", "problem", "only consolidated billing", "Enable all features in AWS Organizations"
        )
    (root,) = organizations.list_roots()["Roots"]
    if {"Type": attachment.KIND, "Status": "ENABLED"} not in root["PolicyTypes"]:
        fix = "Enable service control policies in AWS Organizations"
        return Finding("organization", "problem", "service control policies are not enabled", fix)
    caller = clients("sts").get_caller_identity()["Account"]
    if caller != found["MasterAccountId"]:
        says = f"{caller} is not the management account {found['MasterAccountId']}"
        return Finding("organization", "unknown", says, "Deploy there, or delegate policies to this account")
    return Finding("organization", "ok", f"{found['Id']}, all features, service control policies enabled")


def _target(settings: GuardrailSettings, clients: Clients, target: str, ours: str) -> Finding:
    what = f"target {target}"
    organizations = clients("organizations")
    if target == organizations.describe_organization()["Organization"]["MasterAccountId"]:
        return Finding(what, "problem", "it is the management account, which no policy limits", "Name another target")
    names = attachment.policies_on(organizations, target).values()
    there = sum(not name.startswith(ours) for name in names)
    wanted = sum(policy.is_for(target) for policy in settings.policies)
    if there + wanted > settings.scp_max_per_target:
        says = f"it has {there} policies of others; with {wanted} of these it is above {settings.scp_max_per_target}"
        return Finding(what, "problem", says, "Move policies to its parent, or switch statements off")
    above = _parents(organizations, target) & set(settings.subnets_by_target)
    if target in settings.subnets_by_target and above:
        says = f"it is below {', '.join(sorted(above))}, and only subnets that both list would be allowed"
        return Finding(what, "problem", says, "List targets in subnets_by_target that do not contain each other")
    if others := _other_subnet_statements(settings, organizations, target, ours):
        says = (
            f"{' and '.join(others)} reaches it or what is below it, and only subnets that both list would be allowed"
        )
        return Finding(what, "problem", says, "List all subnets in one solution, and switch the other's statement off")
    if any(name.startswith(ACCELERATOR) for name in names):
        says = f"{there} policies of others, some of the Landing Zone Accelerator, which may take ours off in seconds"
        return Finding(what, "unknown", says, "Use files; before release 1.16 more than 5 policies stop its next run")
    return Finding(what, "ok", f"{there} policies of others, {wanted} of these")


def _other_subnet_statements(settings: GuardrailSettings, organizations: Any, target: str, ours: str) -> list[str]:
    """Subnet statements of policies that are not ours and reach a target or what is below it: they intersect."""
    if not any(statement.allow_list for policy in settings.policies for statement in policy.statements):
        return []
    found: set[str] = set()
    seen: set[str] = set()
    for place in [target, *_parents(organizations, target), *_children(organizations, target)]:
        for policy_id, name in attachment.policies_on(organizations, place).items():
            if name.startswith(ours) or policy_id in seen:
                continue
            seen.add(policy_id)
            text = organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"]
            found |= {f"{sid} of {name}" for sid in SUBNET_STATEMENTS if f'"{sid}"' in text}
    return sorted(found)


def _children(organizations: Any, target: str) -> Iterator[str]:
    """Units and accounts below, at any depth."""
    if not target.startswith(("r-", "ou-")):
        return
    for kind in ("ORGANIZATIONAL_UNIT", "ACCOUNT"):
        for page in organizations.get_paginator("list_children").paginate(ParentId=target, ChildType=kind):
            for child in page["Children"]:
                yield child["Id"]
                yield from _children(organizations, child["Id"])


def _parents(organizations: Any, target: str) -> set[str]:
    found: set[str] = set()
    while not target.startswith("r-"):
        (parent,) = organizations.list_parents(ChildId=target)["Parents"]
        target = parent["Id"]
        found.add(target)
    return found


def _zones(settings: GuardrailSettings, clients: Clients) -> Finding:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html"""
    answer = clients("ec2").describe_availability_zones(
        AllAvailabilityZones=True, Filters=[{"Name": "zone-type", "Values": ["local-zone"]}]
    )
    known = {zone["ZoneName"]: zone.get("OptInStatus") for zone in answer["AvailabilityZones"]}
    if unknown := [zone for zone in settings.zone_names if zone not in known]:
        says = f"no Local Zones of this Region: {', '.join(unknown)}"
        return Finding("zones", "problem", says, "Correct zones, or look in the Region that they belong to")
    says = f"{len(settings.zone_names)} Local Zones of this Region"
    closed = [zone for zone in settings.zone_names if known[zone] == "not-opted-in"]
    if not closed:
        return Finding("zones", "ok", f"{says}, open to this account")
    caller = clients("sts").get_caller_identity()["Account"]
    if caller == clients("organizations").describe_organization()["Organization"]["MasterAccountId"]:
        # No call of the management account tells of another account's zones; its own need not be open.
        return Finding(
            "zones", "ok", f"{says}; in which accounts they are open, only check with their credentials tells"
        )
    fix = "Run: aws ec2 modify-availability-zone-group --opt-in-status opted-in --group-name, with the zone's group"
    return Finding("zones", "problem", f"{caller} has not opted in to {', '.join(closed)}", fix)
