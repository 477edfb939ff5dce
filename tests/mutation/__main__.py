"""``make mutate``: takes each action of each role away and replays what was recorded; tries first what was not.

Fails when an action is neither needed nor has a reason. What handlers log goes to .local/mutate.log.
"""

import argparse
import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from config.loader import ConfigError
from emulator.fullmodel import full_model
from stacks.catalog import UnknownSolutionError, names_in, select
from stacks.configuration import configuration
from stacks.series import SOLUTIONS
from tests.mutation.handlers import happy_paths
from tests.mutation.judgement import NEEDED, NOT_NEEDED, NOT_SHOWN, Judgement, judged, needless
from tryout.judged.calls import Kept, read
from tryout.judged.sources import made_of
from tryout.paths import CALLS, CONFIG, LOCAL, REPOSITORY
from tryout.scenario import scenario_of

LOG = LOCAL / "mutate.log"
STYLES = {NEEDED: "green", NOT_SHOWN: "yellow", NOT_NEEDED: "bold red"}


def main(arguments: Sequence[str]) -> int:
    """Judges the roles of the solutions that are asked for and returns the exit status."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--solution", default="", help="only these, separated by commas or blanks")
    parser.add_argument("--fresh", action="store_true", help="try again, whatever was kept before")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        common = configuration(CONFIG).common
        slugs = [solution.slug for solution in select(SOLUTIONS, common, names_in(options.solution))]
    except (ConfigError, UnknownSolutionError) as error:
        print(f"mutate: {error}", file=sys.stderr)
        return 2
    stale = [slug for slug in slugs if options.fresh or not is_current(slug)]
    if stale:
        _try(stale)
    trials = {slug: kept(slug) for slug in slugs}
    problems = [*_incomplete(trials), *_for_nothing(trials)]
    console = Console() if sys.stdout.isatty() else Console(width=280)  # into a file a row is one line
    with _logged():
        full_model.install()
        sys.path.insert(0, str(REPOSITORY / "lambdas"))
        paths = happy_paths(set(slugs))
        found = [one for slug in slugs for one in judged(slug, trials[slug], paths)]
    console.print(_table(found))
    for problem in problems:
        console.print(f"[bold red]{problem}[/]", highlight=False)
    verdicts = Counter(one.verdict for one in found)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in STYLES)
    console.print(f"{len(found)} actions: {counts}; {time.monotonic() - began:.0f} seconds", highlight=False)
    return 1 if problems or verdicts[NOT_NEEDED] else 0


def kept(slug: str) -> list[Kept]:
    """What was kept of the variants of a solution that its scenario has."""
    files = {variant: CALLS / f"{slug}-{variant}.json" for variant in scenario_of(slug).variants}
    return [read(file) for file in files.values() if file.exists()]


def is_current(slug: str) -> bool:
    """Whether every variant was kept, in full, and of the sources as they are."""
    found = kept(slug)
    now = made_of(slug)
    return len(found) == len(scenario_of(slug).variants) and all(one.complete and one.made_of == now for one in found)


def _try(slugs: Sequence[str]) -> None:
    command = [sys.executable, "-m", "tryout", "--solution", ",".join(slugs)]
    subprocess.run(command, cwd=REPOSITORY, check=False)


def _incomplete(trials: dict[str, list[Kept]]) -> list[str]:
    """Variants of which too little is known to judge their roles."""
    return [
        f"{slug} ({variant}): its scenario did not pass in full; see make try SOLUTION={slug}"
        for slug, found in trials.items()
        for variant in scenario_of(slug).variants
        if not any(one.variant == variant and one.complete for one in found)
    ]


def _for_nothing(trials: dict[str, list[Kept]]) -> list[str]:
    return [
        f"{slug}: NOT_SHOWN has a reason for what no role is allowed: {name}"
        for slug, found in trials.items()
        for name in needless(slug, found)
    ]


def _table(found: Sequence[Judgement]) -> Table:
    table = Table("solution", "role", "action", "verdict", "what fails without it, or why it stays")
    slug = ""
    for one in found:
        if slug not in ("", one.slug):
            table.add_section()
        slug = one.slug
        why = one.why.replace("[", r"\[")
        table.add_row(one.slug, one.role, one.action, f"[{STYLES[one.verdict]}]{one.verdict}[/]", why)
    return table


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
