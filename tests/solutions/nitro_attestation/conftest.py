"""The command line over the variant with keys, for the tests of every command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks import program
from tests import variants
from tests.solutions.nitro_attestation.rendered import SLUG
from tests.variants import Json

Run = Callable[..., tuple[int, Json]]


@pytest.fixture
def configured(tmp_path: Path) -> list[str]:
    """Options that name the configuration of the variant."""
    path = tmp_path / "config.yaml"
    path.write_text(variants.configuration_text("attested"), encoding="utf-8")
    return ["--config", str(path), "--json"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with the given clients: its status, and what it printed as JSON."""

    def command(clients: Any, *words: str) -> tuple[int, Json]:
        monkeypatch.setattr(program, "clients_of", lambda _: clients)
        status = program.main([SLUG, *words])
        return status, dict(json.loads(capsys.readouterr().out))

    return command
