"""The demo page's user data in the sandbox of this machine."""

from collections.abc import Mapping
from pathlib import Path

from tryout.hosts.user_data import Boot, Sandbox

CLOSING_TAGS = frozenset({"/b", "/body", "/h2", "/head", "/html", "/li", "/title", "/ul"})
SED = frozenset({"/g"})
PAGE = "/var/www/html/index.html"


def page_booted(
    folder: Path, user_data: str, environment: Mapping[str, str], programs: Mapping[str, str] | None = None
) -> Boot:
    """Runs it; closing HTML tags and sed's commands look like paths but are not."""
    return Sandbox(folder, programs=programs, addresses=CLOSING_TAGS | SED).run(user_data, environment)
