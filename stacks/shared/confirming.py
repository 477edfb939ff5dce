"""Looks that answer an open entry of a solution's ``unconfirmed.md``: they read, or ask for a dry run; nothing changes.

A solution lists its own as ``LOOKS`` of its ``confirm.py``; ``python -m stacks <slug> confirm`` takes them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.shared.preflight import Clients

Answered = Literal["confirmed", "refuted", "seen", "open"]
"""seen: a fact that somebody has to judge; open: this account and Region cannot tell."""


@dataclass(frozen=True)
class Seen:
    """What a look has found.

    Attributes:
        says: what AWS has answered, in a line.
    """

    answer: Answered
    says: str


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        entry: the words with which the entry begins.
        asks: the calls that it makes, as IAM names them.
        look: given ``common``, the solution's settings and a maker of clients. Raises what the clients raise.
    """

    entry: str
    asks: tuple[str, ...]
    look: Callable[[CommonSettings, Any, Clients], Seen]


def parameters(clients: Clients, names: list[str]) -> Seen:
    """Whether public parameters exist: confirmed if all do."""
    missing = []
    for name in names:
        try:
            clients("ssm").get_parameter(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            missing.append(name)
    if missing:
        return Seen("refuted", f"not here: {', '.join(missing)}")
    return Seen("confirmed", f"{len(names)} of {len(names)} are here: {', '.join(names)}")
