"""Plays the steps of a scenario: each passes, fails, or is not run, because it lacks a tool or a step before it."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from emulator.client import EmulatorError
from tryout.report import NotRun, SolutionReport, StepReport
from tryout.scenario import Scenario
from tryout.steps import Step, StepFailedError, StepNotRunError

BROKEN = (ClientError, BotoCoreError, OSError, LookupError, ValueError, EmulatorError)


def play(scenario: Scenario, report: SolutionReport, show: Callable[[str], object]) -> None:
    """Plays every step whose ground was laid, and reports each."""
    missing: dict[str, str] = {}  # titles of the steps that were not run, or failed, by their names
    for step in scenario.steps():
        awaited = [title for name, title in missing.items() if step.needs is None or name in step.needs]
        if awaited:
            report.steps_not_run.append(NotRun(step.title, f"waits for: {awaited[0]}"))
            missing[step.name] = step.title
            continue
        show(step.title)
        if not _passes(step, scenario, report):
            missing[step.name] = step.title


def _passes(step: Step, scenario: Scenario, report: SolutionReport) -> bool:
    """Runs one step and reports it."""
    try:
        report.scenario.append(StepReport(step.title, True, step.evidence, step.run(scenario)))
    except StepNotRunError as missing:
        report.steps_not_run.append(NotRun(step.title, str(missing)))
        return False
    except StepFailedError as failed:
        report.scenario.append(StepReport(step.title, False, step.evidence, str(failed)))
        return False
    except BROKEN as error:
        report.scenario.append(StepReport(step.title, False, step.evidence, f"{type(error).__name__}: {error}"))
        return False
    return True
