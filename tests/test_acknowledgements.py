"""The checks find only what is acknowledged, and each acknowledged finding still exists: a stale one is silent."""

import json

from tests import variants


def test_every_finding_is_acknowledged_and_every_acknowledgement_has_a_finding() -> None:
    checks = json.loads((variants.folder() / "checks.json").read_text(encoding="utf-8"))
    found, acknowledged = ({(path, rule) for path, rule in checks[kind]} for kind in ("found", "acknowledged"))
    assert found and acknowledged
    assert {(p, r) for p, r in found if not any(p.startswith(a) and r == rule for a, rule in acknowledged)} == set()
    assert {(a, r) for a, r in acknowledged if not any(p.startswith(a) and r == rule for p, rule in found)} == set()
