"""The server: ministack's gateway with moto behind it, our control endpoints before it, on one loopback port.

What it serves are the packages of ``emulator.services``; ``emulator.core.service`` finds and connects them.
"""

import asyncio
import signal
import sys
import threading

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from emulator.core import api, clock, controls, eventual, service
from emulator.settings import Settings

TICK_SECONDS = 0.05


def serve(settings: Settings, *, exit_with_stdin: bool) -> None:
    """Serves until SIGTERM, SIGINT or, if *exit_with_stdin*, the end of standard input."""
    service.connect()
    eventual.begin(on=settings.eventual)
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
    server = asyncio.create_task(hypercorn_serve(controls.application, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({server, stopped}, return_when=asyncio.FIRST_COMPLETED)
    api.stop_functions()
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
        clock.tick()
