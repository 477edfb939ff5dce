"""The two templates that every solution has, and an AWS on loopback for user data that runs on this machine."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from urllib.error import URLError

import pytest
from moto import mock_aws

from shared.aws import client
from tests.template import Template, synthesized

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
PATIENCE = 60.0


@pytest.fixture(scope="module")
def default(request: pytest.FixtureRequest) -> Template:
    """The template under the settings of config.yaml, of the solution in whose folder the test is."""
    return synthesized(request.path.parent.name)


@pytest.fixture(scope="module")
def enterprise(request: pytest.FixtureRequest) -> Template:
    """The template under what a platform team prescribes."""
    return synthesized(request.path.parent.name, "enterprise")


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """moto for the real clients."""
    with pytest.MonkeyPatch.context() as monkeypatch, mock_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield


@pytest.fixture(scope="module")
def kept_clients() -> Iterator[None]:
    """The clients of functions for as long as the module's tests run: one of EC2 takes longer to make than they do.

    moto stands between them and the network, whichever of its worlds they were made in.
    """
    client.cache_clear()
    yield
    client.cache_clear()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """In a process of its own: tests that mock AWS in this one empty all that moto has here."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address)
            yield address
        finally:
            server.terminate()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"{address}/moto-api/data.json", timeout=5).close()  # noqa: S310 - loopback
            return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
