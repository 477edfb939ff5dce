"""Plays the steps of a scenario: each passes, fails, or is not run, because it lacks a tool or a step before it."""

from collections.abc import Callable, Iterable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from emulator.client import EmulatorError
from tryout.report import NotRun, SolutionReport, StepReport
from tryout.scenario import Scenario
from tryout.steps import Step, StepFailedError, StepNotRunError

BROKEN = (ClientError, BotoCoreError, OSError, LookupError, ValueError, EmulatorError)


def play(
    scenario: Scenario,
    report: SolutionReport,
    show: Callable[[str], object],
    denials: Callable[[], Sequence[str]] = tuple,
    steps: Iterable[Step] | None = None,
) -> None:
    """Plays every step whose ground was laid, and reports each.

    Args:
        denials: which deliveries were denied since it was asked last. A step fails of them, whatever else it saw: in an
            account nobody would be told.
        steps: those to play; by default all of the scenario on the embedded AWS.
    """
    missing: dict[str, str] = {}  # titles of the steps that were not run, or failed, by their names
    for step in scenario.steps() if steps is None else steps:
        awaited = [title for name, title in missing.items() if step.needs is None or name in step.needs]
        if awaited:
            report.steps_not_run.append(NotRun(step.title, f"waits for: {awaited[0]}"))
            missing[step.name] = step.title
            continue
        show(step.title)
        if not _passes(step, scenario, report, denials):
            missing[step.name] = step.title


def _passes(step: Step, scenario: Scenario, report: SolutionReport, denials: Callable[[], Sequence[str]]) -> bool:
    """Runs one step and reports it."""
    ok = False
    try:
        said, ok = step.run(scenario), True
    except StepNotRunError as missing:
        report.steps_not_run.append(NotRun(step.title, str(missing)))
        return False
    except StepFailedError as failed:
        said = str(failed)
    except BROKEN as error:
        said = f"{type(error).__name__}: {error}"
    denied = denials()
    ok = ok and not denied
    report.scenario.append(StepReport(step.title, ok, step.evidence, "; ".join([said, *denied])))
    return ok
