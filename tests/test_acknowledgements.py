"""cdk-nag has nothing to say, and every acknowledged finding still exists: a stale one would be silent."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, Validations

from app import check
from tests import variants


@pytest.mark.parametrize("variant", variants.VARIANTS)
def test_no_finding_is_left(variant: str, tmp_path: Path) -> None:
    check(variants.app_for(variant, str(tmp_path))).synth()


def test_no_acknowledgement_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: set[tuple[str, str]] = set()
    original = Validations.of

    def of(scope: Any) -> Validations:
        validations = original(scope)

        def record(*rules: Acknowledgment) -> None:
            wanted.update((scope.node.path, rule.id) for rule in rules)

        monkeypatch.setattr(validations, "acknowledge", record, raising=False)
        return validations

    monkeypatch.setattr(Validations, "of", staticmethod(of))
    found: set[tuple[str, str]] = set()
    for variant in variants.VARIANTS:
        outdir = tmp_path / variant
        app = check(variants.app_for(variant, str(outdir)))
        try:
            app.synth()
        except RuntimeError as error:
            assert "ValidationFailed" in str(error)
        found |= _findings(outdir)
    stale = [
        (path, rule)
        for path, rule in wanted
        if not any(where.startswith(path) and name == rule for where, name in found)
    ]
    assert wanted
    assert stale == []


def _findings(outdir: Path) -> set[tuple[str, str]]:
    report = json.loads((outdir / "validation-report.json").read_text(encoding="utf-8"))
    return {
        (construct["constructPath"], violation["ruleName"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
