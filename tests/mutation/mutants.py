"""What can be taken away: each action of each statement of each role that a template writes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.policies.evaluation import as_list

Json = dict[str, Any]
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")


@dataclass(frozen=True)
class Mutant:
    """An action that a role is to do without.

    Attributes:
        role, policy: logical ids; of an inline policy of the role itself the policy's name.
        statement: where it stands in the policy.
        on: the statement without its actions, as the template has it: the same in every variant.
    """

    role: str
    policy: str
    statement: int
    action: str
    on: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What is the same in the variants of a solution."""
        return self.role, self.action, self.on


def mutants(template: Json) -> Iterator[Mutant]:
    """Every action that a role of a template is allowed."""
    for role, policy, document in policies(template):
        for number, statement in enumerate(as_list(document["Statement"])):
            if statement["Effect"] == "Allow":
                on = json.dumps({key: value for key, value in statement.items() if key != "Action"}, sort_keys=True)
                for action in as_list(statement.get("Action")):
                    yield Mutant(role, policy, number, str(action), on)


def policies(template: Json) -> Iterator[tuple[str, str, Json]]:
    """Role, policy and document, of each policy that a template writes for a role of its own."""
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield logical_id, str(policy["PolicyName"]), policy["PolicyDocument"]
        elif resource["Type"] in _POLICIES:
            roles = properties.get("Roles") or [properties.get("RoleName")]
            yield from (
                (str(one["Ref"]), logical_id, properties["PolicyDocument"])
                for one in roles
                if isinstance(one, dict) and "Ref" in one
            )


def without(document: Json, statement: int, action: str) -> Json:
    """A document in which one statement lacks an action; the statement goes if it has no other."""
    statements = [dict(one) for one in as_list(document["Statement"])]
    left = [one for one in as_list(statements[statement]["Action"]) if one != action]
    statements[statement]["Action"] = left
    return {**document, "Statement": [one for one in statements if one.get("Action") != []]}


def mutated(template: Json, mutant: Mutant) -> Json:
    """A copy of a template without the action."""
    body: Json = json.loads(json.dumps(template))
    for role, policy, document in policies(body):
        if (role, policy) == (mutant.role, mutant.policy):
            document.update(without(document, mutant.statement, mutant.action))
    return body
