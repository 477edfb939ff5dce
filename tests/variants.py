"""The configurations that the tests synthesize; ``python -m tests.variants FOLDER`` writes their templates."""

import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from aws_cdk import App

from app import build
from config.loader import load
from stacks.catalog import settings_by_slug

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "fixtures" / "config"
VARIANTS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
CONFORMANCE = tuple(f"conformance/{path.stem}" for path in sorted((FOLDER / "conformance").glob("*.yaml")))
DEFAULT = "default"

Json = dict[str, Any]


def app_for(*names: str, outdir: str, validate: bool = False) -> App:
    """The app under one or more of the configurations and the feature flags of cdk.json.

    Args:
        validate: whether synthesis validates the templates; that costs seconds, and one test does it for all.
    """
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=flags, outdir=outdir, builtin_cloud_formation_validation=validate)
    for name in names:
        build(app, load(FOLDER / f"{name}.yaml", settings_by_slug()))
    return app


@cache
def assembly(variant: str) -> Path:
    """The cloud assembly of a variant, synthesized once in this process."""
    outdir = tempfile.mkdtemp(prefix=f"{variant.replace('/', '-')}-", dir=_scratch().name)
    app_for(variant, outdir=outdir).synth()
    return Path(outdir)


def templates(variant: str) -> dict[str, Json]:
    """Template of each solution, by slug."""
    manifest = json.loads((assembly(variant) / "manifest.json").read_text(encoding="utf-8"))
    found = {}
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            path = assembly(variant) / properties["templateFile"]
            found[properties["tags"]["solution"]] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _scratch() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="assemblies-")  # deleted when the process ends


def main() -> None:
    """Writes <variant>-<slug>.json for every variant and solution."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for variant in VARIANTS:
        for slug, template in templates(variant).items():
            (folder / f"{variant}-{slug}.json").write_text(json.dumps(template, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
