"""Links of the repository's documents, as the site has them."""

import os
import posixpath
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from website.page import ROOT

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_CODE = re.compile(r"^(```+).*?^\1\s*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


LATER = "{ loading=lazy }"
"""A picture is loaded when somebody comes near it."""


class BrokenLinkError(Exception):
    """A document links to what the repository does not have."""


@dataclass
class Links:
    """Where everything is on the site.

    Attributes:
        pages: of the site, by the repository's file, for example ``docs/decisions.md``.
        parts: of a file that is cut into several pages, by file and anchor.
        pictures: files that were linked and are to be brought along, by their path on the site.
        repository: where code is shown, for example ``https://github.com/owner/name/blob/<commit>``; empty: nowhere,
            and code is named without a link.
    """

    repository: str
    pages: dict[str, str] = field(default_factory=dict)
    parts: dict[tuple[str, str], str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)

    def rewritten(self, text: str, *, file: str, page: str) -> str:
        """The text of a repository's file with links for its page; code stays as it is.

        Raises:
            BrokenLinkError: the repository has no such file.
        """

        def link(match: re.Match[str]) -> str:
            picture, words, target = match.groups()
            if re.match(r"[a-z]+:", target):
                return match[0]
            words = _LINK.sub(link, words)
            to = self.target(target, file=file, page=page)
            return f"{picture}[{words}]({to}){LATER if picture else ''}" if to else words

        pieces, at = [], 0
        for code in _CODE.finditer(text):
            pieces += [text[at : code.start()], "\0"]
            at = code.end()
        kept = [code[0] for code in _CODE.finditer(text)]
        whole = _LINK.sub(link, "".join([*pieces, text[at:]]))
        for code_text in kept:
            whole = whole.replace("\0", code_text, 1)
        return whole

    def target(self, target: str, *, file: str, page: str) -> str:
        """A link of a file, seen from a page; empty where there is nothing to link to."""
        path, _, fragment = target.partition("#")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(file), path)) if path else file
        if (name, fragment) in self.parts:
            return self.between(page, self.parts[name, fragment]) + f"#{fragment}"
        if name in self.pages:
            to = self.between(page, self.pages[name])
            return to + (f"#{fragment}" if fragment else "")
        if not (ROOT / name).exists():
            raise BrokenLinkError(f"{file}: {target} does not exist")
        if name.endswith((".png", ".svg")):
            there = f"pictures/{posixpath.basename(name).replace('.png', '.webp')}"
            self.pictures[there] = name
            return self.between(page, there)
        return f"{self.repository}/{name}" if self.repository else ""

    def between(self, page: str, other: str) -> str:
        """The other page, relative to this one; a page's link to itself is its name."""
        return posixpath.relpath(other, posixpath.dirname(page) or ".")


def repository(environment: Mapping[str, str] = os.environ) -> str:
    """``SITE_REPOSITORY``, the repository at a forge like GitHub, at the present commit; empty if unset."""
    address = environment.get("SITE_REPOSITORY", "").rstrip("/")
    return f"{address}/blob/{commit()}" if address else ""


def commit() -> str:
    """The commit that the site is made from; ``main`` where git does not answer."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "main"
