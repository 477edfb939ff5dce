"""Mermaid diagrams as SVG within the pages, drawn once each by mermaid in Chromium; no visitor runs mermaid."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

from website.page import ROOT

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RENDER = ROOT / "website" / "browser" / "render.mjs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowserError(Exception):
    """Diagrams cannot be drawn here; the message says what is missing."""


def browser() -> str:
    """Path of the machine's Chromium.

    Raises:
        NoBrowserError: the machine has none, or the packages of website/browser/package.json are not installed.
    """
    if not (ROOT / "website" / "browser" / "node_modules" / "playwright-core").exists():
        raise NoBrowserError("the packages of website/browser/package.json are not installed; run scripts/site")
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise NoBrowserError("the machine has no Chromium; install it, or run scripts/site as root on Debian or Ubuntu")


def draw(texts: Iterable[str], cache: Path) -> None:
    """Draws those whose picture the cache lacks, all in one browser.

    Raises:
        NoBrowserError: something is to be drawn, and cannot be.
        CalledProcessError: mermaid does not understand a diagram, which it names.
    """
    cache.mkdir(parents=True, exist_ok=True)
    wanted = {_name(block): block for text in texts for block in _BLOCK.findall(text)}
    for old in cache.glob("*.svg"):
        if old.name not in wanted:
            old.unlink()
    missing = [
        {"to": str(cache / name), "text": block} for name, block in wanted.items() if not (cache / name).exists()
    ]
    if missing:
        work = {"browser": browser(), "diagrams": missing}
        subprocess.run(["node", str(_RENDER)], input=json.dumps(work), text=True, check=True)  # noqa: S607 - .venv's node


def drawn(text: str, cache: Path, title: str) -> str:
    """The text with each diagram's picture, and its source below it; where none was drawn, the source alone."""

    def picture(match: re.Match[str]) -> str:
        if not (cache / _name(match[1])).exists():
            return f"```text\n{match[1]}```\n"
        svg = (cache / _name(match[1])).read_text(encoding="utf-8")
        return (
            f'<figure class="diagram" role="img" aria-label="Diagram of {title}" tabindex="0" data-search-exclude>'
            f"{svg}</figure>\n\n<details data-search-exclude><summary>The diagram as text</summary>"
            f"<pre><code>{_in_one_block(match[1])}</code></pre></details>\n"
        )

    return _BLOCK.sub(picture, text)


def _in_one_block(text: str) -> str:
    """As HTML; an empty line would end the block for Markdown."""
    return escape("\n".join(line for line in text.splitlines() if line.strip()))


def _name(text: str) -> str:
    """The file of a diagram: another text or another way of drawing is another file."""
    way = "".join(path.read_text(encoding="utf-8") for path in (_RENDER, _RENDER.with_name("outlines.mjs")))
    return hashlib.sha256((text + way).encode()).hexdigest()[:20] + ".svg"


if __name__ == "__main__":
    try:
        browser()
    except NoBrowserError as error:
        sys.exit(f"site: {error}")
