"""A key can be made and changed again: who is named in its policy exists, and somebody named may change the policy.

CloudFormation makes a key by CreateKey, which refuses a policy with a principal that does not exist, and one that its
caller could not change any more.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule

PAGE = "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html"
CHANGES = {"kms:*", "kms:Put*", "kms:PutKeyPolicy", "*"}

Json = dict[str, Any]


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Principals that nothing makes, and keys that nobody could change."""
    found = []
    for name, resource in resources.items():
        if resource["Type"] != "AWS::KMS::Key" or "KeyPolicy" not in resource["Properties"]:
            continue
        allowed = [one for one in resource["Properties"]["KeyPolicy"]["Statement"] if one["Effect"] == "Allow"]
        for principal in (each for one in allowed for each in _principals(one)):
            if reason := _made_up(principal, resources):
                fix = "name a role of the stack, the account, or a setting"
                found.append(Finding(where, name, "key-principal", "fails", reason, PAGE, fix))
        if not administrators(resource):
            reason, fix = "nobody may call PutKeyPolicy", "allow it to the role that CloudFormation takes"
            found.append(Finding(where, name, "key-lockout", "fails", reason, PAGE, fix))
    return found


def administrators(key: Json) -> set[str]:
    """Whom a key's policy lets change it, whatever else holds, each as text."""
    statements = key["Properties"].get("KeyPolicy", {}).get("Statement", [])
    changing = (
        one
        for one in statements
        if one["Effect"] == "Allow" and CHANGES & set(_many(one["Action"])) and not one.get("Condition")
    )
    return {json.dumps(each, sort_keys=True) for one in changing for each in _principals(one)}


def _principals(statement: Json) -> Iterator[Any]:
    principal = statement["Principal"]
    yield from _many(principal.get("AWS", [])) if isinstance(principal, dict) else ()


def _made_up(principal: Any, resources: Mapping[str, Json]) -> str | None:
    """What is wrong with a principal: a name that is put together may be nobody's; an ARN as a whole is a setting."""
    if isinstance(principal, str):
        return None
    if made := (principal.get("Fn::GetAtt") or [None])[0]:
        kind = resources.get(made, {}).get("Type")
        return None if kind in ("AWS::IAM::Role", "AWS::IAM::User") else f"{made} is no principal"
    parts = principal.get("Fn::Join", ["", [principal]])[1]
    told = "".join(part if isinstance(part, str) else "..." for part in parts)
    return None if told.endswith(":root") else f"nothing in the stack makes {told}"


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


RULES = (
    Rule("life", "key-principal", PAGE, ("a role's name that is put together in a key's policy", "a bucket in it")),
    Rule("life", "key-lockout", PAGE, ("a key without PutKeyPolicy", "a key with PutKeyPolicy under a condition")),
)
