"""Every setting of every solution with another legal value: the update there, and the way back.

``make updates`` is the long form: from the default state, from every variant's and from those of a table, with two
values a setting. The short form is one other value of each setting from the default state; ``make test`` tries it with
two solutions.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase

import typeguard

from tests.conformance.findings import Finding
from tests.conformance.told import told
from tests.conformance.updates.model import Update
from tests.conformance.updates.rules import findings, resources
from tests.conformance.updates.states import Change, changes, states, template

LAW = "docs/decisions.md"


def looked_at(slug: str, *, all_of_them: bool) -> tuple[list[Finding], int, list[str]]:
    """The findings of a solution, how many updates were compared, and the settings without another value.

    What is by design (BY_DESIGN of its conformance.py) is left out.
    """
    found: list[Finding] = []
    compared, alone, seen = 0, set[str](), set[str]()
    for state in states(slug, all_of_them=all_of_them):
        for key, possible in changes(state, most=2 if all_of_them and state.name == "default" else 1):
            (seen if possible else alone).update(key.split(", "))
            for change in possible:
                found += both_ways(change)
                compared += 2
    return [one for one in found if not by_design(slug, one)], compared, sorted(alone - seen)


def long_form(slug: str) -> tuple[str, list[Finding], int, list[str], float]:
    """The long form in a process of its own, with its name and its seconds.

    Not in __main__: a process that is spawned does not import that of a package.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what the CDK warns of, a thousand times
    began = time.monotonic()
    with unchecked_types():
        return slug, *looked_at(slug, all_of_them=True), time.monotonic() - began


@contextmanager
def unchecked_types() -> Iterator[None]:
    """The CDK without ``typeguard.check_type``, which takes a fifth of the time: every variant has passed that."""
    checked = typeguard.check_type
    typeguard.check_type = lambda *_, **__: None
    try:
        yield
    finally:
        typeguard.check_type = checked


def both_ways(change: Change) -> Iterator[Finding]:
    """The update and its way back, which is also its rollback."""
    where = f"{change.before.slug} {change}"
    try:
        before, after = (resources(template(state.text)) for state in (change.before, change.after))
    except Exception as error:  # of the CDK, or of a stack that relies on what no rule says
        yield Finding(
            where,
            "",
            "no-template",
            "fails",
            f"{type(error).__name__}: {str(error)[-200:]}",
            LAW,
            "let the settings refuse it",
        )
        return
    yield from findings(Update(before, after), where)
    yield from findings(Update(after, before), f"{where}, and back")


def by_design(slug: str, found: Finding) -> str | None:
    """Why a finding is known and stays."""
    known: Mapping[tuple[str, str, str], str] = told(slug, "BY_DESIGN", {})
    for (rule, resource, key), reason in known.items():
        changed = found.where.split("] ", 1)[-1]
        if rule == found.rule and fnmatchcase(found.resource, resource) and fnmatchcase(changed, key):
            return reason
    return None


def settings_alone(slug: str) -> Mapping[str, str]:
    """Settings of which no other value was found, with the reason."""
    return told(slug, "ONE_VALUE_ONLY", {})
