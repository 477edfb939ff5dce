"""The PowerShell as a host runs it: the files in ``documents`` with the tables of the settings."""

import json
from pathlib import Path
from typing import Any, Literal

from stacks.credential_guard.settings import CredentialGuardSettings
from stacks.credential_guard.table import tables

DOCUMENTS = Path(__file__).parent / "documents"
MACHINE = "HKLM:"
Name = Literal["apply", "audit"]


def carried(settings: CredentialGuardSettings) -> dict[str, Any]:
    """The tables under these settings."""
    window = settings.window.table if settings.window else None
    return tables(platform=settings.platform, lsa=settings.lsa, reboot=settings.reboot, window=window)


def lines(name: Name, settings: CredentialGuardSettings, root: str = MACHINE) -> list[str]:
    """A script, line by line.

    Args:
        root: the registry key for the values; use one of your own to try it safely.
    """
    text = "".join((DOCUMENTS / f"{file}.ps1").read_text(encoding="utf-8") for file in ("common", name))
    filled = text.replace("@TABLES@", json.dumps(carried(settings), indent=1))
    return filled.replace(f"$root = '{MACHINE}'", f"$root = '{root}'").splitlines()
