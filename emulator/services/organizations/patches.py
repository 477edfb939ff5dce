"""Private names of ministack's Organizations."""

import json
from typing import Any

from ministack.services import organizations as service

from emulator.core.api import Json, client_error
from emulator.core.patch import private

_operations: dict[str, Any] = private(service, "_DISPATCH")


def organizations(operation: str, **parameters: Any) -> Json:
    """One call in this process. Raises the error that it answers."""
    status, _, body = _operations[operation](parameters)
    answer: Json = json.loads(body)
    if status >= 400:
        raise client_error(str(answer.get("__type", "")).rsplit("#", 1)[-1], answer.get("message", ""))
    return answer
