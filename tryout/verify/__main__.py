"""``make verify``: the steps of one scenario that an account can be asked for, in a named account and Region."""

import argparse
import fcntl
import json
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.loader import ConfigError
from stacks.catalog import UnknownSolutionError, commands_of, named
from stacks.shared.billing import PriceError
from stacks.shared.command import CommandError
from tryout.cdk.cli import CdkError
from tryout.paths import CONFIG, LOCAL, REPORT, REPOSITORY, VERIFIED
from tryout.report import SolutionReport
from tryout.verify.account import Account, VerifyError
from tryout.verify.plan import Plan, planned, show
from tryout.verify.run import Verification, written

Json = dict[str, Any]
ERRORS = (ConfigError, UnknownSolutionError, PriceError, CommandError, CdkError, VerifyError)


def main() -> int:
    """Runs the verification.

    Returns:
        0: everything that was played passed, and nothing is left; 1: something did not, or cannot be verified; 130:
        interrupted.
    """
    parser = argparse.ArgumentParser(prog="make verify")
    parser.add_argument("--solution", required=True, help="the one solution")
    parser.add_argument("--profile", required=True, help="AWS profile of the account, of ~/.aws/config")
    parser.add_argument("--region", required=True, help="Region to deploy to")
    parser.add_argument("--variant", help="variant of the scenario; default: the first that an account can have")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--prices", type=Path, help="YAML file of unit: price; without it: units only")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    console = Console(highlight=False) if sys.stdout.isatty() else Console(width=160, highlight=False)
    try:
        LOCAL.mkdir(exist_ok=True)
        with (LOCAL / "verify.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _verified(options, console)
    except BlockingIOError:
        print("verify: another make verify runs in this folder: let it end first", file=sys.stderr)
        return 1
    except ERRORS as error:
        print(f"verify: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("verify: interrupted before anything was deployed", file=sys.stderr)
        return 130


def _verified(options: argparse.Namespace, console: Console) -> int:
    solution = named(options.solution)
    account = Account(options.profile, options.region)
    state = LOCAL / "verify"
    shutil.rmtree(state, ignore_errors=True)
    plan = planned(solution, options.variant, options.config, account, state)
    verification = Verification(account, plan, lambda text: console.print(f"verify: {text}", soft_wrap=True))
    verification.refuse_what_is_there()
    _insist_on_readiness(plan, account, console)
    verification.synthesize()
    show(plan, account, options.prices, console)
    if not options.yes and not _agreed(plan, account):
        print("verify: nothing was deployed", file=sys.stderr)
        return 1
    report = verification.run()
    modelled = _modelled(plan)
    ok = written(report, account, modelled, VERIFIED)
    _show(report, modelled, console)
    console.print(f"report: {VERIFIED.relative_to(REPOSITORY)}", style="dim")
    if report.problem.startswith("interrupted"):
        return 130
    return 0 if ok else 1


def _insist_on_readiness(plan: Plan, account: Account, console: Console) -> None:
    """What would stop a deployment is said before it begins, all at once: a missing bootstrap among it."""
    slug, config = plan.trial.slug, plan.config
    with account.reached():
        found = list(commands_of(slug).findings(config.common, config.solutions[slug], account.for_commands))
    for finding in found:
        if finding.status == "unknown":
            console.print(f"verify: could not look at {finding.what}: {finding.says}", soft_wrap=True)
    if problems := [f"{each.what}: {each.says}. {each.fix}".rstrip(". ") for each in found if each.status == "problem"]:
        raise VerifyError(f"{slug} could not be deployed here: {'; '.join(problems)}")


def _agreed(plan: Plan, account: Account) -> bool:
    """Asks somebody; where nobody is there, nobody has agreed."""
    if not sys.stdin.isatty():
        print("verify: nobody is there to ask; to go on without, give --yes (YES=1)", file=sys.stderr)
        return False
    question = (
        f"\nDeploy {plan.trial.stack} to account {account.account} in {account.region}, and destroy it afterwards?"
    )
    return input(f"{question} [yes/no] ").strip().lower() == "yes"


def _modelled(plan: Plan) -> Mapping[str, Json]:
    """What ``make try`` has seen last of the same variant, by the titles of its steps."""
    try:
        tried = json.loads(REPORT.read_text(encoding="utf-8"))["solutions"]
    except (OSError, ValueError, LookupError):
        return {}
    return {
        step["step"]: {"ok": step["ok"], "detail": step["detail"], "evidence": step["evidence"]}
        for report in tried
        if (report["slug"], report["variant"]) == (plan.trial.slug, plan.trial.variant)
        for step in report["scenario"]
    }


def _show(report: SolutionReport, modelled: Mapping[str, Json], console: Console) -> None:
    table = Table("step", "observed", "modelled", box=None, header_style="bold", pad_edge=False)
    for step in report.scenario:
        told = modelled.get(step.step)
        model = f"{told['detail']} ({told['evidence']})" if told else "not tried here: make try"
        observed = Text(step.detail if step.ok else f"failed: {step.detail}", "green" if step.ok else "red")
        table.add_row(Text(step.step), observed, Text(model))
    for one in report.steps_not_run:
        table.add_row(Text(one.step), Text(f"not run: {one.why}", "yellow"), "")
    console.print()
    console.print(table)
    if report.left_behind:
        console.print(Text(f"left behind: {', '.join(report.left_behind)}", "red"), soft_wrap=True)
    if report.problem:
        console.print(Text(report.problem, "red"), soft_wrap=True)
    end = "everything is destroyed" if report.destroyed_clean else "not everything is destroyed"
    diff = "" if report.diff_empty or not report.deployed else "; cdk diff is not empty"
    console.print(f"{report.seconds / 60:.1f} minutes; {end}{diff}")


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
