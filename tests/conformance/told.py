"""What a solution tells the rules of itself, in ``tests/solutions/<slug>/conformance.py``.

A new solution edits no shared table. LARGEST is every solution's; the others are for those that need them. Two are for
``make mutate`` (REACHES, NOT_SHOWN); the last ten are asked for by ``make lifecycle`` (tests/lifecycle).
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TypeVar

NAMES = (
    "LARGEST",  # the largest legal settings
    "PREPARED",  # common and section, by name, of templates that its own tests read (tests/prepared.py)
    "STATES",  # states beside the variants' own
    "TOGETHER",  # settings that are changed together
    "OTHERS",  # other legal values
    "ONE_VALUE_ONLY",  # keys of which no other value is tried, and why
    "BY_DESIGN",  # findings that stay, and why
    "REACHES",  # what a role may do beyond the solution's tags and names, and why: policy and action
    "NOT_SHOWN",  # why a role needs what no replay of make mutate shows: role and action
    "NOT_DEPLOYED",  # changes, and "state NAME", that the embedded AWS cannot deploy, and why
    "WAYS",  # what a guard's message says to do: the key, then deployments, each a side of the change and settings
    "BESIDE",  # settings of a second copy, whose fixed names must differ
    "MADE_LATER",  # what a deployment starts and does not wait for: how much of which kind the default has then
    "ONLY_BESIDE",  # controls of the embedded AWS: what there is while a second copy is, and what there is else
    "PASSES",  # changes that a guard may stop by the template and lets pass at run time, and why
    "PRESCRIBED",  # settings that common.vpc asks for
    "ONE_REGION",  # why there is one stack in an account, whatever the Region
    "OWN_NETWORK",  # logical ids of a network that is the solution's subject
    "OUTLIVES",  # beginnings of names in the inventory that outlive the stack, and why
)

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
