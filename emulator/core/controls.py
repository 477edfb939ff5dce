"""The control endpoints, ``POST /_emulator/<name>``: what no API of AWS does, for tests, scenarios and ``KEEP=1``."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from emulator.core import api, eventual, store
from emulator.core.api import Json
from emulator.core.clock import age_metrics, clock, pass_minutes
from emulator.core.deliveries import show
from emulator.core.service import Control, services

PREFIX = "/_emulator/"
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def _age_metrics(request: Json) -> Json:
    """``age-metrics {"seconds": n}``: moves every datapoint n seconds into the past (our model).

    Time passes for whoever reads metrics, so that nothing needs to sleep.
    """
    return {"aged": age_metrics(float(request["seconds"]))}


def _minute(request: Json) -> Json:
    """``minute {"seconds": n}``: lets a minute of metrics and policies last n seconds (our model)."""
    clock.set(float(request["seconds"]))
    return {"seconds": clock.seconds}


def _minutes_pass(request: Json) -> Json:
    """``minutes-pass {"count": n}``: lets n minutes of metrics, policies and hooks be over at once (our model)."""
    pass_minutes(int(request["count"]))
    return {"count": request["count"]}


def _reset(_request: Json) -> Json:
    """``reset``: every store, and both halves, as freshly started."""
    store.reset()
    api.reset_services()
    return {}


def _ready(_request: Json) -> Json:
    """``ready``: answers once everything is connected."""
    return {"ready": True}


@cache
def controls() -> dict[str, Control]:
    """Every control endpoint by its name.

    Raises:
        ValueError: two services have one of the same name.
    """
    found: dict[str, Control] = {
        "age-metrics": _age_metrics,
        "minute": _minute,
        "minutes-pass": _minutes_pass,
        "denials": show,
        "eventual": eventual.switch,
        "reset": _reset,
        "ready": _ready,
    }
    for service in services():
        if both := found.keys() & service.controls.keys():
            raise ValueError(f"{service.name} has a control that is there already: {', '.join(both)}")
        found |= service.controls
    return found


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application: control endpoints are answered here, everything else by ministack's gateway."""
    path = scope.get("path", "") if scope["type"] == "http" else ""
    control = controls().get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None
    if control is None:
        await api.gateway(scope, receive, send)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        status, headers, content = api.json_answer(200, control(json.loads(body or b"{}")))
    except (ClientError, KeyError, TypeError, ValueError) as error:
        status, headers, content = api.json_answer(400, {"message": f"{type(error).__name__}: {error}"})
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
