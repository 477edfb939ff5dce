"""AWS::KMS::Key: a policy that KMS would refuse is refused; ministack keeps any text.

"If you include a principal that doesn't exist, [...] AWS KMS returns MalformedPolicyDocumentException", and "the key
policy must allow the calling principal to make a subsequent PutKeyPolicy request" unless the safety check is bypassed:
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html. Who calls is not known here, so that one
principal which may is enough.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from ministack.services import iam

from emulator.core.patch import private
from emulator.core.resource import Properties

_roles: Any = private(iam, "_roles", None)
_users: Any = private(iam, "_users", None)
PUT_POLICY = {"kms:putkeypolicy", "kms:put*", "kms:*", "*"}


def with_a_policy_that_kms_takes(known: dict[str, Any]) -> dict[str, Any]:
    """ministack's handler, behind the two checks."""

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        _check(properties)
        return known["create"](logical_id, properties, stack)

    def update(physical_id: str, old: Properties, new: Properties, *more: Any) -> Any:
        _check(new)
        return known["update"](physical_id, old, new, *more)

    return {**known, "create": create, "update": update}


def _check(properties: Properties) -> None:
    policy = properties.get("KeyPolicy")
    if policy is None:
        return
    statements = (json.loads(policy) if isinstance(policy, str) else policy)["Statement"]
    if unknown := [name for one in statements for name in _principals(one) if not _exists(name)]:
        raise ValueError(
            "MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals: "
            f"{', '.join(unknown)}"
        )
    if not (properties.get("BypassPolicyLockoutSafetyCheck") or any(map(_may_change_it, statements))):
        raise ValueError(
            "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the "
            "future."
        )


def _may_change_it(statement: dict[str, Any]) -> bool:
    return statement["Effect"] == "Allow" and bool(PUT_POLICY & {one.lower() for one in _many(statement["Action"])})


def _principals(statement: dict[str, Any]) -> Iterator[str]:
    principal = statement["Principal"]
    yield from _many(principal if isinstance(principal, str) else principal.get("AWS", ()))


def _exists(name: str) -> bool:
    """Of an ARN of a role or user of the account whether there is one; others are not judged."""
    found = re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/(.*)", name)
    if not found:
        return True
    there = {"role": _roles, "user": _users}[found[1]]
    return any(one["Arn"] == name for one in there.values())


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
