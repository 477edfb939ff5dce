"""The server: ministack's gateway with moto behind it, our control endpoints before it, on one loopback port."""

import asyncio
import json
import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from emulator import (
    actions,
    alarms,
    authorization,
    capacity_reservations,
    events,
    executions,
    image_builder,
    instance_connect,
    instances,
    local_gateways,
    local_zones,
    minutes,
    outposts,
    pipelines,
    root_volumes,
    scaling,
    seams,
    spot,
    tagevents,
    warmpool,
    zone_rebalancing,
)
from emulator.settings import Settings
from emulator.types import associations, table

log = logging.getLogger(__name__)

# Signing names that moto serves better, or that ministack does not know.
MOTO_SERVICES = ("autoscaling", "ec2", "elasticloadbalancing")

TICK_SECONDS = 0.2

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def serve(settings: Settings, *, exit_with_stdin: bool) -> None:
    """Serves until SIGTERM, SIGINT or, if *exit_with_stdin*, the end of standard input."""
    _connect_parts()
    config = Config()
    config.bind = [f"127.0.0.1:{settings.port}"]
    config.certfile = str(settings.certificates / "server.pem")
    config.keyfile = str(settings.certificates / "server.key")
    config.keep_alive_timeout = 75
    # Not asyncio.run: it would wait for the threads that wait for a Lambda function.
    asyncio.new_event_loop().run_until_complete(_run(config, exit_with_stdin))


async def _run(config: Config, exit_with_stdin: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if exit_with_stdin:
        threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    clock = asyncio.create_task(_tick())
    server = asyncio.create_task(hypercorn_serve(_application, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({server, stopped}, return_when=asyncio.FIRST_COMPLETED)
    seams.stop_functions()
    clock.cancel()
    # Clients keep their connections open; nothing is lost by not waiting for them.
    await asyncio.wait({server}, timeout=0.2)
    if server.done():
        server.result()


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """The other end of the pipe closes when the parent ends, however it ends."""
    sys.stdin.buffer.read()
    loop.call_soon_threadsafe(stop.set)


async def _tick() -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        for part in (scaling, minutes):
            try:
                part.settle_everywhere()
            except Exception:
                # The clock goes on; the log says what went wrong.
                log.exception("what time brings about failed in %s", part.__name__)


def _connect_parts() -> None:
    seams.start_moto()
    for name in MOTO_SERVICES:
        seams.route(name, seams.moto_handler)
    seams.route("ssm", _ssm)
    seams.publish_images()
    seams.tell_metrics_apart()
    seams.tell_alarms_apart()
    for part in (
        authorization,
        actions,
        scaling,
        capacity_reservations,
        instance_connect,
        local_gateways,
        local_zones,
        zone_rebalancing,
        warmpool,
        table,
        events,
        tagevents,
        alarms,
        spot,
        root_volumes,
        executions,
        outposts,
        pipelines,
        instances,
        image_builder,
    ):
        part.install()


_ministack_ssm = seams.ministack_handler("ssm")


async def _ssm(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> seams.Answer:
    """Parameters and tags are ministack's, as is CloudFormation; commands and documents moto's, as is EC2."""
    target = headers.get("x-amz-target", "")
    handler = _ministack_ssm if "Parameter" in target or "Tags" in target else seams.moto_handler
    return await handler(method, path, headers, body, query)


# --- control endpoints ------------------------------------------------------------------------------------------------


def age_metrics(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/age-metrics {"seconds": n}``: moves every datapoint n seconds into the past (our model).

    Time passes for whoever reads metrics, so that nothing needs to sleep.
    """
    return {"aged": minutes.age_metrics(float(request["seconds"]))}


def minute(request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/minute {"seconds": n}``: lets a minute of metrics and policies last n seconds (our model)."""
    minutes.clock.set(float(request["seconds"]))
    return {"seconds": minutes.clock.seconds}


def reset(_request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/reset``: both halves as freshly started; the default VPC comes with the first call to EC2."""
    scaling.reset()
    capacity_reservations.reset()
    local_zones.reset()
    minutes.reset()
    outposts.reset()
    pipelines.reset()
    spot.reset()
    associations.reset()
    seams.reset_ministack()
    seams.reset_moto()
    return {}


def ready(_request: dict[str, Any]) -> dict[str, Any]:
    """``POST /_emulator/ready``: answers once everything is connected."""
    return {"ready": True}


CONTROL = {
    f"/_emulator/{name}": answer
    for name, answer in {
        "age-launches": instances.age_launches,
        "age-metrics": age_metrics,
        "associations": associations.listed,
        "minute": minute,
        "age-snapshots": root_volumes.age_snapshots,
        "metrics": outposts.record_metrics,
        "outposts": outposts.put_outposts,
        "pipeline-run": pipelines.end_run,
        "put-event": instance_connect.put_aws_event,
        "reset": reset,
        "ready": ready,
        "spot-notice": spot.notice,
        "spot-questions": spot.limit_questions,
        "root-volume-task": root_volumes.next_task_ends,
        "image-pipelines": image_builder.scheduled,
        "image-build-fails": image_builder.next_build_fails,
        "managed-component": image_builder.managed_component,
        "hold-root-volume-tasks": root_volumes.hold_tasks,
    }.items()
}


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    control = CONTROL.get(scope.get("path", "")) if scope["type"] == "http" else None
    if control is None:
        await seams.gateway(scope, receive, send)
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        answer = seams.json_answer(200, control(json.loads(body or b"{}")))
    except (KeyError, TypeError, ValueError) as error:
        answer = seams.json_answer(400, {"message": f"{type(error).__name__}: {error}"})
    status, headers, content = answer
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
