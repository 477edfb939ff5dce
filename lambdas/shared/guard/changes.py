"""Which guarded properties an update would change. No AWS in here."""

from collections.abc import Mapping
from typing import Any


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns the old and the new value of each property that differs.

    A property that only one of them has was not guarded before, or is not any more: that is no change of its value.
    """
    return {name: (old[name], new[name]) for name in sorted(old.keys() & new.keys()) if old[name] != new[name]}


def is_accepted(value: Any) -> bool:
    """Whether the update is accepted. CloudFormation hands every value on as text, so that "false" is one."""
    return str(value).lower() == "true"


def refusal(subject: str, changes: Mapping[str, tuple[Any, Any]], way: str) -> str:
    """Returns what whoever deploys is told."""
    listed = "; ".join(f"{name}: {_shown(old)} -> {_shown(new)}" for name, (old, new) in changes.items())
    return f"stopped before anything happened to {subject}. {listed}. {way}"


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
