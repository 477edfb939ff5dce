"""``make updates``: every solution, two at a time."""

import argparse
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from stacks.catalog import settings_by_slug
from stacks.series import SOLUTIONS
from tests.conformance.updates.looking import long_form, settings_alone
from tests.conformance.updates.states import states


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
        begun = [processes.submit(long_form, slug) for slug in sorted(slugs, key=_size, reverse=True)]
        for ended in as_completed(begun):
            slug, found, compared, alone, seconds = ended.result()
            unknown = [key for key in alone if key not in settings_alone(slug)]
            wrong += len(found) + len(unknown)
            print(f"{slug}: {compared} updates, {len(found)} findings, {seconds:.0f} s", flush=True)
            for finding in found:
                print(f"  {finding}")
            for key in unknown:
                print(f"  {key}: no other legal value found; add one to tests/conformance/updates/values.py")
    worked = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = (time.monotonic() - began) / 60
    print(f"{took:.1f} minutes, {(worked.ru_utime + worked.ru_stime) / 60:.1f} of processor time")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
