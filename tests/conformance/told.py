"""What a solution tells the rules of itself, in ``tests/solutions/<slug>/conformance.py``.

A new solution edits no shared table. The names: LARGEST, STATES, TOGETHER, OTHERS, ONE_VALUE_ONLY, BY_DESIGN, REACHES,
NOT_SHOWN. LARGEST is every solution's; the others are for those that need them.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TypeVar

Told = TypeVar("Told")


def told(slug: str, name: str, otherwise: Told) -> Told:
    """The table of this name, or what stands for it where the solution has none."""
    module = told_by(slug)
    found: Told = getattr(module, name, otherwise) if module else otherwise
    return found


@cache
def told_by(slug: str) -> ModuleType | None:
    """The solution's conformance.py, if it has one."""
    name = f"tests.solutions.{slug}.conformance"
    return import_module(name) if find_spec(name) else None
