"""A command that a solution offers to people besides ``check`` and ``cost``.

A solution lists its own in ``COMMANDS`` of its ``commands.py``; ``python -m stacks <slug> <command>`` runs them.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.models import CommonSettings
from stacks.shared.preflight import Clients


class CommandError(Exception):
    """A command cannot do what was asked; the message is meant for the user."""


@dataclass(frozen=True)
class Answer:
    """What a command found or did.

    Attributes:
        columns, rows: a table for people.
        data: the same for programs, as JSON knows it (``--json``).
        lines: text that people copy, such as paths or a diagram: printed as it is, never wrapped or cut.
        notes: sentences below the table.
        ok: False ends the command with exit status 1.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    data: Any
    notes: Sequence[str] = field(default=())
    ok: bool = True
    lines: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        run: given the parsed options, ``common``, the solution's settings and a maker of clients. Raises CommandError.
        arguments: adds the command's own arguments; ``--config`` and ``--json`` are there already.
    """

    name: str
    help: str
    run: Callable[[Namespace, CommonSettings, Any, Clients], Answer]
    arguments: Callable[[ArgumentParser], object] = lambda _: None
