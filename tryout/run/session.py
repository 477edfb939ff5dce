"""One try-out from its options to its report."""

import argparse
import fcntl
import resource
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from config.loader import Config
from emulator.client import EmulatorError
from stacks.catalog import names_in, select
from stacks.configuration import configuration
from stacks.series import SOLUTIONS, Solution
from tryout.breaks import BREAKS, noticed
from tryout.paths import CONFIG, LOCAL, REPORT, REPOSITORY
from tryout.report import SolutionReport, print_table, write_json
from tryout.run.commit import commit_of_the_sources
from tryout.run.keeping import stay
from tryout.run.lanes import Lanes
from tryout.run.plan import insist_on, trials
from tryout.run.progress import shown
from tryout.trial import Trial


def run(options: argparse.Namespace, console: Console) -> int:
    """Tries what the options name.

    Returns:
        0 only if everything passed.

    Raises:
        ConfigError, UnknownSolutionError, EmulatorError, SynthesisError: with a sentence for the user.
    """
    config = configuration(options.config, option="CONFIG=FILE")
    solutions = _wanted(config, options.solution)
    insist_on(options.variant, solutions)
    LOCAL.mkdir(exist_ok=True)
    state = LOCAL / "try"
    with (LOCAL / "try.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmulatorError("another make try runs, or is kept, in this folder: end it first") from None
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        return _run(options, console, state, config, solutions)


def _run(
    options: argparse.Namespace, console: Console, state: Path, config: Config, solutions: Sequence[Solution]
) -> int:
    planned = (
        [one for name in options.broken for one in _broken(name, options.config, config, state)]
        if options.broken
        else list(
            trials(
                options.config,
                config.common,
                solutions,
                state,
                options.variant,
                first_only=options.keep,
                exported=options.exported,
            )
        )
    )
    count = lanes_for(options, len(planned))
    began, commit = time.monotonic(), commit_of_the_sources()
    with Lanes(planned, state, lanes=count, keep=options.keep, port=options.port, eventual=options.eventual) as lanes:
        with shown(console) as show:
            reports = lanes.run(show)
        if options.broken:
            told = [_told(trial, report, console) for trial, report in zip(planned, reports, strict=True)]
            ok = all(told)
        else:
            ok = all(report.ok(strict=options.strict, kept=options.keep) for report in reports)
        as_shipped = not (options.broken or options.eventual) and options.config.resolve() == CONFIG
        write_json(REPORT, reports, ok=ok, as_shipped=as_shipped, commit=commit)
        if not options.broken:
            print_table(console, reports, kept=options.keep)
        took = time.monotonic() - began
        if options.keep:
            stay(console, lanes.variables, planned)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # everything that was started, once it has ended
    worked = ended.ru_utime + ended.ru_stime + time.process_time()
    console.print(f"\n{took / 60:.1f} minutes, {worked / 60:.1f} of processor time", style="dim", highlight=False)
    console.print(f"report: {REPORT.relative_to(REPOSITORY)}", style="dim")
    return 0 if ok else 1


def _broken(name: str, file: Path, config: Config, state: Path) -> Iterator[Trial]:
    """The trial that a fault is put into."""
    fault = BREAKS[name]
    (solution,) = [one for one in SOLUTIONS if one.slug == fault.slug]
    for trial in trials(file, config.common, [solution], state / name, fault.variant, first_only=True):
        yield replace(trial, broken=name)


def _told(trial: Trial, report: SolutionReport, console: Console) -> bool:
    """Says whether the fault was noticed."""
    found = noticed(trial.broken, report)
    verdict = f"[green]noticed:[/] {found}" if found else f"[red]not noticed:[/] {report.verdict}"
    console.print(f"{trial.broken} in {trial.slug}: {verdict}", soft_wrap=True)
    return found is not None


def lanes_for(options: argparse.Namespace, trials: int) -> int:
    """How many lanes: one if the user looks around afterwards, or names the port, and never more than trials."""
    if options.keep or options.port:
        return 1
    wanted: int = options.lanes
    return max(1, min(wanted, trials))


def _wanted(config: Config, wanted: str) -> list[Solution]:
    enabled = [solution for solution in SOLUTIONS if config.solutions[solution.slug].enabled]
    return select(enabled, config.common, names_in(wanted))
