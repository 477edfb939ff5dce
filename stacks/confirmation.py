"""``python -m stacks SOLUTION confirm``: the open entries of its unconfirmed.md, as far as looks can answer them."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Column, Table
from rich.text import Text

from config.models import CommonSettings
from stacks.shared.command import CommandError
from stacks.shared.confirming import Look
from stacks.shared.preflight import CREDENTIALS, DENIED, Clients
from stacks.shared.printing import console, print_wide

ROOT = Path(__file__).parents[1]
_ROW = re.compile(r"^\| (?P<what>.+?) \| (?P<how>.+) \|$")
_BAR = "\0"
ANSWERED = ("confirmed", "refuted", "seen")
STYLES = {"confirmed": "green", "refuted": "red", "refused": "yellow", "unknown": "yellow", "deploy": "dim"}


@dataclass(frozen=True)
class Entry:
    """One row of an ``unconfirmed.md``.

    Attributes:
        what: what could not be confirmed.
        how: what would confirm it.
    """

    what: str
    how: str


@dataclass(frozen=True)
class Row:
    """What became of an entry.

    Attributes:
        answer: of a look; or ``refused``: the caller may not ask; ``unknown``: AWS has answered otherwise; ``deploy``:
            no look can answer it, and *says* is what would.
        asked: the calls.
    """

    entry: str
    answer: str
    says: str
    asked: tuple[str, ...] = ()


def entries_of(slug: str) -> list[Entry]:
    """The rows of the table in a solution's ``unconfirmed.md``."""
    text = (ROOT / "stacks" / slug / "unconfirmed.md").read_text(encoding="utf-8").replace("\\|", _BAR)
    found = [match for line in text.splitlines() if (match := _ROW.match(line))]
    rows = [Entry(*(match[cell].replace(_BAR, "|") for cell in ("what", "how"))) for match in found]
    return [row for row in rows if row.what not in ("what", "---")]


def looks_of(slug: str) -> tuple[Look, ...]:
    """The looks of a solution; most have some."""
    if find_spec(f"stacks.{slug}.confirm") is None:
        return ()
    found: tuple[Look, ...] = import_module(f"stacks.{slug}.confirm").LOOKS
    return found


def confirm(slug: str, common: CommonSettings, settings: Any, clients: Clients) -> Iterator[Row]:
    """Answers one entry after another; what cannot be asked stops no other.

    Raises:
        BotoCoreError, ClientError: nothing can be asked: no connection, or no credentials that count.
    """
    looks = looks_of(slug)
    if looks:
        clients("sts").get_caller_identity()
    for entry in entries_of(slug):
        mine = [look for look in looks if entry.what.startswith(look.entry)]
        for look in mine:
            yield _looked(entry, look, common, settings, clients)
        if not mine:
            yield Row(entry.what, "deploy", entry.how)


def _looked(entry: Entry, look: Look, common: CommonSettings, settings: Any, clients: Clients) -> Row:
    try:
        seen = look.look(common, settings, clients)
    except ClientError as error:
        refused = error.response["Error"]
        code, said = refused["Code"], refused.get("Message", "").rstrip(".")
        if code in CREDENTIALS:
            raise
        if code in DENIED:
            return Row(entry.what, "refused", f"{error.operation_name}: {code}; allow your role this call", look.asks)
        return Row(entry.what, "unknown", f"{error.operation_name}: {code}: {said}", look.asks)
    except BotoCoreError as error:  # STS has answered: the Region lacks the service, or does not answer in time
        return Row(entry.what, "unknown", str(error).splitlines()[0].rstrip("."), look.asks)
    except (CommandError, ValueError) as error:
        return Row(entry.what, "unknown", str(error), look.asks)
    except (KeyError, IndexError) as error:
        return Row(entry.what, "unknown", f"the answer of AWS has no {error.args[0]}", look.asks)
    return Row(entry.what, seen.answer, seen.says, look.asks)


def told(slug: str, common: CommonSettings, settings: Any, clients: Clients, *, as_json: bool) -> int:
    """Prints what became of each entry.

    Returns:
        0; 1: an entry is refuted; 2: one could not be asked.
    """
    rows = list(confirm(slug, common, settings, clients))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        table = Table("", *(Column(name, overflow="fold") for name in ("entry", "seen, or what would tell")), box=None)
        for row in rows:
            table.add_row(Text(row.answer, STYLES.get(row.answer, "")), row.entry, row.says)
        print_wide(table)
        answered = sum(row.answer in ANSWERED for row in rows)
        console.print(
            f"{answered} of {len(rows)} answered by reading and dry runs; nothing was changed. For what waits for a "
            f"deployment: make verify SOLUTION={slug}, or by hand.",
            style="dim",
            soft_wrap=True,
        )
    answers = {row.answer for row in rows}
    if "refuted" in answers:
        return 1
    return 2 if answers & {"refused", "unknown"} else 0
