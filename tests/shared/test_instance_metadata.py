"""How the worker talks to the instance metadata service, over HTTP."""

from __future__ import annotations

import socket
from urllib.error import HTTPError, URLError

import pytest

from stacks.sqs_target_scaling.user_data.worker import InstanceMetadata
from tests.shared.instance_metadata import instance_metadata


def test_every_item_is_asked_for_with_a_token_that_is_fetched_once() -> None:
    with instance_metadata() as server:
        metadata = InstanceMetadata(server.endpoint + "/")
        assert [metadata.get("instance-id"), metadata.get("spot/instance-action")] == ["i-1", None]
        assert server.asked == [
            "PUT /latest/api/token",
            "GET /latest/meta-data/instance-id",
            "GET /latest/meta-data/spot/instance-action",
        ]


def test_an_expired_token_is_renewed() -> None:
    with instance_metadata() as server:
        metadata = InstanceMetadata(server.endpoint)
        metadata.get("instance-id")
        server.tokens += 1
        assert metadata.get("instance-id") == "i-1"


def test_no_proxy_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with instance_metadata() as server:
        assert InstanceMetadata(server.endpoint).get("instance-id") == "i-1"


def test_a_broken_service_raises_what_the_watch_expects() -> None:
    with instance_metadata() as server:
        server.failing = True
        with pytest.raises(HTTPError):
            InstanceMetadata(server.endpoint).get("instance-id")


def test_a_service_that_does_not_answer_is_given_up_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        metadata = InstanceMetadata(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.05)
        with pytest.raises((URLError, TimeoutError)):
            metadata.get("instance-id")
