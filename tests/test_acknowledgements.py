"""cdk-nag has nothing to say, and every acknowledged finding still exists: a stale one would be silent."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, Validations

from app import check
from stacks.catalog import settings_by_slug
from tests import variants

# A rule of the library's own validation is acknowledged under a name that begins with this.
PREFIXES = {"CloudFormation Validate": "CloudFormation-Validate::"}


def test_synthesis_with_all_checks_finds_nothing(tmp_path: Path) -> None:
    check(variants.app_for(*variants.VARIANTS, outdir=str(tmp_path), validate=True)).synth()


def test_every_finding_is_acknowledged_and_every_acknowledgement_has_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: set[tuple[str, str]] = set()
    original = Validations.of

    def of(scope: Any) -> Validations:
        """Notes acknowledgements down instead of making them."""
        validations = original(scope)

        def record(*rules: Acknowledgment) -> None:
            acknowledged.update((scope.node.path, rule.id) for rule in rules)

        monkeypatch.setattr(validations, "acknowledge", record, raising=False)
        return validations

    monkeypatch.setattr(Validations, "of", staticmethod(of))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        check(variants.app_for(*variants.VARIANTS, outdir=str(tmp_path), validate=True)).synth()
    found = _findings(tmp_path)
    assert acknowledged
    assert {(p, r) for p, r in found if not any(p.startswith(a) and r == rule for a, rule in acknowledged)} == set()
    assert {(a, r) for a, r in acknowledged if not any(p.startswith(a) and r == rule for p, rule in found)} == set()


def _findings(outdir: Path) -> set[tuple[str, str]]:
    """What the checks have found; what our own stacks warn of is meant for their users, and stays."""
    report = json.loads((outdir / "validation-report.json").read_text(encoding="utf-8"))
    return {
        (construct["constructPath"], f"{PREFIXES.get(plugin['pluginName'], '')}{violation['ruleName']}")
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        if not violation["ruleName"].startswith(tuple(f"Annotation::{slug}:" for slug in settings_by_slug()))
        for construct in violation["violatingConstructs"]
    }
