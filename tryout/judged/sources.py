"""What a solution is made of, as one text that changes when it does."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tryout.paths import REPOSITORY

_SHARED = ("config", "stacks/shared", "stacks/guardrails", "lambdas/shared")
_OWN = ("stacks/{slug}", "lambdas/{slug}", "tryout/scenarios/{slug}")


def made_of(slug: str) -> str:
    """A digest of the settings, the stack, the functions and the scenario of a solution."""
    seen = hashlib.sha256()
    for path in _files(slug):
        seen.update(f"{path.relative_to(REPOSITORY)}\0".encode() + path.read_bytes() + b"\0")
    return seen.hexdigest()[:16]


def _files(slug: str) -> Iterator[Path]:
    folders = [REPOSITORY / each for each in (*_SHARED, *(own.format(slug=slug) for own in _OWN))]
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    return iter(sorted(path for path in found if path.suffix not in (".pyc", ".md")))
