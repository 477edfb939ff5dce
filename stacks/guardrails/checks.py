"""What would stop a deployment of guardrails: the account, the organization, each target."""

import json
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, partial
from typing import Any

from config.models import CommonSettings
from stacks.guardrails import attachment
from stacks.guardrails.buckets import ANY_ACCOUNT, Caller, clash, is_about_buckets
from stacks.guardrails.judge import NO_SID, Json, many
from stacks.guardrails.settings import GuardrailSettings
from stacks.shared.command import CommandError
from stacks.shared.preflight import Clients, Finding, account_findings, looked_at

FULL_ACCESS = "p-FullAWSAccess"
"""AWS's own policy, which has no tags."""
SUBNET_STATEMENTS = {"DenyNotLocalZonesSubnet", "DenyNotOutpostSubnet"}


def findings(slug: str, common: CommonSettings, settings: GuardrailSettings, clients: Clients) -> Iterator[Finding]:
    """What would stop a deployment: the account, the organization, names, each target, the zones."""
    stack = "-".join(filter(None, [common.prefix, slug.replace("_", "-")]))
    there = _Policies(clients, stack, frozenset(policy.name(stack) for policy in settings.policies))
    yield from account_findings(common, clients)
    yield looked_at("organization", lambda: _organization(clients))
    yield looked_at("names", lambda: _names(settings, there))
    for target in settings.targets:
        yield looked_at(f"target {target}", partial(_target, settings, there, target))
    if settings.zone_names:
        yield looked_at("zones", lambda: _zones(settings, clients))
    for identifier, says in settings.warnings():
        yield Finding(f"note: {identifier}", "ok", says)


class _Policies:
    """The policies of the organization, read once.

    Ours are those that the stack has, whatever the names of others begin with. Where it is not deployed here, those of
    its names are ours: they were made from its files, and the next files take their place.
    """

    def __init__(self, clients: Clients, stack: str, names: frozenset[str]) -> None:
        self.stack = stack
        self.names = names
        self._clients = clients
        self.above = cache(self._above)
        self.below = cache(self._below)
        self.of_others = cache(self._of_others)
        self.statements = cache(self._statements)

    @cached_property
    def organizations(self) -> Any:
        """The client."""
        return self._clients("organizations")

    @cached_property
    def deployed(self) -> frozenset[str] | None:
        """Ids of the policies of the deployed stack; None: it is not deployed here.

        One without any was never deployed: its change set was not executed, or its creation was rolled back.
        """
        try:
            return frozenset(attachment.deployed(self._clients("cloudformation"), self.stack).values()) or None
        except CommandError:
            return None

    @cached_property
    def management_account(self) -> str:
        """Its id."""
        return str(self.organizations.describe_organization()["Organization"]["MasterAccountId"])

    def named(self) -> dict[str, str]:
        """Ids of all policies of the organization by their names."""
        pages = self.organizations.get_paginator("list_policies").paginate(Filter=attachment.KIND)
        return {item["Name"]: item["Id"] for page in pages for item in page["Policies"]}

    def is_of_an_earlier_time(self, name: str) -> bool:
        """Whether a policy that is not ours has a name as this stack gives them: of files or settings of before."""
        return name.startswith(f"{self.stack}-")

    def lines(self, target: str) -> Iterator[tuple[str, ...]]:
        """From the root through a target to each account that policies limit, and each unit without any."""
        begun = (*reversed(self.above(target)), target)
        yield from ((*begun, *line) for line in self.below(target))

    def reaching(self, line: Iterable[str]) -> dict[str, str]:
        """Names of the policies of others of the places of a line, by their ids."""
        return {policy_id: name for place in line for policy_id, name in self.of_others(place).items()}

    def on_the_path(self, target: str) -> dict[str, str]:
        """Names of the policies of others that reach a target or what is below it, by their ids."""
        return self.reaching(dict.fromkeys(place for line in self.lines(target) for place in line))

    def _of_others(self, target: str) -> dict[str, str]:
        """Names of the policies of a target that are not ours, by their ids."""
        found = attachment.policies_on(self.organizations, target)
        if self.deployed is None:
            return {policy_id: name for policy_id, name in found.items() if name not in self.names}
        return {policy_id: name for policy_id, name in found.items() if policy_id not in self.deployed}

    def _statements(self, policy_id: str) -> list[Json]:
        """The statements of a policy."""
        found = json.loads(self.organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"])
        return many(found.get("Statement", []))

    def _above(self, target: str) -> tuple[str, ...]:
        """What a target is in, up to the root."""
        if target.startswith("r-"):
            return ()
        (parent,) = self.organizations.list_parents(ChildId=target)["Parents"]
        return (parent["Id"], *self.above(parent["Id"]))

    def _below(self, target: str) -> tuple[tuple[str, ...], ...]:
        """The ways down from a target to each account, or unit that has nothing, without the target itself."""
        if not target.startswith(("r-", "ou-")):
            return ((),)
        pages = (
            page
            for kind in ("ORGANIZATIONAL_UNIT", "ACCOUNT")
            for page in self.organizations.get_paginator("list_children").paginate(ParentId=target, ChildType=kind)
        )
        children = [child["Id"] for page in pages for child in page["Children"]]
        children = [child for child in children if child != self.management_account]
        return tuple((child, *line) for child in children for line in self.below(child)) or ((),)

    def of_the_accelerator(self, policy_id: str) -> bool:
        """Whether the Landing Zone Accelerator manages a policy, which it says in a tag: its prefix, and Managed.

        https://github.com/awslabs/landing-zone-accelerator-on-aws, constructs/lib/aws-organizations/policy.ts
        """
        pages = self.organizations.get_paginator("list_tags_for_resource").paginate(ResourceId=policy_id)
        tags = (tag for page in pages for tag in page["Tags"])
        return any(tag["Key"].endswith("Managed") and tag["Value"] == "Yes" for tag in tags)


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


def _names(settings: GuardrailSettings, there: _Policies) -> Finding:
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


def _target(settings: GuardrailSettings, there: _Policies, target: str) -> Finding:
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
        return _intersecting(what, found, "subnets that both list", fix, there)
    if found := _other_bucket_statements(settings, there, target):
        fix = "Set zone_ids of all zones in one stack, modern_actions: false elsewhere"
        return _intersecting(what, found, "directory buckets that both leave", fix, there)
    if any(there.of_the_accelerator(policy_id) for policy_id in others if policy_id != FULL_ACCESS):
        says = "the Landing Zone Accelerator manages policies of it, and may take ours off in seconds"
        fix = "Use files; it counts these policies too: see ACCELERATOR_MAX_OU_ATTACHED_SCPS in the README"
        return Finding(what, "unknown", says, fix)
    return Finding(what, "ok", f"{len(others)} policies of others, {wanted} of these")


def _intersecting(what: str, found: list[tuple[str, str]], only: str, fix: str, there: _Policies) -> Finding:
    """The finding of statements, by the names of their policies, whose lists and ours intersect."""
    named = " and ".join(f"{sid} of {name}" for name, sid in found)
    says = f"{named} reaches it or what is below it, and only {only} would be allowed"
    if earlier := sorted({name for name, _ in found if there.is_of_an_earlier_time(name)}):
        says = f"{says}; by its name {', '.join(earlier)} is of earlier files or settings of {there.stack}"
        fix = "Detach and delete it, and take its entry out of your manifest or configuration if it was made from files"
    return Finding(what, "problem", says, fix)


def _other_subnet_statements(settings: GuardrailSettings, there: _Policies, target: str) -> list[tuple[str, str]]:
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


def _other_bucket_statements(settings: GuardrailSettings, there: _Policies, target: str) -> list[tuple[str, str]]:
    """Statements that are not ours, reach a target or what is below it, and deny directory buckets that ours leave.

    Returns:
        Their Sids, behind the names of their policies.
    """
    partition, region = there.organizations.meta.partition, there.organizations.meta.region_name
    documents = [json.loads(policy.text(partition)) for policy in settings.policies if policy.is_for(target)]
    ours = [part for document in documents for part in document["Statement"] if is_about_buckets(part)]
    if not ours:
        return []
    # The name of a Local Zone begins with that of its Region: us-west-2-lax-1a.
    regions = [name.rsplit("-", 2)[0] for name in settings.zone_names]
    zones = dict(zip(settings.bucket_zones, regions, strict=bool(settings.bucket_zones)))
    found = set()
    for line in there.lines(target):
        caller = Caller(line[-1] if line[-1].isdigit() else ANY_ACCOUNT, partition, region, zones)
        for policy_id, name in there.reaching(line).items():
            theirs = [part for part in there.statements(policy_id) if is_about_buckets(part)]
            found |= {(name, part.get("Sid", NO_SID)) for part in theirs if clash(ours, part, caller)}
    return sorted(found)


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
