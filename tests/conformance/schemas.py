"""CloudFormation's resource schemas, from the files of cfn-lint: to import it takes a second and 60 MB."""

import json
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from sys import intern
from typing import Any

Json = dict[str, Any]


@cache
def _folder() -> Path:
    return Path(str(distribution("cfn-lint").locate_file("cfnlint/data/schemas")))


def regions() -> frozenset[str]:
    """The Regions whose resource types are known."""
    return frozenset(path.stem for path in (_folder() / "providers").glob("*-*-*.json"))


@cache
def types(region: str) -> frozenset[str]:
    """The resource types of a Region."""
    return frozenset(map(intern, _files(region)))  # most are those of every Region


@cache
def schema(kind: str, region: str = "us-east-1") -> Json:
    """The resource schema of a type.

    Raises:
        KeyError: there is no such type in the Region.
    """
    found: Json = json.loads((_folder() / "resources" / f"{_files(region)[kind]}.json").read_text(encoding="utf-8"))
    return found


def _files(region: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((_folder() / "providers" / f"{region}.json").read_text(encoding="utf-8"))
    return found
