"""One permission in three values: allowed (True), denied (False), or not known from the template (None).

How AWS evaluates policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

Tri = bool | None
Json = dict[str, Any]

UNKNOWN = re.compile(r"«[^»]*»")


def all_of(values: Iterable[Tri]) -> Tri:
    """Kleene's and."""
    answer: Tri = True
    for value in values:
        if value is False:
            return False
        if value is None:
            answer = None
    return answer


def any_of(values: Iterable[Tri]) -> Tri:
    """Kleene's or."""
    answer: Tri = False
    for value in values:
        if value:
            return True
        if value is None:
            answer = None
    return answer


def negate(value: Tri) -> Tri:
    return None if value is None else not value


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


@lru_cache(maxsize=100_000)
def matches(pattern: str, value: str) -> Tri:
    """Whether a pattern with ``*`` and ``?`` matches; an unknown part of either may be anything."""
    literal = pattern == value or (("*" in pattern or "?" in pattern) and _glob(pattern, value))
    if literal or ("«" not in pattern and "«" not in value):
        return bool(literal)
    return None if _overlap(UNKNOWN.sub("*", pattern), UNKNOWN.sub("*", value)) else False


def equal(one: str, other: str) -> Tri:
    if one == other:
        return True
    if "«" not in one and "«" not in other:
        return False
    wild = UNKNOWN.sub("\0", one), UNKNOWN.sub("\0", other)
    stars = [text.replace("*", "\1").replace("?", "\2").replace("\0", "*") for text in wild]
    return None if _overlap(*stars) else False


def _glob(pattern: str, value: str) -> bool:
    if "?" in pattern:
        return fnmatchcase(value, pattern.replace("[", "[[]"))
    if "*" not in pattern:
        return pattern == value
    head, *middle, tail = pattern.split("*")
    place, end = len(head), len(value) - len(tail)
    if place > end or not value.startswith(head) or not value.endswith(tail):
        return False
    for part in middle:
        found = value.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _overlap(one: str, other: str) -> bool:
    """Whether some text fits both globs.

    If both have a star, the text of their longer beginning, all that is between, and their longer end fits both.
    """
    if "*" not in one:
        return _glob(other, one)
    if "*" not in other:
        return _glob(one, other)
    begins = one.split("*")[0], other.split("*")[0]
    ends = one.split("*")[-1][::-1], other.split("*")[-1][::-1]
    return all(a == b or "?" in (a, b) for pair in (begins, ends) for a, b in zip(*pair, strict=False))


@dataclass(frozen=True)
class Call:
    """A request to AWS as its policies see it.

    Attributes:
        principal: a service, ``events.amazonaws.com``, or the ARN of a role.
        sent: the condition keys that come with the request, by their lower-case names.
        absent: keys of which is known that they do not come. Of all others nothing is known.
    """

    principal: str
    action: str
    resource: str
    sent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


def judge(statements: Iterable[Json], call: Call, account: str, *, resource_policy: bool) -> tuple[Tri, Tri]:
    """Whether the statements allow the call, and whether they deny it."""
    allowed: list[Tri] = []
    denied: list[Tri] = []
    for statement in statements:
        applies = _applies(statement, call, account, resource_policy)
        if applies is not False:
            (denied if statement.get("Effect") == "Deny" else allowed).append(applies)
    return any_of(allowed), any_of(denied)


def allows(own: Iterable[Json], resource: Iterable[Json], call: Call, account: str) -> Tri:
    """Whether a role or service may, by its own policies or the resource's, and nothing denies it."""
    by_own = judge(own, call, account, resource_policy=False)
    by_resource = judge(resource, call, account, resource_policy=True)
    return all_of((any_of((by_own[0], by_resource[0])), negate(any_of((by_own[1], by_resource[1])))))


def _applies(statement: Json, call: Call, account: str, resource_policy: bool) -> Tri:
    if not _action(statement, call.action):
        return False
    parts: list[Tri] = []
    if resource_policy:
        parts.append(_principal(statement, call.principal, account))
        if parts[-1] is False:
            return False
    if "Resource" in statement:
        parts.append(any_of(matches(str(one), call.resource) for one in as_list(statement["Resource"])))
    elif "NotResource" in statement:
        parts.append(negate(any_of(matches(str(one), call.resource) for one in as_list(statement["NotResource"]))))
    if parts and parts[-1] is False:
        return False
    parts.extend(
        _condition(operator, key, as_list(values), call)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )
    return all_of(parts)


@lru_cache(maxsize=100_000)
def _same_action(pattern: str, action: str) -> bool:
    return _glob(pattern.lower(), action.lower())


def _action(statement: Json, action: str) -> bool:
    named = statement.get("Action", statement.get("NotAction"))
    found = any(_same_action(str(one), action) for one in as_list(named))
    return found if "Action" in statement else not found


def _principal(statement: Json, principal: str, account: str) -> Tri:
    if "NotPrincipal" in statement:
        return negate(_principal({"Principal": statement["NotPrincipal"]}, principal, account))
    named = statement.get("Principal")
    if named == "*":
        return True
    if not isinstance(named, dict):
        return False
    if not principal.startswith("arn:"):
        # A service is not in an account: {"AWS": "*"} means everybody, and an account's root does not.
        return principal in as_list(named.get("Service")) or "*" in as_list(named.get("AWS"))
    whole = (account, f"{':'.join(principal.split(':')[:2])}:iam::{account}:root")
    return any_of(
        True if one == "*" or one in whole else equal(str(one), principal) for one in as_list(named.get("AWS"))
    )


_FOLD: Callable[[str], str] = str.lower
_TESTS: dict[str, Callable[[str, str], Tri]] = {
    "StringEquals": equal,
    "StringEqualsIgnoreCase": lambda wanted, value: equal(_FOLD(wanted), _FOLD(value)),
    "StringLike": matches,
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": lambda wanted, value: equal(_FOLD(wanted), _FOLD(value)),
}


def _condition(operator: str, key: str, wanted: list[Any], call: Call) -> Tri:
    quantifier, _, bare = operator.rpartition(":")
    if_exists = bare.endswith("IfExists")
    bare = bare.removesuffix("IfExists")
    name = key.lower()
    present: Tri = True if name in call.sent else False if name in call.absent else None
    if bare == "Null":
        return None if present is None else present != (str(wanted[0]).lower() == "true")
    negated = "Not" in bare
    bare = bare.replace("Not", "", 1)
    if present is None:
        return None
    if present is False:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
        return if_exists or negated or quantifier == "ForAllValues"
    test = _TESTS.get(bare)
    if test is None:
        return None
    each = [any_of(test(str(one), value) for one in wanted) for value in call.sent[name]]
    if negated:
        each = [negate(one) for one in each]
    return all_of(each) if quantifier != "ForAnyValue" else any_of(each)
