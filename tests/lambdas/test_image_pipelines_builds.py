"""Builds: what has changed is built once; a workload of a new stack waits for gold."""

from typing import Any

import pytest

from image_pipelines.builds import handler


class Builder:
    """Keeps what was started."""

    def __init__(self) -> None:
        self.started: list[dict[str, str]] = []

    def start_image_pipeline_execution(self, **wanted: str) -> dict[str, str]:
        self.started.append(wanted)
        return {"imageBuildVersionArn": "arn"}


@pytest.mark.parametrize(
    ("kind", "with_new_stack", "old_recipe", "is_started"),
    [
        ("Create", "true", None, True),
        ("Create", "false", None, False),
        ("Update", "false", "old", True),
        ("Update", "true", "new", False),
        ("Delete", "true", None, False),
    ],
)
def test_what_is_started(
    monkeypatch: pytest.MonkeyPatch, kind: str, with_new_stack: str, old_recipe: str | None, is_started: bool
) -> None:
    builder = Builder()
    monkeypatch.setattr(handler, "client", lambda _: builder)
    wanted = {"Pipeline": "pipeline", "Recipe": "new", "WithNewStack": with_new_stack}
    event: dict[str, Any] = {
        "RequestType": kind,
        "RequestId": "r-1",
        "LogicalResourceId": "Build",
        "ResourceProperties": wanted,
    }
    if old_recipe:
        event["OldResourceProperties"] = {**wanted, "Recipe": old_recipe}
    assert handler.build(event) == "builds-Build"
    assert builder.started == ([{"imagePipelineArn": "pipeline", "clientToken": "r-1"}] if is_started else [])
