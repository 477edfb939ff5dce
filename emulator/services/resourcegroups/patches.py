"""Private names of ministack's Resource Groups."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import resource_groups as groups

from emulator.core.api import Json, client_error
from emulator.core.patch import private

_CALLS = {
    name: private(groups, f"_{name}", takes)
    for name, takes in {
        "create_group": "data",
        "delete_group": "data",
        "get_group": "data",
        "group_resources": "data",
        "ungroup_resources": "data",
    }.items()
}
_name_of: Any = private(groups, "_resolve_arn_group", "arn")
_members: Mapping[str, list[str]] = private(groups, "_group_members")


def resource_groups(operation: str, **parameters: Any) -> Json:
    """Calls an API in this process: ``create_group``, ``group_resources``, ... Raises the error that it answers."""
    status, headers, body = _CALLS[operation](parameters)
    answer: Json = json.loads(body)
    if status >= 400:
        raise client_error(headers["x-amzn-errortype"], answer["Message"])
    return answer


def group_members(arn: str) -> list[str]:
    """ARNs of the members of a resource group; none if there is no such group."""
    name = _name_of(arn)
    return list(_members.get(name) or []) if name else []
