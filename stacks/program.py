"""The command line of ``python -m stacks``: what each command does, and one sentence for whatever goes wrong."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text

from config.loader import Config, ConfigError
from stacks import confirmation, costs
from stacks.arguments import EVERY, UsageError, own_commands, parsed
from stacks.catalog import UnknownSolutionError, commands_of, named
from stacks.configuration import configuration
from stacks.series import SOLUTIONS
from stacks.shared.billing import PriceError
from stacks.shared.command import Answer, CommandError
from stacks.shared.preflight import Finding
from stacks.shared.printing import console, print_wide
from stacks.shared.session import clients_of, region_of

STYLES = {"ok": Style(color="green"), "problem": Style(color="red"), "unknown": Style(color="yellow")}
UNREACHABLE = "check your AWS profile, Region and network"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0: all is well; 1: the configuration, the prices, a check or a command has a problem; 2: unusable arguments, or
        a check that could not look at everything.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parsed(arguments)
        return _RUNS[options.run](options)
    except UsageError as error:
        return _fail(arguments, str(error), status=2)
    except UnknownSolutionError as error:
        return _fail(arguments, str(error), status=2)
    except (ConfigError, PriceError, CommandError) as error:
        return _fail(arguments, str(error))
    except ClientError as error:
        refused = error.response["Error"]
        return _fail(arguments, f"{error.operation_name}: {refused['Code']}: {refused.get('Message', '')}")
    except BotoCoreError as error:
        return _fail(arguments, f"{str(error).rstrip('.')}; {UNREACHABLE}")


def _fail(arguments: Sequence[str], message: str, *, status: int = 1) -> int:
    if "--json" in arguments:
        print(json.dumps({"error": message}, indent=2))
    else:
        print(message, file=sys.stderr)
    return status


def _load(options: argparse.Namespace, *slugs: str) -> Config:
    """The configuration, of which only these solutions' sections are wanted; without any: all."""
    return configuration(options.config, (lambda _: slugs) if slugs else None, option="--config FILE")


def _list(options: argparse.Namespace) -> int:
    if options.json:
        named_commands = [(solution, [*EVERY, *_own_names(solution.slug)]) for solution in SOLUTIONS]
        print(json.dumps([{**asdict(each), "commands": commands} for each, commands in named_commands], indent=2))
        return 0
    table = Table(Column("solution", no_wrap=True), Column("for", no_wrap=True), box=None)
    for solution in SOLUTIONS:
        table.add_row(solution.slug, solution.summary)
    print_wide(table)
    console.print(f"\nEvery solution has {', '.join(EVERY)}; besides:")
    sys.stdout.flush()  # the commands of all solutions take a second to import
    for solution in SOLUTIONS:
        if own := _own_names(solution.slug):
            console.print(f"  {solution.slug}: {', '.join(own)}", soft_wrap=True)
    console.print("\npython -m stacks SOLUTION COMMAND --help", style="dim")
    return 0


def _own_names(slug: str) -> list[str]:
    return [command.name for command in own_commands(slug)]


def _config(options: argparse.Namespace) -> int:
    config = _load(options)
    if options.json:
        enabled = [slug for slug, settings in config.solutions.items() if settings.enabled]
        print(json.dumps({"config": str(options.config), "ok": True, "enabled": enabled}, indent=2))
    else:
        console.print(
            Text.assemble(f"{options.config}: ", ("ok", STYLES["ok"]), f", {len(config.solutions)} solutions"),
            soft_wrap=True,
        )
    return 0


def _cost(options: argparse.Namespace) -> int:
    config = _load(options, options.solution)
    costs.of_one(options.solution, config, options.prices, as_json=options.json)
    return 0


def _costs(options: argparse.Namespace) -> int:
    if options.all:
        costs.of_all(_load(options), options.prices, as_json=options.json)
    elif options.units:
        costs.price_file(_load(options), as_json=options.json)
    else:
        raise UsageError("name a solution first: python -m stacks SOLUTION cost; or take cost --all, cost --units")
    return 0


# --- check, confirm and the commands of a solution --------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    config = _load(options, options.solution)
    region = region_of(config.common)
    found = [Finding("Region", "ok", f"{region.name} ({region.source})")]
    settings = config.solutions[options.solution]
    try:
        with console.status("looking at the account") as status:
            findings = commands_of(options.solution).findings(config.common, settings, clients_of(config.common))
            for finding in findings:
                found.append(finding)
                status.update(f"looked at {finding.what}")
    except (ClientError, BotoCoreError):
        if not options.json:
            _print_findings(found)
        raise
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        _print_findings(found)
    statuses = {finding.status for finding in found}
    if "problem" in statuses:
        return 1
    return (1 if options.strict else 2) if "unknown" in statuses else 0


def _print_findings(found: Sequence[Finding]) -> None:
    table = Table("", "what", "found", "what to do", box=None)
    for finding in found:
        table.add_row(Text(finding.status, STYLES[finding.status]), finding.what, finding.says, finding.fix)
    print_wide(table)


def _confirm(options: argparse.Namespace) -> int:
    config = _load(options, options.solution)
    settings = config.solutions[options.solution]
    region_of(config.common)  # without one nothing can be asked
    with console.status("looking at the account"):
        clients = clients_of(config.common)
    return confirmation.told(options.solution, config.common, settings, clients, as_json=options.json)


def _own(options: argparse.Namespace) -> int:
    config = _load(options, options.solution)
    with console.status(options.own.help):
        settings = config.solutions[options.solution]
        answer = options.own.run(options, config.common, settings, clients_of(config.common))
    return _printed(answer, as_json=options.json)


def _export(options: argparse.Namespace) -> int:
    from stacks.export.command import export  # the CDK takes seconds to import

    config = _load(options, options.solution)
    with console.status("synthesizing"):
        settings = config.solutions[options.solution]
        answer = export(named(options.solution), config.common, settings, options.out)
    return _printed(answer, as_json=options.json)


def _leftovers(options: argparse.Namespace) -> int:
    from stacks.leftovers.listing import answer

    # Of no solution is anything asked but its tag.
    common = configuration(options.config, lambda _: (), option="--config FILE").common
    with console.status("looking for leftovers"):
        found = answer(clients_of(common), options.region or [region_of(common).name], datetime.now(UTC))
    return _printed(found, as_json=options.json)


def _printed(answer: Answer, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(answer.data, indent=2))
        return int(not answer.ok)
    if answer.rows:
        table = Table(*(Column(name, overflow="fold") for name in answer.columns), box=None)
        for row in answer.rows:
            table.add_row(*row)
        print_wide(table)
    for line in answer.lines:
        print(line)
    for note in answer.notes:
        console.print(note, style="dim")
    return int(not answer.ok)


_RUNS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "config": _config,
    "cost": _cost,
    "costs": _costs,
    "check": _check,
    "confirm": _confirm,
    "own": _own,
    "export": _export,
    "leftovers": _leftovers,
}
