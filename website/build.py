"""Writes the site's sources and lets the generator make HTML of them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image  # comes with matplotlib

from stacks.series import SOLUTIONS
from website import diagrams, project
from website.links import Links, repository
from website.page import ROOT, Page
from website.pages import documents, landing, machines, settings, solution

SITE = ROOT / ".local" / "site"
GENERATOR = SITE / "env" / "bin" / "zensical"


class NoGeneratorError(Exception):
    """The generator is not installed."""


def pages(links: Links) -> list[Page]:
    """Every page, with links that lead within the site.

    Raises:
        BrokenLinkError: a document links to what the repository does not have.
    """
    readmes = [solution.Readme.of(one) for one in SOLUTIONS]
    for readme in readmes:
        readme.register(links)
    documents.register(links)
    found = [*settings.pages(links)]
    return [
        *landing.pages(links),
        *(page for readme in readmes for page in solution.pages(readme, links)),
        *documents.pages(links),
        *found,
    ]


def build(into: Path = SITE, *, strict: bool) -> Path:
    """Makes the whole site.

    Args:
        strict: diagrams must be drawn; otherwise they stay text where they cannot be, and a line says so.

    Returns:
        the folder of the HTML.

    Raises:
        BrokenLinkError, NoBrowserError, NoGeneratorError: with a sentence for the user.
        CalledProcessError: the generator found a broken link, which it has printed.
    """
    if not GENERATOR.exists():
        raise NoGeneratorError("the generator of the site is not installed; run scripts/site")
    links = Links(repository())
    found = pages(links)
    cache = SITE / "diagrams"
    try:
        diagrams.draw((page.text for page in found), cache)
    except diagrams.NoBrowserError as error:
        if strict:
            raise
        print(f"site: diagrams not drawn: {error}", file=sys.stderr)
    sources = into / "docs"
    for name in ("docs", "overrides", "html"):
        shutil.rmtree(into / name, ignore_errors=True)
    for page in found:
        _write(sources / page.path, diagrams.drawn(page.source, cache, page.title))
    for name, text in machines.files(found).items():
        _write(sources / name, text)
    for there, file in _files(links):
        (sources / there).parent.mkdir(parents=True, exist_ok=True)
        if there.endswith(".webp"):
            # A chart has few colours: lossless is smaller, and sharp.
            Image.open(file).convert("RGB").save(sources / there, "WEBP", lossless=True, quality=80, method=6)
        else:
            shutil.copyfile(file, sources / there)
    shutil.copytree(ROOT / "website" / "theme", into / "overrides", ignore=shutil.ignore_patterns("site.*", "*.svg"))
    address = os.environ.get("SITE_URL", "")
    told = project.written(found, address=address, repository=os.environ.get("SITE_REPOSITORY", ""))
    _write(into / "mkdocs.yml", told)
    subprocess.run([GENERATOR, "build", "--strict", "--clean"], cwd=into, check=True)
    _compact(into / "html")
    return into / "html"


_KEPT = re.compile(r"(<(pre|textarea|script|style)\b.*?</\2>)", re.DOTALL)


_BETWEEN = re.compile(r"\n(?=</?(?:table|thead|tbody|tr|td|th|ul|ol|li)\b)|(?<=</t[rdh]>|</li>)\n")
"""Lines that end beside a part of a table or of a list, where no blank is shown."""

_ICON = re.compile(
    '<svg xmlns="http://www.w3.org/2000/svg"'
    '( fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" stroke-width="2"'
    '(?= class="lucide ))?'
)
"""The begin of an icon, eight times on each page: site.css says how its lines are drawn."""


def compacted(html: str) -> str:
    """A page without the blank lines and indentation of the generator's templates, which are half of it."""
    pieces = _KEPT.split(html)
    for place in range(0, len(pieces), 3):
        lines = re.sub(r"[ \t]*\n\s*", "\n", pieces[place])
        pieces[place] = _ICON.sub("<svg", _BETWEEN.sub("", lines))
        if place + 2 < len(pieces):
            pieces[place + 2] = ""  # the name of the tag, which is in the piece before
    return "".join(pieces)


def _compact(html: Path) -> None:
    """Takes away what no visitor gets to see: blank lines, and the theme's stylesheets that no page names."""
    pages = {path: path.read_text(encoding="utf-8") for path in html.rglob("*.html")}
    for path, text in pages.items():
        path.write_text(compacted(text), encoding="utf-8")
    for sheet in html.glob("assets/stylesheets/*/*.css"):
        if not any(sheet.name in text for text in pages.values()):
            sheet.unlink()


def _files(links: Links) -> Iterator[tuple[str, Path]]:
    for name in ("site.css", "site.js", "favicon.svg"):
        yield f"assets/{name}", ROOT / "website" / "theme" / name
    for there, name in links.pictures.items():
        yield there, ROOT / name


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
