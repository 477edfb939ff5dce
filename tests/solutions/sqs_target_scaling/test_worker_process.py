"""The delivered worker as a process, started as its unit would start it, against AWS and metadata on loopback."""

from __future__ import annotations

import json
import queue
import runpy
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import IO, Any

import pytest

from tests.shared.instance_metadata import GivenMetadata
from tests.solutions.sqs_target_scaling.conftest import USER_DATA, Delivery
from tests.solutions.sqs_target_scaling.fakes import body
from tryout.hosts.user_data import Boot, Service

PATIENCE = 10.0


class Process:
    """One running worker and the lines it writes."""

    def __init__(self, service: Service, environment: dict[str, str]) -> None:
        # Started elsewhere than in the repository, so that only PYTHONPATH and the interpreter provide modules.
        self.process = subprocess.Popen(
            service.command, env=environment | service.environment, stdout=subprocess.PIPE, text=True, cwd="/"
        )
        self.lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.seen: list[str] = []
        Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def until(self, event: str, **facts: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            assert line is not None, f"the worker ended without {event}: {self.seen}"
            self.seen.append(line["event"])
            if line["event"] == event and facts.items() <= line.items():
                return line

    def ended(self) -> int:
        return self.process.wait(PATIENCE)


@pytest.fixture
def metadata() -> Iterator[GivenMetadata]:
    with GivenMetadata() as server:
        yield server


@pytest.fixture
def start(booted: tuple[Delivery, Boot], metadata: GivenMetadata, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    delivery, boot = booted
    service = boot.service("sqs-worker")
    # No keys: the worker takes its credentials from the metadata, as on an instance.
    places = {"HOME": str(tmp_path), "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
    quick = {"WATCH_SECONDS": "0.05", "POLL_SECONDS": "1"}
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(service, delivery.environment(places | quick)))
        return started[-1]

    yield begin
    for process in started:
        process.process.kill()
        process.process.wait(PATIENCE)


def test_it_empties_the_queue_and_exits_0_on_sigterm(
    booted: tuple[Delivery, Boot], start: Callable[[], Process]
) -> None:
    delivery, _ = booted
    for number, seconds in enumerate((0.05, 0.05, 0.3)):
        delivery.sqs.send_message(QueueUrl=delivery.queue, MessageBody=body(f"first-{number}", seconds))
    worker = start()
    # Signalled in the middle of the last message: it is finished all the same.
    worker.until("received", id="first-2")
    worker.process.send_signal(signal.SIGTERM)
    worker.until("draining", reason="signal")
    worker.until("done", id="first-2")
    worker.until("stopped")
    assert worker.ended() == 0
    assert [name for name in delivery.effects() if name.startswith("first")] == ["first-0", "first-1", "first-2"]
    assert delivery.left() == 0


def test_what_a_killed_worker_had_is_done_by_the_next_one_and_an_interrupted_one_gives_its_message_back(
    booted: tuple[Delivery, Boot], start: Callable[[], Process], metadata: GivenMetadata
) -> None:
    delivery, _ = booted
    delivery.sqs.send_message(QueueUrl=delivery.queue, MessageBody=body("second", 0.3))
    killed = start()
    killed.until("received", id="second")
    killed.process.kill()
    assert killed.ended() == -signal.SIGKILL
    assert "second" not in delivery.effects()
    successor = start()
    assert successor.until("received", id="second")["receives"] == 2
    successor.until("done", id="second")
    assert delivery.effects().count("second") == 1
    assert delivery.left() == 0
    delivery.sqs.send_message(QueueUrl=delivery.queue, MessageBody=body("third", 3600))
    successor.until("received", id="third")
    metadata.items["spot/instance-action"] = '{"action": "terminate", "time": "2017-09-18T08:22:00Z"}'
    successor.until("released", id="third", reason="spot")
    successor.until("drained")
    successor.process.send_signal(signal.SIGTERM)
    assert successor.ended() == 0
    assert "third" not in delivery.effects()
    (message,) = delivery.sqs.receive_message(QueueUrl=delivery.queue, WaitTimeSeconds=1)["Messages"]
    delivery.sqs.delete_message(QueueUrl=delivery.queue, ReceiptHandle=message["ReceiptHandle"])


def test_an_unusable_environment_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("QUEUE_URL", "RESULTS_TABLE", "METRIC_NAMESPACE", "LONGEST_MESSAGE_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"QUEUE_NAME": "q", "HOOK_NAME": "h", "AWS_REGION": "r", "HEARTBEAT_SECONDS": "soon"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(USER_DATA / "worker.py"), run_name="__main__")
    late = "LONGEST_MESSAGE_SECONDS, HEARTBEAT_SECONDS (seconds, above 0, at most 10800)"
    missing = f"QUEUE_URL, RESULTS_TABLE, METRIC_NAMESPACE, {late}"
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert printed.err == f"sqs-worker: set in the environment: {missing}\n"


def test_a_worker_without_credentials_ends_so_that_the_unit_starts_another(
    start: Callable[[], Process], metadata: GivenMetadata
) -> None:
    metadata.items = {path: item for path, item in metadata.items.items() if "security-credentials" not in path}
    worker = start()
    worker.until("failed")
    assert worker.ended() == 1
