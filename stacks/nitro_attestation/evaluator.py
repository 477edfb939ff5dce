"""Whether KMS lets a request pass, as far as the language of key policies goes here. Pure: no AWS in here.

It judges what is deployed (``prove``) and what is rendered (the tests): the emulated KMS takes no documents. A request
of the key's own account passes if no policy denies it, and the key policy allows the principal itself, or allows the
account and an identity policy the principal, or a grant does.

- https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html: an absent key
  makes an operator false, and a negated one true; names of keys do not depend on case.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

Json = Mapping[str, Any]
Decision = Literal["allowed", "denied"]


class UnknownLanguageError(ValueError):
    """A policy has something that this does not judge."""


@dataclass(frozen=True)
class Request:
    """One call on a key.

    Attributes:
        principal: ARN of the role or user.
        context: condition keys of the request by name.
        identity: the policies of the principal.
        granted: operations of the grants for it.
    """

    principal: str
    action: str
    context: Mapping[str, str] = field(default_factory=dict)
    identity: Sequence[Json] = ()
    granted: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer, and the statement that has given it; ``nothing`` where nothing allows."""

    decision: Decision
    because: str


def evaluate(key_policy: Json, request: Request) -> Verdict:
    """Judges a request.

    Raises:
        UnknownLanguageError: the policy has an operator or an element that is not judged here.
    """
    _, partition, _, _, account, _ = request.principal.split(":", 5)
    root = f"arn:{partition}:iam::{account}:root"
    on_key = [one for one in key_policy["Statement"] if _applies(one, request)]
    own = [one for document in request.identity for one in document["Statement"] if _applies(one, request)]
    for statement in [*on_key, *own]:
        named = statement in own or _is_named(statement, {request.principal, root, "*"})
        if statement["Effect"] == "Deny" and named:
            return Verdict("denied", str(statement.get("Sid", "an identity policy")))
    for statement in on_key:
        if statement["Effect"] == "Allow" and _is_named(statement, {request.principal, "*"}):
            return Verdict("allowed", str(statement["Sid"]))
    delegates = [one for one in on_key if one["Effect"] == "Allow" and _is_named(one, {root})]
    if delegates and any(one["Effect"] == "Allow" for one in own):
        return Verdict("allowed", str(delegates[0]["Sid"]))
    if request.action.removeprefix("kms:") in request.granted:
        return Verdict("allowed", "a grant")
    return Verdict("denied", "nothing")


def _applies(statement: Json, request: Request) -> bool:
    for element in ("NotAction", "NotPrincipal", "NotResource"):
        if element in statement:
            raise UnknownLanguageError(f"{statement.get('Sid')} has {element}")
    if not any(fnmatchcase(request.action.lower(), pattern.lower()) for pattern in _many(statement["Action"])):
        return False
    return all(_holds(statement, request.context))


def _is_named(statement: Json, names: set[str]) -> bool:
    principal = statement["Principal"]
    listed = _many(principal if isinstance(principal, str) else principal.get("AWS", ()))
    return bool(names & set(listed))


def _holds(statement: Json, context: Mapping[str, str]) -> Iterator[bool]:
    lower = {name.lower(): value for name, value in context.items()}
    for operator, tests in statement.get("Condition", {}).items():
        if operator not in _OPERATORS:
            raise UnknownLanguageError(f"{statement.get('Sid')} has {operator}")
        positive, compare = _OPERATORS[operator]
        for key, values in tests.items():
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
