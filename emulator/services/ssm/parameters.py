"""Parameters whose value is an image: Systems Manager looks at it after the call, and changes the parameter only then.

"The aws:ec2:image value is validated asynchronously, and the PutParameter call returns before the validation is
complete": https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html. "You can't change a
parameter to or from" this data type: https://docs.aws.amazon.com/systems-manager/latest/userguide/
parameter-store-data-types.html. Whether the image exists is not looked at here.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

from botocore.exceptions import ClientError

from emulator.core.api import Json, client_error
from emulator.core.store import Store, request_scope
from emulator.services.ssm.patches import data_type_of, put

IMAGE = "aws:ec2:image"
VALIDATION_SECONDS = 0.5

_looked_at: Store[list[tuple[float, Json]]] = Store(list)


def put_parameter(wanted: Json) -> Json:
    """PutParameter: at once, except for images."""
    name, there = wanted["Name"], data_type_of(wanted["Name"])
    kind = wanted.get("DataType") or there or "text"
    if there is not None and wanted.get("Overwrite") and (there == IMAGE) != (kind == IMAGE):
        message = f"The data type of the parameter {name} is {there}, and cannot be changed to {kind}."
        raise client_error("ValidationException", message)
    wanted = {**wanted, "DataType": kind}
    if kind != IMAGE or (there is not None and not wanted.get("Overwrite")):
        return put(wanted)
    _looked_at.here().append((time.monotonic() + VALIDATION_SECONDS, wanted))
    return {"Version": 1, "Tier": "Standard"}


def settle() -> None:
    """Changes the parameters whose images have been looked at."""
    for scope, waiting in _looked_at.everywhere():
        with request_scope(*scope):
            for wanted in _due(waiting):
                with suppress(ClientError):  # whoever wrote it was told that all is well
                    put(wanted)


def time_passed(seconds: float) -> None:
    """Nobody waited for these seconds."""
    for _, waiting in _looked_at.everywhere():
        waiting[:] = [(due - seconds, wanted) for due, wanted in waiting]
    settle()


def _due(waiting: list[tuple[float, Json]]) -> Iterator[Json]:
    while waiting and waiting[0][0] <= time.monotonic():
        yield waiting.pop(0)[1]
