"""One embedded AWS per test process, emptied before each test that uses it."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.client import EmbeddedAws

PATIENCE = 10.0
_started: list[EmbeddedAws] = []


@pytest.fixture(scope="session")
def started_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """Its end is a test too, with functions that were invoked: no process and no temporary file is left."""
    state = tmp_path_factory.mktemp("embedded-aws")
    with EmbeddedAws(state) as running:
        group = running.pid
        _started.append(running)
        yield running
    running.stop()
    assert group is not None
    assert gone(group)
    assert sorted(path.name for path in state.iterdir()) == ["emulator.log", "tls"]


def stop_started() -> None:
    """Stops the server before the session ends, when no more test needs it; its memory is for others."""
    for running in _started:
        running.stop()


@pytest.fixture
def aws(started_aws: EmbeddedAws) -> EmbeddedAws:
    started_aws.reset()
    return started_aws


def eventually(answer: Callable[[], Any], what: str) -> Any:
    """The first true answer; an asynchronous part of AWS has *PATIENCE* seconds for it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := answer():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def gone(group: int) -> bool:
    """No process of the group is left; one that has ended and waits for its parent to hear of it is not left."""
    if Path("/proc/self/stat").exists():
        stats = [_read(path) for path in Path("/proc").glob("[0-9]*/stat")]
        fields = [stat.rsplit(")", 1)[-1].split() for stat in stats if stat]
        return not any(state != "Z" and int(its_group) == group for state, _, its_group, *_ in fields)
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return True
    return False


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has just ended
        return ""


class Stack:
    """A stack that is deployed through the CloudFormation API."""

    def __init__(self, aws: EmbeddedAws, name: str = "tried") -> None:
        self.name = name
        self._cloudformation = aws.client("cloudformation")

    def create(
        self, resources: dict[str, Any], *, tags: dict[str, str] | None = None, **sections: Any
    ) -> dict[str, str]:
        self._cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=self._body(resources, sections),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        )
        return self._settled("CREATE_COMPLETE")

    def update(self, resources: dict[str, Any], **sections: Any) -> dict[str, str]:
        body = self._body(resources, sections)
        self._cloudformation.update_stack(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        return self._settled("UPDATE_COMPLETE")

    def delete(self) -> None:
        stack_id = self._described()["StackId"]
        self._cloudformation.delete_stack(StackName=self.name)
        self._settled("DELETE_COMPLETE", stack_id)

    def outputs(self) -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self._described().get("Outputs", [])}

    def _body(self, resources: dict[str, Any], sections: dict[str, Any]) -> str:
        return json.dumps({"Resources": resources, **sections})

    def _described(self, stack_id: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=stack_id or self.name)["Stacks"][0]
        return found

    def _settled(self, wanted: str, stack_id: str | None = None) -> dict[str, str]:
        def settled() -> str | None:
            status: str = self._described(stack_id)["StackStatus"]
            return None if status.endswith("IN_PROGRESS") else status

        status = eventually(settled, wanted)
        if status != wanted:
            events = self._cloudformation.describe_stack_events(StackName=stack_id or self.name)["StackEvents"]
            reasons = [event.get("ResourceStatusReason") for event in events if "FAILED" in event["ResourceStatus"]]
            raise AssertionError(f"{status}: {reasons}")
        resources = self._cloudformation.describe_stack_resources(StackName=stack_id or self.name)["StackResources"]
        return {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in resources}


@pytest.fixture
def stack(aws: EmbeddedAws) -> Stack:
    return Stack(aws)
