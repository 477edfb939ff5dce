"""How the worker talks to the instance metadata service, over HTTP."""

from __future__ import annotations

import socket
from urllib.error import HTTPError, URLError

import pytest

from stacks.sqs_target_scaling.user_data.worker import InstanceMetadata
from tests.shared.instance_metadata import GivenMetadata


def test_every_item_is_asked_for_with_a_token_that_is_fetched_once() -> None:
    with GivenMetadata() as server:
        metadata = InstanceMetadata(server.url + "/")
        assert [metadata.get("instance-id"), metadata.get("spot/instance-action")] == ["i-1", None]
        assert server.asked == ["instance-id", "spot/instance-action"]
        assert server.tokens == 1


def test_an_expired_token_is_renewed() -> None:
    with GivenMetadata() as server:
        metadata = InstanceMetadata(server.url)
        metadata.get("instance-id")
        server.expire()
        assert metadata.get("instance-id") == "i-1"


def test_no_proxy_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with GivenMetadata() as server:
        assert InstanceMetadata(server.url).get("instance-id") == "i-1"


def test_a_broken_service_raises_what_the_watch_expects() -> None:
    with GivenMetadata() as server:
        server.failing = True
        with pytest.raises(HTTPError):
            InstanceMetadata(server.url).get("instance-id")


def test_a_service_that_does_not_answer_is_given_up_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        metadata = InstanceMetadata(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.05)
        with pytest.raises((URLError, TimeoutError)):
            metadata.get("instance-id")
