"""What IAM was asked in a scenario, asked again of the policies without an action, by the same engine."""

from collections.abc import Iterable, Iterator
from typing import Any

from ministack.core import iam_evaluator

from tests.conformance.policies.evaluation import as_list
from tests.mutation.mutants import Mutant, without
from tryout.judged.calls import Kept, Role, role_of

Json = dict[str, Any]


def fails(kept: Kept, mutant: Mutant) -> str:
    """The first call of the scenario that is denied without the action; empty: there is none."""
    for state in kept.states:
        for role in state:
            if role.logical_id == mutant.role and (call := next(_denied(kept.calls, role, mutant), None)):
                resource = call["resource_arn"].split(":", 5)[-1]
                return "a call" if resource == "*" else f"a call on {resource}"
    return ""


def _denied(calls: Iterable[Json], role: Role, mutant: Mutant) -> Iterator[Json]:
    document = _own(role, mutant)
    if document is None:
        return
    others = [one for one in role.own.values() if one is not document]
    before = [document, *others, *role.others]
    after = [without(document, mutant.statement, mutant.action), *others, *role.others]
    for call in calls:
        asked = role_of(call) == role.name and _is_of(mutant.action, call["action"])
        if asked and not call["allowed_by_resource"] and allows(before, call) and not allows(after, call):
            yield call


def _own(role: Role, mutant: Mutant) -> Json | None:
    """The policy as it is deployed, if the statement still has the action there."""
    document = role.own.get(mutant.policy)
    statements = as_list(document["Statement"]) if document else []
    if len(statements) <= mutant.statement:
        return None
    return document if mutant.action in as_list(statements[mutant.statement].get("Action")) else None


def _is_of(pattern: str, action: str) -> bool:
    return bool(iam_evaluator.fnmatch_iam(action, pattern))


def allows(documents: Iterable[Json], call: Json) -> bool:
    """Whether policies allow a call as it was recorded."""
    told = {name: value for name, value in call.items() if name != "allowed_by_resource"}
    context = iam_evaluator.EvalContext(**told)
    result = iam_evaluator.evaluate(context, [iam_evaluator.parse_policy_document(one) for one in documents])
    return bool(result.decision == "Allow")
