"""The arguments of ``python -m stacks``: which command was meant, with a suggestion where none was."""

import argparse
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from stacks.catalog import UnknownSolutionError, commands_of, named
from stacks.series import SOLUTIONS
from stacks.shared.command import Command

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config" / "config.yaml"
OTHERS = ("config", "cost", "leftovers")
EVERY = ("check", "cost", "confirm", "export")
"""Commands of every solution."""
EXPORT = "a template with its assets, for accounts without cdk bootstrap"


class UsageError(Exception):
    """The arguments cannot be used; the message is meant for the user."""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; ``run`` names what is to be run.

    Raises:
        UsageError: they cannot be used.
        UnknownSolutionError: no solution is called so.
    """
    words = list(arguments)
    return _parser(_subject(words)).parse_args(words)


def _subject(arguments: list[str]) -> str | None:
    """What comes first, as its slug is written: ``cdk list`` prints the names with hyphens. Changes it in place."""
    for index, argument in enumerate(arguments):
        if not argument.startswith("-"):
            if argument not in OTHERS:
                arguments[index] = _slug(argument)
            return arguments[index]
    return None


def _slug(name: str) -> str:
    try:
        return named(name, OTHERS).slug
    except UnknownSolutionError:
        if name in EVERY or any(name == each.name for solution in SOLUTIONS for each in own_commands(solution.slug)):
            raise UsageError(f"name a solution first: python -m stacks SOLUTION {name}") from None
        raise


class _Parser(argparse.ArgumentParser):
    """Errors are exceptions, and suggest what was probably meant."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = list(map(str, action.choices))
            close = get_close_matches(str(value), names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names)}"
            raise UsageError(f"{self.prog}: {value!r} is unknown; {hint}")


def _parser(subject: str | None) -> _Parser:
    """Knows the commands of the subject only: those of all solutions take a second to import."""
    shared = _Parser(add_help=False)
    shared.add_argument("--config", type=Path, default=CONFIG, help="configuration file (config/config.yaml)")
    shared.add_argument("--json", action="store_true", help="print JSON for programs")
    prices = _Parser(add_help=False)
    prices.add_argument("--prices", type=Path, help="YAML file of unit: price; without it: units only")

    parser = _Parser(prog="python -m stacks", description="Without arguments: lists the solutions.")
    parser.add_argument("--version", action="version", version=_version())
    if subject is None:
        parser.add_argument("--json", action="store_true", help="list the solutions as JSON for programs")
    parser.set_defaults(run="list")
    subjects = parser.add_subparsers(dest="solution", metavar="config | cost | leftovers | SOLUTION")
    config = subjects.add_parser("config", parents=[shared], help="check the configuration file")
    config.set_defaults(run="config")
    cost = subjects.add_parser("cost", parents=[shared, prices], help="what all solutions bill in an idle month")
    which = cost.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="of all enabled solutions")
    which.add_argument("--units", action="store_true", help="all units with an empty price: the start of a price file")
    cost.set_defaults(run="costs")
    left = subjects.add_parser("leftovers", parents=[shared], help="what carries this app's tags and no stack has")
    left.add_argument("--region", action="append", help="look there; may be given several times (your Region)")
    left.set_defaults(run="leftovers")
    for solution in SOLUTIONS:
        commands = subjects.add_parser(solution.slug, help=solution.summary).add_subparsers(
            dest="command", required=True, metavar="COMMAND"
        )
        if solution.slug == subject:
            _add_commands(commands, subject, shared, prices)
    return parser


def _add_commands(commands: Any, slug: str, shared: _Parser, prices: _Parser) -> None:
    check = commands.add_parser("check", parents=[shared], help="what would stop a deployment here")
    check.add_argument("--strict", action="store_true", help="exit 1, not 2, if something could not be looked at")
    check.set_defaults(run="check")
    cost = commands.add_parser("cost", parents=[shared, prices], help="what an idle month bills")
    cost.set_defaults(run="cost")
    export = commands.add_parser("export", parents=[shared], help=EXPORT, description=EXPORT)
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    export.set_defaults(run="export")
    confirm = commands.add_parser("confirm", parents=[shared], help="open questions that reading an account answers")
    confirm.set_defaults(run="confirm")
    for command in own_commands(slug):
        own = commands.add_parser(command.name, parents=[shared], help=command.help, description=command.help)
        command.arguments(own)
        own.set_defaults(run="own", own=command)


def _version() -> str:
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def own_commands(slug: str) -> tuple[Command, ...]:
    """The commands that only this solution has."""
    return getattr(commands_of(slug), "COMMANDS", ())
