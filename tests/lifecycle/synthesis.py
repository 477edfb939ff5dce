"""Cloud assemblies of a state, from the one CDK of this process."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.updates.states import State, read, solution
from tests.variants import ROOT

Json = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A template with the folder of its assets."""

    stack: str
    template: Json
    assembly: Path
    tags: Mapping[str, str]
    region: str


class Synthesis:
    """Writes assemblies into a folder that goes with it.

    Raises:
        ValueError: the state is no legal configuration.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="lifecycle-")
        self._flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
        self._made: dict[str, Made] = {}

    def __call__(self, state: State) -> Made:
        """The assembly of a state; the same state has the same."""
        if state.text not in self._made:
            self._made[state.text] = self._synthesized(state)
        return self._made[state.text]

    def _synthesized(self, state: State) -> Made:
        from aws_cdk import App  # takes seconds

        if (legal := read(state.text)) is None:
            raise ValueError(f"{state.section} is no legal configuration of {state.slug}")
        common, settings = legal
        outdir = Path(self._folder.name) / str(len(self._made))
        app = App(
            context=self._flags,
            outdir=str(outdir),
            analytics_reporting=False,
            builtin_cloud_formation_validation=False,
        )
        stack = solution(state.slug).build(app, common, settings)
        artifact = app.synth().get_stack_artifact(stack.artifact_id)
        return Made(stack.stack_name, artifact.template, outdir, dict(artifact.tags), common.region or "us-east-1")
