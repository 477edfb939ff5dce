"""Whether KMS allows a request, for the part of the policy language that key policies use here. Pure: no AWS in here.

It evaluates deployed policies (``prove``) and rendered ones (the tests): the emulated KMS supports no documents. A
request passes if no policy denies it and one of these allows it: the key policy for the principal, the key policy for
the account together with an identity policy, or a grant. It knows only conditions on documents; a policy with others is
not ours, and guessing their values could call an open key safe.

- https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html: an absent key
  makes an operator false, and a negated one true; names of keys do not depend on case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from stacks.guardrails.judge import like

Json = Mapping[str, Any]
Decision = Literal["allowed", "denied"]
ATTESTATION = "kms:recipientattestation:"
"""Beginning of the condition keys that are evaluated, in lower case."""
SOME_KEY = "arn:PARTITION:kms:REGION:111122223333:key/11111111-2222-3333-4444-555555555555"
"""Placeholder for a key that is not deployed."""


class UnknownLanguageError(ValueError):
    """A policy has something that this cannot evaluate."""


@dataclass(frozen=True)
class Request:
    """One call on a key.

    Attributes:
        principal: ARN of the role or user.
        context: condition keys of the request by name.
        identity: the identity policies of the principal.
        granted: operations that grants allow it.
    """

    principal: str
    action: str
    context: Mapping[str, str] = field(default_factory=dict)
    identity: Sequence[Json] = ()
    granted: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer, and the statement that decides it; ``nothing`` where nothing allows."""

    decision: Decision
    because: str


def evaluate(key_policy: Json, request: Request, *, key: str = SOME_KEY) -> Verdict:
    """Evaluates a request.

    Args:
        key: ARN of the key. A statement of its policy with another resource has no effect.

    Raises:
        UnknownLanguageError: the policy has an operator, a key or an element that is not supported here.
    """
    _, partition, _, _, account, _ = request.principal.split(":", 5)
    accounts = {f"arn:{partition}:iam::{account}:root", account}
    on_key = [one for one in _statements(key_policy) if _applies(one, request, key)]
    own = [one for document in request.identity for one in _statements(document) if _applies(one, request, key)]
    for statement in on_key:
        if statement["Effect"] == "Deny" and _is_named(statement, {request.principal, *accounts, "*"}):
            return Verdict("denied", _sid(statement))
    if any(one["Effect"] == "Deny" for one in own):
        return Verdict("denied", "an identity policy")
    itself = {request.principal, "*", *(accounts if request.principal in accounts else ())}
    for statement in on_key:
        if statement["Effect"] == "Allow" and _is_named(statement, itself):
            return Verdict("allowed", _sid(statement))
    delegates = [one for one in on_key if one["Effect"] == "Allow" and _is_named(one, accounts)]
    if delegates and any(one["Effect"] == "Allow" for one in own):
        return Verdict("allowed", _sid(delegates[0]))
    if request.action.removeprefix("kms:") in request.granted:
        return Verdict("allowed", "a grant")
    return Verdict("denied", "nothing")


def allowed_principals(key_policy: Json) -> set[str]:
    """Every principal that an Allow of the policy names; deleted ones, which have no ARN, are left out.

    Raises:
        UnknownLanguageError: an Allow names anything but principals of accounts, such as a service.
    """
    found: set[str] = set()
    for statement in _statements(key_policy):
        if statement["Effect"] == "Allow":
            found |= _named(statement)
    return {one for one in found if one == "*" or one.startswith("arn:") or one.isdigit()}


def _statements(policy: Json) -> Sequence[Json]:
    statements = policy["Statement"]
    return [statements] if isinstance(statements, Mapping) else list(statements)


def _sid(statement: Json) -> str:
    return str(statement.get("Sid", "a statement without Sid"))


def _applies(statement: Json, request: Request, key: str) -> bool:
    for element in ("NotAction", "NotPrincipal", "NotResource"):
        if element in statement:
            raise UnknownLanguageError(f"{_sid(statement)} has {element}")
    if not any(like(pattern.lower(), request.action.lower()) for pattern in _many(statement["Action"])):
        return False
    if not any(like(pattern, key) for pattern in _many(statement.get("Resource", "*"))):
        return False
    return all(_holds(statement, request.context))


def _is_named(statement: Json, names: set[str]) -> bool:
    return bool(names & _named(statement))


def _named(statement: Json) -> set[str]:
    principal = statement["Principal"]
    if isinstance(principal, str):
        return {principal}
    if others := sorted(set(principal) - {"AWS"}):
        raise UnknownLanguageError(f"{_sid(statement)} names a {others[0]} principal")
    return set(_many(principal["AWS"]))


def _holds(statement: Json, context: Mapping[str, str]) -> Iterator[bool]:
    lower = {name.lower(): value for name, value in context.items()}
    for operator, tests in statement.get("Condition", {}).items():
        if operator not in _OPERATORS:
            raise UnknownLanguageError(f"{_sid(statement)} has {operator}")
        positive, compare = _OPERATORS[operator]
        for key, values in tests.items():
            if not key.lower().startswith(ATTESTATION):
                raise UnknownLanguageError(f"{_sid(statement)} has a condition on {key}")
            actual = lower.get(key.lower())
            if actual is None:
                yield not positive
            else:
                yield any(compare(value, actual) for value in _many(values)) is positive


_OPERATORS: Mapping[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (True, str.__eq__),
    "StringNotEquals": (False, str.__eq__),
    "StringEqualsIgnoreCase": (True, lambda one, other: one.casefold() == other.casefold()),
    "StringNotEqualsIgnoreCase": (False, lambda one, other: one.casefold() == other.casefold()),
}


def _many(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value
