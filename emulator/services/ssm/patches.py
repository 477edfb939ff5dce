"""Private names of ministack's Systems Manager: parameters."""

import json
from typing import Any

from ministack.services import ssm

from emulator.core.api import Json, client_error
from emulator.core.patch import private

_get: Any = private(ssm, "_get_parameter", "data")
_put: Any = private(ssm, "_put_parameter", "data")


def parameter_value(name: str) -> str | None:
    """Value of a parameter, a public one too; None if there is none."""
    found = _parameter(name)
    return None if found is None else str(found["Value"])


def data_type_of(name: str) -> str | None:
    """Data type of a parameter; None if there is none."""
    found = _parameter(name)
    return None if found is None else str(found.get("DataType") or "text")


def put(wanted: Json) -> Json:
    """Creates or overwrites a parameter, as ministack's PutParameter does."""
    status, _, body = _put(wanted)
    answer: Json = json.loads(body)
    if status >= 400:
        raise client_error(answer["__type"].rpartition("#")[2], answer.get("message", ""))
    return answer


def _parameter(name: str) -> Json | None:
    status, _, body = _get({"Name": name})
    found: Json | None = json.loads(body)["Parameter"] if status < 400 else None
    return found
