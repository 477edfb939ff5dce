"""Private names of ministack's Systems Manager: parameters."""

import json
from typing import Any

from ministack.services import ssm

from emulator.core.api import client_error
from emulator.core.patch import private

_get: Any = private(ssm, "_get_parameter", "data")
_put: Any = private(ssm, "_put_parameter", "data")


def parameter_value(name: str) -> str | None:
    """Value of a parameter, a public one too; None if there is none."""
    status, _, body = _get({"Name": name})
    return str(json.loads(body)["Parameter"]["Value"]) if status < 400 else None


def write_parameter(name: str, value: str, data_type: str) -> None:
    """Creates or overwrites a parameter."""
    wanted = {"Name": name, "Value": value, "Type": "String", "DataType": data_type, "Overwrite": True}
    status, _, body = _put(wanted)
    if status >= 400:
        raise client_error("InternalError", body.decode())
