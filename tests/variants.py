"""The configurations that the tests synthesize, and their templates: written once by a process that ends, read as JSON.

A variant is what a platform team prescribes (``tests/fixtures/common/<variant>.yaml``), or another way to configure one
solution (``tests/solutions/<slug>/variants/<variant>.yaml``), or both. ``python -m tests.variants`` prints the folder
of the templates of the present sources, after it has made them if nobody has.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from config.loader import Config, load
from stacks.catalog import settings_by_slug
from stacks.series import SOLUTIONS

ROOT = Path(__file__).parents[1]
COMMON = ROOT / "tests" / "fixtures" / "common"
OWN = ROOT / "tests" / "solutions"
CACHE = ROOT / ".local" / "templates"
KEPT = 4  # sets of templates, for whoever goes back and forth between two states of the sources

DEFAULT = "default"
EVERYWHERE = ("default", "enterprise", "account", "key", "topic", "china")
"""Variants of every solution; a solution may say more in its file of the same name."""

STACK_SETS = "stack_sets"
"""The administrator's stacks (stacks/stack_sets) of the solutions that are for every account, and nothing else."""

ABSENT = {"china": ("outposts_routing",)}
"""Where CloudFormation lacks a type of a solution: local gateways are not in China."""

Json = dict[str, Any]


def variants_of(slug: str) -> tuple[str, ...]:
    """The variants of a solution: those of everybody, then its own."""
    own = sorted(path.stem for path in (OWN / slug / "variants").glob("*.yaml"))
    everywhere = [name for name in EVERYWHERE if slug not in ABSENT.get(name, ())]
    return (*everywhere, *(name for name in own if name not in EVERYWHERE))


def every() -> list[tuple[str, str]]:
    """Variant and slug of every template, in the order of the catalogue."""
    return [(variant, solution.slug) for solution in SOLUTIONS for variant in variants_of(solution.slug)]


@cache
def configuration(variant: str) -> Config:
    """The variant as the loader reads it; a solution that does not have the variant has its defaults."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(configuration_text(variant))
        file.flush()
        return load(Path(file.name), settings_by_slug())


def configuration_text(variant: str) -> str:
    """The variant as one configuration file."""
    common = COMMON / f"{variant}.yaml"
    if variant == STACK_SETS:
        return (COMMON.parent / "stack_sets.yaml").read_text(encoding="utf-8")
    said = _read(common) if common.exists() else {"prefix": variant, "tags": {"project": "snapshot"}}
    sections = {path.parents[1].name: _read(path) for path in sorted(OWN.glob(f"*/variants/{variant}.yaml"))}
    return yaml.safe_dump({"common": said, "solutions": sections}, sort_keys=False)


def template(variant: str, slug: str) -> Json:
    """The template of a solution under a variant. It is shared: tests only read it."""
    return _template(folder() / variant / f"{slug}.json")


def templates(variant: str) -> dict[str, Json]:
    """Template of each solution that has the variant, by slug."""
    return {slug: template(variant, slug) for name, slug in every() if name == variant}


def assembly(variant: str) -> Path:
    """The cloud assembly of a variant: manifest, templates, assets."""
    return folder() / variant / "assembly"


def exported(slug: str) -> Path:
    """The folder of a solution's export (stacks/export), made of the default variant."""
    return folder() / "exported" / slug


@cache
def folder() -> Path:
    """The folder of all templates of the present sources. The first process that asks has them made, others wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = CACHE / _digest()
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            made = wanted.with_suffix(".part")
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            _made(made)
            made.rename(wanted)
        os.utime(wanted)
        for old in sorted(CACHE.glob("*/"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            shutil.rmtree(old)
    return wanted


def _made(folder: Path) -> None:
    log = folder / "synthesis.log"
    with log.open("w", encoding="utf-8") as output:
        program = [sys.executable, "-m", "tests.synthesis", str(folder)]
        if subprocess.run(program, cwd=ROOT, stdout=output, stderr=output).returncode:
            raise RuntimeError(f"{log}:\n{log.read_text(encoding='utf-8')[-4000:]}")


def _digest() -> str:
    """Of everything that a template depends on."""
    from tests.prepared import told_of_all  # which asks this module for its folder

    seen = hashlib.sha256(told_of_all().encode())
    for path in _sources():
        seen.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return seen.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    listed = [ROOT / name for name in ("app.py", "cdk.json", "requirements.txt")]
    listed += [ROOT / "tests" / name for name in ("variants.py", "synthesis.py", "prepared.py")]
    listed += [ROOT / "tests" / "conformance" / name for name in ("regions.py", "updates/states.py")]
    for top in ("config", "stacks", "lambdas", "tests/fixtures"):
        listed += [path for path in (ROOT / top).rglob("*") if path.is_file()]
    # Variants, and the files that they name: all that is in folders but for the tests' own.
    own = (path for path in OWN.glob("*/*/**/*") if path.is_file() and path.suffix != ".py")
    listed += [path for path in own if not {"__snapshots__", "__pycache__", "bad_config"} & {*path.parts}]
    return iter(sorted(path for path in listed if path.suffix not in (".pyc", ".md")))


@cache
def _template(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def _read(path: Path) -> Json:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


if __name__ == "__main__":
    print(folder())
