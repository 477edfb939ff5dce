"""``make lifecycle``: the life of every solution, two at a time."""

import argparse
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from rich.console import Console

from stacks.catalog import UnknownSolutionError, named, names_in
from stacks.series import SOLUTIONS
from tests.lifecycle.lane import LONGEST, REPORT, live_alone
from tests.lifecycle.report import Life, print_lives, write_json
from tests.variants import ROOT

LANES = 2


def main() -> int:
    """Plays every life, the longest first so that all lanes end together.

    Returns:
        0 only if nothing was found; 2: no solution is called so.
    """
    parser = argparse.ArgumentParser(prog="make lifecycle", description=__doc__)
    parser.add_argument("--solution", default="", help="only these, separated by commas or blanks")
    parser.add_argument("--quick", action="store_true", help="without the changes of settings and the stacks beside")
    parser.add_argument("--lanes", type=int, default=LANES, help=f"how many at once; default: {LANES}")
    options = parser.parse_args()
    try:
        slugs = [named(name).slug for name in names_in(options.solution)] or [each.slug for each in SOLUTIONS]
    except UnknownSolutionError as error:
        print(f"lifecycle: {error}", file=sys.stderr)
        return 2
    console = Console() if sys.stdout.isatty() else Console(width=120)
    began, lives = time.monotonic(), list[Life]()
    ordered = sorted(slugs, key=lambda slug: LONGEST.index(slug) if slug in LONGEST else len(LONGEST))
    # A process for each solution: the CDK keeps every construct that it ever made.
    with ProcessPoolExecutor(options.lanes, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
        for ended in as_completed([processes.submit(live_alone, slug, options.quick) for slug in ordered]):
            life = ended.result()
            lives.append(life)
            print_lives(console, [life])
    minutes = (time.monotonic() - began) / 60
    write_json(REPORT, lives, minutes=minutes)
    findings = sum(len(life.findings) for life in lives)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = f"{minutes:.1f} minutes, {(used.ru_utime + used.ru_stime) / 60:.1f} of processor time"
    console.print(f"\n{worked}, {findings} findings; report: {REPORT.relative_to(ROOT)}", highlight=False)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
