"""The pins of requirements and of package.json: what they name, and what they may move to."""

import re
from collections.abc import Mapping, Sequence

_PIN = re.compile(r"^([A-Za-z0-9_.\[\]-]+)==([^\s;#]+)", re.MULTILINE)
_RESOLVED = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, str]:
    """The exact versions that a file of requirements names."""
    return dict(_PIN.findall(text))


def loosened(text: str, *, majors: bool = False) -> str:
    """The same requirements with every pin as a lower bound, below the next major version unless *majors*."""

    def bound(found: "re.Match[str]") -> str:
        name, version = found.groups()
        return f"{name}>={version}" + ("" if majors else f",<{int(version.split('.')[0]) + 1}")

    return _PIN.sub(bound, text)


def moved(text: str, versions: Mapping[str, str]) -> str:
    """The same requirements with the newer versions in place of the pinned ones; comments stay."""
    return _PIN.sub(lambda found: f"{found[1]}=={versions.get(normal(found[1]), found[2])}", text)


def resolved(text: str) -> dict[str, str]:
    """The versions of a lock; of a package that platforms have in several versions, the newest."""
    found: dict[str, str] = {}
    for name, version in _RESOLVED.findall(text):
        found[normal(name)] = max(found.get(normal(name), version), version, key=order)
    return found


def newest(versions: Sequence[str], pinned: str) -> str:
    """The newest release of an npm package within the major version of the pinned one.

    Below 1.0 the second number is the major one, as for npm's caret
    (https://docs.npmjs.com/cli/configuring-npm/package-json#dependencies).
    """
    digits = 1 if not pinned.startswith("0.") else 2
    major = pinned.split(".")[:digits]
    fitting = [one for one in versions if one.split(".")[:digits] == major and "-" not in one]
    return max([*fitting, pinned], key=order)


def normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()


def order(version: str) -> list[int]:
    """By which versions are compared: their numbers."""
    return [int(number) for number in re.findall(r"\d+", version)]
