"""``make verify``: the steps of one scenario that an account can be asked for, in a named account and Region."""

import argparse
import fcntl
import shutil
import signal
import sys
from pathlib import Path

from rich.console import Console

from config.loader import ConfigError
from stacks.catalog import UnknownSolutionError, commands_of, named
from stacks.shared.billing import PriceError
from stacks.shared.command import CommandError
from tryout.cdk.cli import CdkError
from tryout.paths import CONFIG, LOCAL, REPOSITORY, VERIFIED
from tryout.verify.account import Account, VerifyError
from tryout.verify.plan import Plan, planned, show
from tryout.verify.report import Observed, modelled
from tryout.verify.run import INTERRUPTED, Verification

ERRORS = (ConfigError, UnknownSolutionError, PriceError, CommandError, CdkError, VerifyError)


def main() -> int:
    """Runs the verification.

    Returns:
        0: everything that was played passed, and nothing is left; 1: something did not, or cannot be verified; 130:
        interrupted.
    """
    parser = argparse.ArgumentParser(prog="make verify")
    parser.add_argument("--solution", help="the one solution")
    parser.add_argument("--profile", help="AWS profile of the account, of ~/.aws/config")
    parser.add_argument("--region", help="Region to deploy to")
    parser.add_argument("--variant", help="variant of the scenario; default: the first that an account can have")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--prices", type=Path, help="YAML file of unit: price; without it: units only")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--local", type=Path, default=LOCAL, help="folder of the report and of everything written")
    options = parser.parse_args()
    if missing := [name for name in ("solution", "profile", "region") if not getattr(options, name)]:
        parser.error(f"name {', '.join(f'{name.upper()}=' for name in missing)}: nothing is taken for granted here")
    signal.signal(signal.SIGTERM, _interrupted)
    console = Console(highlight=False) if sys.stdout.isatty() else Console(width=160, highlight=False)
    try:
        options.local.mkdir(exist_ok=True)
        with (options.local / "verify.lock").open("w") as lock:
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
    state = options.local / "verify"
    shutil.rmtree(state, ignore_errors=True)
    file = options.local / VERIFIED.name
    plan = planned(solution, options.variant, options.config, account, state, file)
    verification = Verification(account, plan, lambda text: console.print(f"verify: {text}", soft_wrap=True))
    verification.refuse_what_is_there()
    _insist_on_readiness(plan, account, console)
    verification.synthesize()
    show(plan, account, options.prices, console)
    if not options.yes and not _agreed(plan, account):
        print("verify: nothing was deployed", file=sys.stderr)
        return 1
    report = verification.run()
    observed = Observed(report, account, modelled(report), verification.begun)
    observed.write(file)
    observed.show(console)
    shown = file.relative_to(REPOSITORY) if file.is_relative_to(REPOSITORY) else file
    console.print(f"report: {shown}", style="dim")
    if report.problem.startswith(INTERRUPTED):
        return 130
    return 0 if observed.ok else 1


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
    where = f"account {account.account} in {account.region}"
    question = f"\nDeploy {plan.trial.stack} to {where}, and destroy it afterwards? [yes/no] "
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:  # Ctrl-D
        print()
        return False


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
