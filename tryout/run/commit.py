"""Which commit a try-out tries."""

import subprocess

from tryout.paths import REPOSITORY

_NOT_TRIED = ("docs/", "website/", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
"""What may differ from the commit: no try-out reads it."""


def commit_of_the_sources() -> str:
    """The present commit, if nothing that a try-out reads differs from it; else, or without git, empty."""
    try:
        changed = [line[3:] for line in _git("status", "--porcelain").splitlines()]
        return (
            "" if [name for name in changed if not name.startswith(_NOT_TRIED)] else _git("rev-parse", "HEAD").strip()
        )
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
