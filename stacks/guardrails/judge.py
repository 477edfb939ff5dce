"""Whether a request passes service control policies, as far as these policies' language goes. No AWS in here.

A judge for people at work (`dry-run`, the tables of the READMEs); the tests hold it against AWS's own examples and
against the IAM engine of ministack. What is not known of a request makes the answer "may be denied", never a guess.

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: a Deny wins. A call is
  judged on every resource that it touches, and denied with one of them.
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html: not limited are the
  management account and service-linked roles.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["passes", "denied", "may be denied"]
Json = Mapping[str, Any]
Keys = Mapping[str, "Value"]


@dataclass(frozen=True)
class OneOf:
    """The value of a key is one of these, and nothing says which; None stands for a key that is absent."""

    values: tuple[str | None, ...] = ()


UNKNOWN = OneOf()
"""Nothing is known of the value of a key."""

ANY_RESOURCE = "?"
"""Stands for a resource that nothing names."""

NO_SID = "a statement"
"""What a statement without a Sid is called."""

Value = str | tuple[str, ...] | OneOf | None


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes:
        principal: ARN of the user or role, as aws:PrincipalArn has it; None: unknown.
        resources: the condition keys of each resource that the call is judged on, by the resource's ARN. A key that is
            not there is absent from the request; ``name/*`` stands for all keys ``name/...``, and ``*`` for all others.
    """

    action: str
    principal: str | None
    resources: Mapping[str, Mapping[str, Value]] = field(default_factory=lambda: {"*": {}})


@dataclass(frozen=True)
class Verdict:
    """The answer.

    Attributes:
        sids: of the statements that deny or may deny.
        missing: keys whose values would settle it.
    """

    decision: Decision
    sids: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def judge(documents: Iterable[Json], request: Request, *, management_account: str | None = None) -> Verdict:
    """Judges a request by the Deny statements of policies; whatever they do not deny, FullAWSAccess lets pass."""
    if beyond_reach(request.principal, management_account):
        return Verdict("passes")
    denied: list[str] = []
    maybe: list[str] = []
    missing: set[str] = set()
    for statement in (statement for document in documents for statement in document["Statement"]):
        answers = [_matches(statement, request, arn, keys, missing) for arn, keys in request.resources.items()]
        if any(answer is True for answer in answers):
            denied.append(statement.get("Sid") or NO_SID)
        elif None in answers:
            maybe.append(statement.get("Sid") or NO_SID)
    if denied:
        return Verdict("denied", tuple(dict.fromkeys(denied)))
    if maybe:
        return Verdict("may be denied", tuple(dict.fromkeys(maybe)), tuple(sorted(missing)))
    return Verdict("passes")


def beyond_reach(principal: str | None, management_account: str | None = None) -> bool:
    """Whether no service control policy limits a principal."""
    if principal is None:
        return False
    return ":role/aws-service-role/" in principal or (
        management_account is not None and principal.split(":")[4] == management_account
    )


def _matches(statement: Json, request: Request, arn: str, keys: Keys, missing: set[str]) -> bool | None:
    """Whether a Deny applies to one resource of a request; None: that depends on what is not known."""
    # "The prefix and the action name are case insensitive":
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    actions = many(statement.get("Action", statement.get("NotAction", ())))
    if any(like(pattern.lower(), request.action.lower()) for pattern in actions) is not ("Action" in statement):
        return False
    everything = {**keys, "aws:PrincipalArn": UNKNOWN if request.principal is None else request.principal}
    unsure: set[str] = set()
    named = _is_named(many(statement.get("Resource", statement.get("NotResource", ()))), arn, everything)
    if named is None:
        unsure.add("the resource")
    elif named is not ("Resource" in statement):
        return False
    answers = []
    for operator, tests in statement.get("Condition", {}).items():
        for key, wanted in tests.items():
            patterns = [filled(_text(pattern), everything) for pattern in many(wanted)]
            known = [pattern for pattern in patterns if pattern is not None]
            answer = _holds(operator, _value(everything, key), known) if len(known) == len(patterns) else None
            answers.append(answer)
            if answer is None:
                unsure.add(key)
    if False in answers:
        return False
    if unsure:
        missing |= unsure
        return None
    return True


def _is_named(patterns: Sequence[str], arn: str, keys: Keys) -> bool | None:
    """Whether patterns name a resource; None: that depends on what is not known."""
    if "*" in patterns:
        return True
    # "When you specify an incomplete ARN (one with fewer than the standard six fields), AWS automatically completes the
    # ARN by adding wildcard characters (*) to all missing fields":
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    whole = [filled(pattern + ":*" * (5 - pattern.count(":")), keys) for pattern in patterns]
    if arn != ANY_RESOURCE and any(pattern is not None and like(pattern, arn) for pattern in whole):
        return True
    return None if arn == ANY_RESOURCE or None in whole else False


def _text(value: Any) -> str:
    """The value of a condition: "quotation marks are optional for numeric and Boolean values".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(keys: Keys, key: str) -> Value:
    """The value of a key, whose name "is not case-sensitive".

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    if key in keys:
        return keys[key]
    lower = {name.lower(): value for name, value in keys.items()}
    names = (key.lower(), f"{key.lower().split('/')[0]}/*", "*")
    return next((lower[name] for name in names if name in lower), None)


def filled(pattern: str, keys: Keys) -> str | None:
    """A pattern with the values of its variables; None: one is not known.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    if "${" not in pattern:
        return pattern
    values = {name: _value(keys, name) for name in _VARIABLE.findall(pattern)}
    if not all(isinstance(value, str) for value in values.values()):
        return None
    return _VARIABLE.sub(lambda found: str(values[found[1]]), pattern)


def _holds(operator: str, value: Value, wanted: Sequence[str]) -> bool | None:
    """Whether a condition holds; None: that depends on the value, or the operator is none of those known here."""
    if isinstance(value, OneOf):
        answers = {_holds(operator, one, wanted) for one in value.values}
        return answers.pop() if len(answers) == 1 else None
    if operator == "Null":
        return (value is None) == ("true" in (text.lower() for text in wanted))
    quantifier, _, named = operator.rpartition(":")
    test = named.removesuffix("IfExists")
    if test not in _TESTS:
        return None
    if value is None and test != named:
        return True
    positive, compare = _TESTS[test]
    values = () if value is None else value if isinstance(value, tuple) else (value,)

    def one(actual: str) -> bool:
        found = any(compare(pattern, actual) for pattern in wanted)
        return found if positive else not found

    if quantifier == "ForAllValues":
        return all(one(actual) for actual in values)
    if quantifier == "ForAnyValue":
        return any(one(actual) for actual in values)
    return one(values[0]) if values else not positive


@functools.cache
def _pattern(wildcards: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in wildcards), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether a text is of a pattern with the wildcards of IAM, ``*`` and ``?``; nothing else is special."""
    return _pattern(pattern).fullmatch(text) is not None


def arn_like(pattern: str, arn: str) -> bool:
    """Each of the six parts of an ARN on its own, with * and ?."""
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(parts) and all(like(*pair) for pair in zip(wanted, parts, strict=True))


def _same_letters(wanted: str, actual: str) -> bool:
    return wanted.casefold() == actual.casefold()


_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_TESTS: Mapping[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (True, str.__eq__),
    "StringEqualsIgnoreCase": (True, _same_letters),
    "StringNotEqualsIgnoreCase": (False, _same_letters),
    "Bool": (True, _same_letters),
    "StringNotEquals": (False, str.__eq__),
    "StringLike": (True, like),
    "StringNotLike": (False, like),
    "ArnEquals": (True, arn_like),
    "ArnLike": (True, arn_like),
    "ArnNotEquals": (False, arn_like),
    "ArnNotLike": (False, arn_like),
}


def many(value: Any) -> list[Any]:
    """A list, which a policy may write without one where it has a single part."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
