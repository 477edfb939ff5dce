"""The embedded AWS as a child process: started, waited for, pointed at, reset and stopped."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulator.settings import DEFAULT_ACCOUNT, DEFAULT_REGION, Settings, client_environment, client_variables

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 5.0
LOG_LINES = 12


class EmulatorError(Exception):
    """The embedded AWS cannot do what was asked; the message is one for the user."""


class EmbeddedAws:
    """The embedded AWS in a process of its own, with its files (log, certificates, CDK home) below *state*.

    ``with EmbeddedAws(state) as aws:`` starts and stops it. It also ends when this process ends, however that
    happens: the child reads a pipe whose other end only this process holds. Without *port* it takes a free one. With
    *eventual* what roles make is not known everywhere at once; *pauses* of functions are so many times as long.
    """

    def __init__(
        self,
        state: Path,
        port: int | None = None,
        *,
        enforce_iam: bool = True,
        eventual: bool = False,
        pauses: float = 1,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
    ) -> None:
        self._settings = Settings(
            port=port or _free_port(),
            state=state.resolve(),
            account=account,
            region=region,
            enforce_iam=enforce_iam,
            eventual=eventual,
            pauses=pauses,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._session: Any = None
        self._clients: dict[tuple[object, ...], Any] = {}
        self._making_clients = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """``https://127.0.0.1:<port>``, the one endpoint of every service."""
        return self._settings.endpoint_url

    @property
    def region(self) -> str:
        """The default Region."""
        return self._settings.region

    @property
    def account(self) -> str:
        """The 12-digit account id, which is also the access key of its root user."""
        return self._settings.account

    @property
    def pid(self) -> int | None:
        """The process id of the server while it runs; it leads the process group of its functions."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._settings.state / "emulator.log"

    @property
    def authority(self) -> Path:
        """The certificate that clients must trust; boto3: ``client(..., verify=str(aws.authority))``."""
        return self._settings.authority

    def variables(self) -> dict[str, str]:
        """The variables that point a client at it, to print for a user or to set in a shell."""
        return client_variables(self._settings)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a client process: ``subprocess.run(command, env=aws.environment())``.

        It is *base* (default: this process's) without any AWS_* or CDK_* variable, an AWS_PROFILE say, plus
        ``variables()``. It is to be used as it is, not merged into ``os.environ``: a merge would bring the removed
        ones back.
        """
        return client_environment(self._settings, os.environ if base is None else base)

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of the account's root user (options: ``region_name``, ``config``, other credentials).

        The same one for the same call: a client of EC2 takes half a second to make.
        """
        key = (service, *sorted((name, str(value)) for name, value in options.items()))
        with self._making_clients:
            if key not in self._clients:
                self._clients[key] = self._made(service, options)
            return self._clients[key]

    def _made(self, service: str, options: Mapping[str, Any]) -> Any:
        # Starting and stopping does not need boto3.
        import boto3

        if self._session is None:
            self._session = boto3.session.Session()
        defaults = {
            "region_name": self.region,
            "endpoint_url": self.endpoint_url,
            "verify": str(self.authority),
            "aws_access_key_id": self.account,
            "aws_secret_access_key": "local",
        }
        return self._session.client(service, **{**defaults, **options})

    def start(self) -> None:
        """Starts the server and waits until it answers.

        Raises ``EmulatorError`` when the port is in use, or with the last lines of the log when the server ends at
        once.
        """
        if self._process is not None:
            return
        refuse_used_port(self._settings.port)
        self._settings.state.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "emulator", "--exit-with-stdin"]
        command += ["--port", str(self._settings.port), "--state", str(self._settings.state)]
        command += ["--account", self.account, "--region", self.region]
        command += [] if self._settings.enforce_iam else ["--no-enforce-iam"]
        command += ["--eventual"] if self._settings.eventual else []
        command += ["--pauses", str(self._settings.pauses)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def require_running(self) -> None:
        """Raises ``EmulatorError`` when the server has ended, which its clients only see as a refused connection."""
        status = self._process.poll() if self._process else None
        if status is not None:
            how = _how(status)
            raise EmulatorError(f"the embedded AWS has ended ({how}); see {self.log}")

    def reset(self) -> None:
        """Empties it: every service as freshly started."""
        self.control("reset")

    def age_metrics(self, seconds: float) -> None:
        """Moves every CloudWatch datapoint *seconds* into the past, instead of waiting that long."""
        self.control("age-metrics", seconds=seconds)

    def minute_lasts(self, seconds: float) -> None:
        """Lets a minute of metrics and scaling policies last so many seconds."""
        self.control("minute", seconds=seconds)

    def minutes_pass(self, count: int = 1) -> None:
        """Lets so many minutes of metrics, scaling policies and hooks be over at once, instead of waiting for them."""
        self.control("minutes-pass", count=count)

    def made_is_known_at_once(self, known: bool) -> None:
        """Lets every API know at once what a role has just made, or not (``emulator.core.eventual``)."""
        self.control("eventual", on=not known)

    def rolling_updates_wait(self, awaited: bool) -> None:
        """Lets updates of groups wait for the signals and hooks of new instances, which somebody plays, or not."""
        self.control("rolling-updates", awaited=awaited)

    def spot_notice(self, kind: str, instance_id: str, *, act: bool = False) -> None:
        """Announces that EC2 wants a Spot Instance back: ``interruption`` or ``rebalance``.

        Args:
            act: whether the instance's group acts on it too, as Capacity Rebalancing does.
        """
        self.control(
            "spot-notice", kind=kind, instance_id=instance_id, act=act, account=self.account, region=self.region
        )

    def control(self, name: str, /, **request: object) -> dict[str, Any]:
        """Calls one of the control endpoints. Raises ``EmulatorError`` when it refuses or does not answer."""
        try:
            return self._post(name, request)
        except urllib.error.HTTPError as error:
            raise EmulatorError(f"the embedded AWS refused {name}: {error.read().decode()}") from error
        except OSError as error:
            raise EmulatorError(f"the embedded AWS does not answer on {self.endpoint_url}; see {self.log}") from error

    def stop(self) -> None:
        """Stops the server and everything it started. Doing it twice does no harm."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        # The functions' workers are in the server's group; after a clean exit there are none left.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin:
            process.stdin.close()

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if (status := process.poll()) is not None:
                raise EmulatorError(f"the embedded AWS ended while it started ({_how(status)}); {self._last_lines()}")
            try:
                self._post("ready", {})
                return
            except (OSError, ValueError):
                time.sleep(0.05)
        raise EmulatorError(f"the embedded AWS did not answer within {START_SECONDS:.0f} s; {self._last_lines()}")

    def _post(self, name: str, request: Mapping[str, object]) -> dict[str, Any]:
        trust = ssl.create_default_context(cafile=str(self.authority))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        url = f"{self.endpoint_url}/_emulator/{name}"
        with opener.open(urllib.request.Request(url, json.dumps(request).encode()), timeout=10) as answer:  # noqa: S310
            value: dict[str, Any] = json.load(answer)
        return value

    def _last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join([f"the end of {self.log}:", *lines]) if lines else f"nothing is in {self.log}"


def _how(status: int) -> str:
    """How a process has ended."""
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refuse_used_port(port: int) -> None:
    """Raises ``EmulatorError`` when something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        used = probe.connect_ex(("127.0.0.1", port)) == 0
    if used:
        raise EmulatorError(
            f"port {port} on 127.0.0.1 is in use: stop the program that listens there, or choose another port"
        )
