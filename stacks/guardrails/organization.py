"""The service control policies of an organization: where they are attached, and whose they are."""

import json
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import Any

from stacks.guardrails import attachment
from stacks.guardrails.judge import Json, many
from stacks.guardrails.theirs import Theirs
from stacks.shared.command import CommandError
from stacks.shared.preflight import Clients


class Policies:
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
        self.theirs = cache(self._theirs)
        self.parts = cache(self._parts)

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

    @cached_property
    def organization(self) -> str:
        """Its id."""
        return str(self.organizations.describe_organization()["Organization"]["Id"])

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

    def _parts(self, place: str) -> tuple[Theirs, ...]:
        """The statements of a place's policies of others."""
        return tuple(part for policy_id, name in self.of_others(place).items() for part in self.theirs(policy_id, name))

    def _theirs(self, policy_id: str, name: str) -> tuple[Theirs, ...]:
        return tuple(Theirs(name, statement) for statement in self.statements(policy_id))

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
