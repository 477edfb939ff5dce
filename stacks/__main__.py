"""``python -m stacks``: what the solutions offer besides ``cdk``: checks, costs, and each solution's own commands."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Column, Table

from config.loader import Config, ConfigError, load
from stacks.catalog import SOLUTIONS, settings_by_slug
from stacks.shared.billing import PriceError, read_prices
from stacks.shared.command import Command, CommandError
from stacks.shared.preflight import Clients, Finding

CONFIG = Path(__file__).parents[1] / "config" / "config.yaml"
MARKS = {"ok": "[green]ok", "problem": "[red]problem", "unknown": "[yellow]unknown"}

console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0: all is well; 1: the configuration, the prices, a check or a command has a problem; 2: unusable arguments.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.solution is None:
            return _list(options.json)
        config = load(options.config, settings_by_slug(), option="--config <file>")
        if options.solution == "config":
            console.print(f"{options.config}: [green]ok[/], {len(config.solutions)} solutions")
            return 0
        return int(options.run(options, config))
    except (ConfigError, PriceError, CommandError) as error:
        print(error, file=sys.stderr)
    except ClientError as error:
        refused = error.response["Error"]
        print(f"{error.operation_name}: {refused['Code']}: {refused.get('Message', '')}", file=sys.stderr)
    except BotoCoreError as error:
        print(f"{error}; check your AWS profile, Region and network", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stacks", description="Without arguments: lists the solutions.")
    parser.set_defaults(json=False)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, default=CONFIG, help="configuration file (config/config.yaml)")
    shared.add_argument("--json", action="store_true", help="print JSON for programs")
    subjects = parser.add_subparsers(dest="solution", metavar="config | SOLUTION")
    subjects.add_parser("config", parents=[shared], help="check the configuration file")
    for solution in SOLUTIONS:
        commands = subjects.add_parser(solution.slug, help=solution.title).add_subparsers(
            dest="command", required=True, metavar="COMMAND"
        )
        check = commands.add_parser("check", parents=[shared], help="what would stop a deployment here")
        check.set_defaults(run=_check)
        cost = commands.add_parser("cost", parents=[shared], help="what an idle month bills")
        cost.add_argument("--prices", type=Path, help="YAML file of unit: price; without it: units only")
        cost.set_defaults(run=_cost)
        for command in _own_commands(solution.slug):
            own = commands.add_parser(command.name, parents=[shared], help=command.help, description=command.help)
            command.arguments(own)
            own.set_defaults(run=_own, own=command)
    return parser


def _list(as_json: bool) -> int:
    if as_json:
        print(json.dumps([asdict(solution) for solution in SOLUTIONS], indent=2))
        return 0
    table = Table(Column("solution", no_wrap=True), "commands", "post", box=None)
    for solution in SOLUTIONS:
        names = ["check", "cost", *(command.name for command in _own_commands(solution.slug))]
        table.add_row(solution.slug, ", ".join(names), solution.title)
    console.print(table)
    console.print("\npython -m stacks <solution> <command> --help", style="dim")
    return 0


def _cost(options: argparse.Namespace, config: Config) -> int:
    settings = config.solutions[options.solution]
    units = [unit for unit in _commands(options.solution).idle_month(config.common, settings) if unit.quantity]
    prices = read_prices(options.prices) if options.prices else {}
    rows = [{**asdict(unit), **({"money": unit.money(prices)} if prices else {})} for unit in units]
    if options.json:
        print(json.dumps({"solution": options.solution, "idle_month": rows}, indent=2))
        return 0
    table = Table("unit", "a month", "of", *(["money"] if prices else []), box=None)
    for unit in units:
        money = unit.money(prices)
        priced = [] if not prices else ["no price" if money is None else f"{money:,.2f}"]
        table.add_row(unit.unit, f"{unit.quantity:,.0f}", unit.of, *priced)
    console.print(table)
    if prices:
        known = [money for unit in units if (money := unit.money(prices)) is not None]
        console.print(f"\n{sum(known):,.2f} a month, for the {len(known)} of {len(units)} units that have a price")
    else:
        console.print("\nAn idle month; messages and the instances that they start come on top.", style="dim")
        console.print("Money: --prices FILE, a YAML file of 'unit: price'.", style="dim")
    return 0


def _check(options: argparse.Namespace, config: Config) -> int:
    found: list[Finding] = []
    clients = _clients(config)
    with console.status("looking at the account") as status:
        for finding in _commands(options.solution).findings(config.common, config.solutions[options.solution], clients):
            found.append(finding)
            status.update(f"looked at {finding.what}")
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        table = Table("", "what", "found", "what to do", box=None)
        for finding in found:
            table.add_row(MARKS[finding.status], finding.what, finding.says, finding.mend)
        console.print(table)
    return int(any(finding.status == "problem" for finding in found))


def _own(options: argparse.Namespace, config: Config) -> int:
    with console.status(options.own.help):
        answer = options.own.run(options, config.common, config.solutions[options.solution], _clients(config))
    if options.json:
        print(json.dumps(answer.data, indent=2))
    else:
        table = Table(*answer.columns, box=None)
        for row in answer.rows:
            table.add_row(*row)
        console.print(table)
        for note in answer.notes:
            console.print(note, style="dim")
    return int(not answer.ok)


def _clients(config: Config) -> Clients:
    """Clients of the configured Region, or of the AWS profile's, that give up soon enough for someone who waits."""
    retries = ClientConfig(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=20)
    session = boto3.Session(region_name=config.common.region)

    def client(service: str, region: str | None = None, /) -> Any:
        if region is None and session.region_name is None:
            raise CommandError("no Region: set common.region, AWS_REGION, or the Region of your profile")
        return session.client(service, region_name=region, config=retries)

    return client


def _own_commands(slug: str) -> tuple[Command, ...]:
    return getattr(_commands(slug), "COMMANDS", ())


def _commands(slug: str) -> Any:
    return import_module(f"stacks.{slug}.commands")


if __name__ == "__main__":
    sys.exit(main())
