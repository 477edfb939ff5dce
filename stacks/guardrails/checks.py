"""What would stop a deployment of guardrails: the account, the organization, each target."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from config.models import CommonSettings
from stacks.guardrails import attachment
from stacks.guardrails.settings import GuardrailSettings
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

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
        mend = "Enable service control policies in AWS Organizations"
        return Finding("organization", "problem", "service control policies are not enabled", mend)
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
    if others := _other_subnet_statements(settings, organizations, target):
        says = f"{' and '.join(sorted(others))} is on it or above it, and only subnets that both list would be allowed"
        return Finding(what, "problem", says, "List all subnets in one solution, and switch the other's statement off")
    return Finding(what, "ok", f"{there} policies of others, {wanted} of these")


def _other_subnet_statements(settings: GuardrailSettings, organizations: Any, target: str) -> set[str]:
    """Subnet statements of another solution here that reach a target; ours and theirs would intersect."""
    ours = {statement.sid for policy in settings.policies for statement in policy.statements if statement.allow_list}
    if not ours:
        return set()
    theirs = SUBNET_STATEMENTS - ours
    reaching = {
        item
        for place in {target, *_parents(organizations, target)}
        for item in attachment.policies_on(organizations, place)
    }
    texts = [organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"] for policy_id in sorted(reaching)]
    return {sid for sid in theirs for text in texts if f'"{sid}"' in text}


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
    known = {zone["ZoneName"] for zone in answer["AvailabilityZones"]}
    if unknown := [zone for zone in settings.zone_names if zone not in known]:
        says = f"no Local Zones of this Region: {', '.join(unknown)}"
        return Finding("zones", "problem", says, "Correct zones, or look in the Region that they belong to")
    return Finding("zones", "ok", f"{len(settings.zone_names)} Local Zones of this Region")
