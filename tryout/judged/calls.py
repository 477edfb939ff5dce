"""What the roles of a stack may do, and what they did in its scenario, kept for ``make mutate``."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emulator.client import EmbeddedAws

Json = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """A role as it was deployed.

    Attributes:
        own: its policies that the template writes, by their names; a managed one by its logical id.
        others: documents of policies that are not the template's.
    """

    logical_id: str
    name: str
    own: dict[str, Json]
    others: list[Json]


@dataclass(frozen=True)
class Kept:
    """A trial, as ``make mutate`` reads it.

    Attributes:
        made_of: what tells whether its sources have changed since (tryout/judged/sources.py).
        complete: whether every step of the scenario was run and passed.
        template: the stack's, as it was deployed.
        states: its roles after the deployment and after the scenario, which may have changed them.
        calls: what IAM was asked of its roles, as the embedded AWS's control ``judged`` tells it.
    """

    slug: str
    variant: str
    made_of: str
    config: str
    complete: bool
    template: Json
    states: list[list[Role]]
    calls: list[Json]

    def write(self, folder: Path) -> None:
        """Writes it to a file of the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.slug}-{self.variant}.json").write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def read(path: Path) -> Kept:
    """Reads what was kept."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return Kept(**{**found, "states": [[Role(**one) for one in state] for state in found["states"]]})


class Judged:
    """The calls of roles since it was made, and the roles of a stack."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        self._states: list[list[Role]] = []
        aws.control("judged")

    def look(self, stack: str) -> None:
        """Takes down what the roles of the stack may do now."""
        self._states.append(list(self._roles(stack)))

    @property
    def states(self) -> list[list[Role]]:
        """What was taken down, in its order."""
        return self._states

    def calls(self) -> list[Json]:
        """What the roles that were seen have called, each once."""
        names = {role.name for state in self._states for role in state}
        found: Sequence[Json] = self._aws.control("judged")["calls"]
        return [call for call in found if role_of(call) in names]

    def _roles(self, stack: str) -> Iterator[Role]:
        formation, iam = self._aws.client("cloudformation"), self._aws.client("iam")
        ids: dict[str, str] = {}
        roles: dict[str, str] = {}
        for page in formation.get_paginator("list_stack_resources").paginate(StackName=stack):
            for item in page["StackResourceSummaries"]:
                ids[item["PhysicalResourceId"]] = item["LogicalResourceId"]
                if item["ResourceType"] == "AWS::IAM::Role":
                    roles[item["LogicalResourceId"]] = item["PhysicalResourceId"]
        for logical_id, name in roles.items():
            own = {
                policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
            }
            others: list[Json] = []
            for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                arn = attached["PolicyArn"]
                document = _document(iam, arn)
                if arn in ids:
                    own[ids[arn]] = document
                else:
                    others.append(document)
            yield Role(logical_id, name, own, others)


def _document(iam: Any, arn: str) -> Json:
    """The document of a managed policy; an empty one of those of AWS that the embedded AWS does not have."""
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    except iam.exceptions.NoSuchEntityException:
        return {"Statement": []}
    found: Json = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return found


def role_of(call: Json) -> str:
    """The name of the role that has made a call: ``arn:aws:sts::<account>:assumed-role/<role>/<session>``."""
    return str(call["principal_arn"]).split("/")[1]
