"""Turns a template into the part that a reviewer reads."""

import re
from typing import Any

from syrupy.extensions.json import JSONSnapshotExtension

from tests.variants import Json

_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


class TemplateSnapshot(JSONSnapshotExtension):
    """One file a template: tests/solutions/<slug>/__snapshots__/<test file>/<test name>.json."""


def readable(template: Json) -> Json:
    """Drops the bootstrap boilerplate, the asset hashes, and the removal policy that a conformance test asserts."""
    kept: Json = {key: _plain(value) for key, value in template.items() if key != "Rules"}
    kept["Parameters"] = {key: value for key, value in kept.get("Parameters", {}).items() if key != "BootstrapVersion"}
    for resource in kept["Resources"].values():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resource.get(policy) == "Delete":
                del resource[policy]
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _ASSET.sub("<asset>", value) if isinstance(value, str) else value
