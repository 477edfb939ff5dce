"""What would stop a deployment of guardrails: the account, the organization, each target."""

import json
from collections.abc import Iterator
from functools import partial

from boto3 import Session

from config.models import CommonSettings
from stacks.guardrails import attachment
from stacks.guardrails.actions import DIRECTORY_BUCKETS
from stacks.guardrails.buckets import Lists
from stacks.guardrails.organization import Policies
from stacks.guardrails.settings import GuardrailSettings
from stacks.guardrails.theirs import is_about_buckets
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

FULL_ACCESS = "p-FullAWSAccess"
"""AWS's own policy, which has no tags."""
SUBNET_STATEMENTS = {"DenyNotLocalZonesSubnet", "DenyNotOutpostSubnet"}
BUCKET_STATEMENT = "DenyDirectTransferToRegion"
"""What the Sids of our statements about buckets begin with."""


def findings(slug: str, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the account, the organization, names, each target, the zones."""
    stack = "-".join(filter(None, [common.prefix, slug.replace("_", "-")]))
    there = Policies(clients, stack, frozenset(policy.name(stack) for policy in settings.policies))
    yield from account_findings(common, clients)
    yield looked_at("organization", lambda: _organization(clients))
    yield looked_at("names", lambda: _names(settings, there))
    for target in settings.targets:
        yield looked_at(f"target {target}", partial(_target, settings, there, target))
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


def _names(settings: GuardrailSettings, there: Policies) -> Finding:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html, DuplicatePolicyException"""
    named, deployed = there.named(), there.deployed
    wanted = [policy.name(there.stack) for policy in settings.policies]
    taken = [name for name in wanted if name in named and named[name] not in (deployed or ())]
    if taken and deployed is None:
        says = f"no stack {there.stack} is deployed here, and policies of its names are there: {', '.join(taken)}"
        fix = (
            "If they were made from its files, go on with files and do not deploy the stack; "
            "else detach and delete them, or set common.prefix"
        )
        return Finding("names", "problem", says, fix)
    if taken:
        says = f"policies that are not of the stack {there.stack} have the names {', '.join(taken)}"
        return Finding("names", "problem", says, "Detach and delete them, or set common.prefix")
    return Finding("names", "ok", "no other policy has a name of these")


def _target(settings: GuardrailSettings, there: Policies, target: str) -> Finding:
    what = f"target {target}"
    if target == there.management_account:
        return Finding(what, "problem", "it is the management account, which no policy limits", "Name another target")
    others = there.of_others(target)
    wanted = sum(policy.is_for(target) for policy in settings.policies)
    if len(others) + wanted > settings.scp_max_per_target:
        says = f"it has {len(others)} policies of others; with {wanted} of these, above {settings.scp_max_per_target}"
        return Finding(what, "problem", says, "Move policies to its parent, or switch statements off")
    above = set(there.above(target)) & set(settings.subnets_by_target)
    if target in settings.subnets_by_target and above:
        says = f"it is below {', '.join(sorted(above))}, and only subnets that both list would be allowed"
        return Finding(what, "problem", says, "List targets in subnets_by_target that do not contain each other")
    if found := _other_subnet_statements(settings, there, target):
        fix = "List all subnets in one solution, and switch the other's statement off"
        return _clashing(
            what, found, "reaches it or what is below it, and only subnets that both list would be allowed", fix, there
        )
    if found := _other_bucket_statements(settings, there, target):
        does, ours = ("denies, or does not allow,", "leave") if settings.bucket_zones else ("leaves", "deny")
        says = (
            f"reaches it or what is below it, and {does} an ordinary role directory buckets that these policies {ours}"
        )
        fix = "Set zone_ids of all zones in one stack, modern_actions: false elsewhere"
        if not all(sid.startswith(BUCKET_STATEMENT) for _, sid in found):
            fix = f"Let both leave {' and '.join(DIRECTORY_BUCKETS)} in the same zones, or set modern_actions: false"
        return _clashing(what, found, says, fix, there)
    if any(there.of_the_accelerator(policy_id) for policy_id in others if policy_id != FULL_ACCESS):
        says = "the Landing Zone Accelerator manages policies of it, and may take ours off in seconds"
        fix = "Use files; it counts these policies too: see ACCELERATOR_MAX_OU_ATTACHED_SCPS in the README"
        return Finding(what, "unknown", says, fix)
    return Finding(what, "ok", f"{len(others)} policies of others, {wanted} of these")


def _clashing(what: str, found: list[tuple[str, str]], says: str, fix: str, there: Policies) -> Finding:
    """The finding of statements of others, by the names of their policies, that clash with ours."""
    named = " and ".join(f"{sid} of {name}" for name, sid in found)
    says = f"{named} {says if len(found) == 1 else says.replace('reaches', 'reach', 1)}"
    if earlier := sorted({name for name, _ in found if there.is_of_an_earlier_time(name)}):
        says = f"{says}; by its name {', '.join(earlier)} is of earlier files or settings of {there.stack}"
        fix = "Detach and delete it, and take its entry out of your manifest or configuration if it was made from files"
    return Finding(what, "problem", says, fix)


def _other_subnet_statements(settings: GuardrailSettings, there: Policies, target: str) -> list[tuple[str, str]]:
    """Subnet statements that are not ours and reach a target or what is below it: the lists of two intersect.

    Returns:
        Their Sids, behind the names of their policies.
    """
    if not any(statement.sid in SUBNET_STATEMENTS for policy in settings.policies for statement in policy.statements):
        return []
    return sorted(
        (name, statement["Sid"])
        for policy_id, name in there.on_the_path(target).items()
        for statement in there.statements(policy_id)
        if statement.get("Sid") in SUBNET_STATEMENTS
    )


def _other_bucket_statements(settings: GuardrailSettings, there: Policies, target: str) -> list[tuple[str, str]]:
    """Statements that are not ours, reach a target or what is below it, and deny directory buckets that ours leave.

    Returns:
        Their Sids, behind the names of their policies.
    """
    partition = there.organizations.meta.partition
    documents = [json.loads(policy.text(partition)) for policy in settings.policies if policy.is_for(target)]
    ours = [part for document in documents for part in document["Statement"] if is_about_buckets(part)]
    if not ours:
        return []
    regions = Session().get_available_regions("ec2", partition)
    lists = Lists(ours, settings.bucket_zones, regions, partition, there.organization)
    lines = ({place: there.parts(place) for place in line} for line in there.lines(target))
    return sorted({name for reaching in lines for name in lists.clashes(reaching)})


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
