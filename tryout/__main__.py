"""``make try``: bootstraps, deploys, tries, compares and destroys every enabled solution on the embedded AWS."""

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from config.loader import Config, ConfigError, load
from emulator.client import EmbeddedAws, EmulatorError
from stacks.catalog import SOLUTIONS, Solution, UnknownSolutionError, select, settings_by_slug
from tryout.cdk import REPOSITORY, Cdk, CdkError
from tryout.inventory import inventory
from tryout.report import NotRun, SolutionReport, StepReport, print_table, write_json
from tryout.scenario import Deployed, Step, StepFailedError, StepNotRunError, scenario_of

LOCAL = REPOSITORY / ".local"
CONFIG = REPOSITORY / "config" / "config.yaml"
REPORT = LOCAL / "try-report.json"
KEPT = LOCAL / "pictures"

Json = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One variant of a solution, with a folder for its configuration, cloud assembly, logs and scenario."""

    solution: Solution
    variant: str
    folder: Path
    config: Config

    @property
    def name(self) -> str:
        """Names it in messages."""
        return f"{self.solution.slug} ({self.variant})"

    @property
    def assembly(self) -> Path:
        """The cloud assembly."""
        return self.folder / "cdk.out"

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self.solution.stack_name(self.config.common)


class Syntheses:
    """Synthesizes trials ahead, one after the other: it needs no AWS, and a scenario mostly waits for workers."""

    def __init__(self, cdk: Cdk, trials: Sequence[Trial]) -> None:
        self._cdk = cdk
        self._to_come = iter(trials)
        self._begun: dict[str, Future[None]] = {}
        self._executor = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def begin_next(self) -> None:
        """Starts the next one, if there is one."""
        if trial := next(self._to_come, None):
            self._begun[trial.name] = self._executor.submit(self._synthesize, trial)

    def wait_for(self, trial: Trial) -> None:
        """Waits until a trial's cloud assembly is there.

        Raises:
            CdkError: it could not be synthesized.
        """
        while trial.name not in self._begun:  # the trial before it failed too early to begin it
            self.begin_next()
        self._begun[trial.name].result()

    def _synthesize(self, trial: Trial) -> None:
        options = ("--output", str(trial.assembly), "--context", f"config={trial.folder / 'config.yaml'}")
        self._cdk.require(trial.folder / "synth.log", "synth", "--quiet", "--exclusively", trial.stack, *options)


def main() -> int:
    """Runs the try-out.

    Returns:
        0 only if everything passed.
    """
    parser = argparse.ArgumentParser(prog="make try")
    parser.add_argument("--solution", help="only this one")
    parser.add_argument("--variant", help="only the variant of this name")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--keep", action="store_true", help="leave the embedded AWS and the stacks running")
    parser.add_argument("--strict", action="store_true", help="a step that cannot run here fails")
    parser.add_argument("--port", type=int, help="port of the embedded AWS; default: a free one")
    options = parser.parse_args()
    console = Console() if sys.stdout.isatty() else Console(width=120)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        return _try(options, console)
    except (ConfigError, UnknownSolutionError, EmulatorError, CdkError) as error:
        print(f"try: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("try: interrupted; everything that was started has been stopped", file=sys.stderr)
        return 130


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _try(options: argparse.Namespace, console: Console) -> int:
    solutions = _wanted(options.config, options.solution)
    LOCAL.mkdir(exist_ok=True)
    state = LOCAL / "try"
    with (LOCAL / "try.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmulatorError("another make try runs, or is kept, in this folder: end it first") from None
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        return _run_all(options, console, state, solutions)


def _run_all(options: argparse.Namespace, console: Console, state: Path, solutions: Sequence[Solution]) -> int:
    trials = list(_trials(options.config, solutions, state, options.variant, first_only=options.keep))
    reports: list[SolutionReport] = []
    with ExitStack() as stack:
        show = stack.enter_context(_progress(console))
        show("starting the embedded AWS")
        aws = EmbeddedAws(state / "aws", port=options.port)
        # `make check` and every other synthesis validate the templates, which takes seconds and needs no AWS.
        cdk = Cdk({**aws.environment(), "CDK_VALIDATION": "false"})
        syntheses = stack.enter_context(Syntheses(cdk, trials))
        stack.callback(cdk.stop)
        syntheses.begin_next()
        stack.enter_context(aws)
        show("cdk bootstrap")
        cdk.require(state / "bootstrap.log", "bootstrap", "--app", "", f"aws://{aws.account}/{aws.region}")
        for trial in trials:
            report = SolutionReport(trial.solution.slug, trial.variant, trial.stack)
            reports.append(report)
            _run(trial, aws, cdk, syntheses, report, show, keep=options.keep)
        ok = all(report.ok(strict=options.strict, kept=options.keep) for report in reports)
        write_json(REPORT, reports, ok=ok)
        show("")
        print_table(console, reports, kept=options.keep)
        console.print(f"\nreport: {REPORT.relative_to(REPOSITORY)}", style="dim")
        if options.keep:
            _stay(console, aws, trials)
    return 0 if ok else 1


def _wanted(config_file: Path, wanted: str | None) -> list[Solution]:
    config = load(config_file, settings_by_slug(), option="--config <file>")
    enabled = [solution for solution in SOLUTIONS if config.solutions[solution.slug].enabled]
    return select(enabled, config.common, [wanted] if wanted else [])


def _trials(
    config_file: Path, solutions: Sequence[Solution], state: Path, only: str | None, *, first_only: bool
) -> Iterator[Trial]:
    """Every variant of every solution; the files for it are written.

    Two variants of a stack cannot live at once, so that only the first can be kept.
    """
    raw = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    for solution in solutions:
        known = scenario_of(solution.slug).variants
        if only not in (None, *known):
            raise EmulatorError(f"{solution.slug} has no variant {only!r}; there are {', '.join(known)}")
        variants = [each for each in known.items() if only in (None, each[0])]
        for variant, overrides in variants[: 1 if first_only else None]:
            folder = state / solution.slug / variant
            folder.mkdir(parents=True)
            path = folder / "config.yaml"
            path.write_text(yaml.safe_dump(_overridden(raw, solution.slug, overrides)), encoding="utf-8")
            yield Trial(solution, variant, folder, load(path, settings_by_slug()))


def _overridden(raw: Json, slug: str, overrides: Any) -> Json:
    solutions = raw.get("solutions") or {}
    section = {**(solutions.get(slug) or {}), **overrides}
    # The embedded AWS is one account and Region of its own, and has no network or key of the user's.
    common = {key: value for key, value in (raw.get("common") or {}).items() if key in ("prefix", "tags")}
    return {"common": common, "solutions": {**solutions, slug: section}}


def _run(
    trial: Trial,
    aws: EmbeddedAws,
    cdk: Cdk,
    syntheses: Syntheses,
    report: SolutionReport,
    show: Any,
    *,
    keep: bool,
) -> None:
    where = f"{trial.name}: "
    scenario_of(trial.solution.slug).prepare(aws)
    before = inventory(aws.client)
    try:
        show(where + "cdk synth")
        syntheses.wait_for(trial)
        started = time.monotonic()
        app = ("--app", str(trial.assembly))
        show(where + "cdk deploy")
        outputs = trial.folder / "outputs.json"
        options = ("--require-approval", "never", "--outputs-file", str(outputs))
        cdk.require(trial.folder / "deploy.log", "deploy", trial.stack, *app, *options)
        report.deployed = True
        deployed = Deployed(
            aws,
            trial.stack,
            json.loads(outputs.read_text(encoding="utf-8"))[trial.stack],
            trial.config.solutions[trial.solution.slug],
            trial.folder / "scenario",
            KEPT,
            trial.solution.slug,
            trial.variant,
        )
        deployed.folder.mkdir()
        report.resources = sum(len(ids) for ids in deployed.resources.values())
        show(where + "cdk diff")
        report.diff_empty = cdk(trial.folder / "diff.log", "diff", trial.stack, *app, "--fail", "--no-change-set") == 0
        syntheses.begin_next()
        with scenario_of(trial.solution.slug)(deployed, trial.variant) as scenario:
            for step in scenario.steps():
                show(where + step.title)
                if not _step(step, scenario, report):
                    break  # the steps after it build on it
        if not keep:
            show(where + "cdk destroy")
            cdk.require(trial.folder / "destroy.log", "destroy", trial.stack, *app, "--force")
            report.left_behind = sorted(inventory(aws.client) - before)
            report.destroyed_clean = not report.left_behind
    except CdkError as error:
        report.problem = str(error)
    except (ClientError, BotoCoreError) as error:
        report.problem = f"the scenario could not begin, or tidy up after itself: {error}"
    report.seconds = time.monotonic() - started if report.deployed else 0


def _step(step: Step, scenario: Any, report: SolutionReport) -> bool:
    """Runs one step and reports it; False if it failed."""
    try:
        report.scenario.append(StepReport(step.title, True, step.evidence, step.run(scenario)))
    except StepNotRunError as missing:
        report.steps_not_run.append(NotRun(step.title, str(missing)))
    except StepFailedError as failed:
        report.scenario.append(StepReport(step.title, False, step.evidence, str(failed)))
        return False
    except (ClientError, BotoCoreError, OSError, LookupError, ValueError, EmulatorError) as error:
        report.scenario.append(StepReport(step.title, False, step.evidence, f"{type(error).__name__}: {error}"))
        return False
    return True


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    """A line that says what is under way; where nobody watches, a line for each thing."""
    if not console.is_terminal:
        yield lambda text: console.print(f"try: {text}", soft_wrap=True, highlight=False) if text else None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("")
        room = console.width - 12  # the spinner and the clock
        yield lambda text: progress.update(task, description=text[:room]) if text else progress.stop()


def _stay(console: Console, aws: EmbeddedAws, trials: list[Trial]) -> None:
    """Keeps it all running until Ctrl-C."""
    console.print("\nThe embedded AWS stays up until Ctrl-C. In another terminal, in this folder:\n")
    for name, value in aws.variables().items():
        console.print(f"  export {name}={value}", soft_wrap=True, highlight=False)
    bin_folders = os.pathsep.join([".venv/bin", "node_modules/.bin", "$PATH"])
    console.print(f"  export PATH={bin_folders}", soft_wrap=True, highlight=False)
    for trial in trials:
        console.print(f"  cdk diff {trial.stack} --app {trial.assembly.relative_to(REPOSITORY)}", soft_wrap=True)
    console.print("  aws cloudformation describe-stacks", soft_wrap=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        console.print("\nstopping")


if __name__ == "__main__":
    sys.exit(main())
