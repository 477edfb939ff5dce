"""Every setting of every solution with another legal value: the update there, and the way back.

``make updates`` is the long form: from the default state, from every variant's and from those of a table, with two
values a setting. The short form, in ``make test``, is one other value of each setting from the default state.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatchcase
from multiprocessing import get_context

from stacks.catalog import SOLUTIONS, settings_by_slug
from tests.conformance.findings import Finding
from tests.conformance.updates_known import BY_DESIGN, ONE_VALUE_ONLY
from tests.conformance.updates_model import Update
from tests.conformance.updates_rules import findings, resources
from tests.conformance.updates_states import Change, changes, states, template

LAW = "docs/decisions.md"


def looked_at(slug: str, *, all_of_them: bool) -> tuple[list[Finding], int, list[str]]:
    """The findings of a solution, how many updates were compared, and the settings without another value.

    What is by design (updates_known.py) is left out.
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
    for (wanted, rule, resource, key), reason in BY_DESIGN.items():
        changed = found.where.split("] ", 1)[-1]
        if (wanted, rule) == (slug, found.rule) and fnmatchcase(found.resource, resource) and fnmatchcase(changed, key):
            return reason
    return None


def settings_alone(slug: str) -> Mapping[str, str]:
    """Settings of which no other value was found, with the reason."""
    return ONE_VALUE_ONLY.get(slug, {})


def _long(slug: str) -> tuple[str, list[Finding], int, list[str], float]:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # what the CDK warns of, a thousand times
    began = time.monotonic()
    return slug, *looked_at(slug, all_of_them=True), time.monotonic() - began


def _size(slug: str) -> int:
    """About how many updates there are."""
    return len(states(slug, all_of_them=True)) * len(settings_by_slug()[slug].model_fields)


def main() -> int:
    """Looks at every solution, two at a time, the largest first so that both end together, and says what it found."""
    parser = argparse.ArgumentParser(prog="make updates", description=__doc__)
    parser.add_argument("slugs", nargs="*", help="solutions; none: all")
    slugs = parser.parse_args().slugs or [solution.slug for solution in SOLUTIONS]
    wrong, began = 0, time.monotonic()
    # A process for each solution: the CDK keeps every construct that it ever made.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
        begun = [processes.submit(_long, slug) for slug in sorted(slugs, key=_size, reverse=True)]
        for ended in as_completed(begun):
            slug, found, compared, alone, seconds = ended.result()
            unknown = [key for key in alone if key not in settings_alone(slug)]
            wrong += len(found) + len(unknown)
            print(f"{slug}: {compared} updates, {len(found)} findings, {seconds:.0f} s", flush=True)
            for finding in found:
                print(f"  {finding}")
            for key in unknown:
                print(f"  {key}: no other legal value found; add one to updates_values.py")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
