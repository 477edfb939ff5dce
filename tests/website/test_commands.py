"""Commands that documents tell people to type are commands of this repository: no option, target or name is stale."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from stacks import arguments as program
from stacks.arguments import UsageError, parsed
from stacks.series import SOLUTIONS
from website.page import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "stacks/*/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # of their time
)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^KNOWN := (.*)$", MAKEFILE, re.MULTILINE)[0].split())
_FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ENDS = {"&&", "||", ";", "|", ">", ">>", "<", "&"}
# What stands for a name of the reader's.
_PLACE = re.compile(r"[A-Z]+|<.*>|\.\.\.|…")


def commands(document: Path) -> Iterator[list[str]]:
    """The words of each command, from blocks of ``sh`` and from code within a sentence."""
    text = (ROOT / document).read_text(encoding="utf-8")
    lines = [line for kind, block in _FENCED.findall(text) if kind == "sh" for line in _joined(block)]
    lines += re.findall(r"`([^`\n]+)`", _FENCED.sub("", text))
    for line in lines:
        for match in re.finditer(r"\b(?:make|python3? -m stacks)\b(?! [^ ]*\.py)[^`]*", line):
            try:
                words = shlex.split(match[0], comments=True)
            except ValueError:
                continue  # an apostrophe of a sentence
            end = next((place for place, word in enumerate(words) if word in _ENDS or word.endswith(";")), len(words))
            yield words[:end]


def _joined(block: str) -> list[str]:
    return re.sub(r"\\\n\s*", " ", block).splitlines()


def _made(words: list[str]) -> list[str]:
    """What make does not know."""
    return [
        word
        for word in words[1:]
        if word.partition("=")[0] not in (VARIABLES if "=" in word else TARGETS) and not _PLACE.fullmatch(word)
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_target_and_variable_of_make_exists(document: Path) -> None:
    for words in commands(document):
        if words[0] == "make":
            assert not _made(words), " ".join(words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_command_of_the_program_is_one(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Most commands of a document are of one solution: its parser is built once.
    monkeypatch.setattr(program, "_parser", cache(program._parser))
    slug = document.parts[1] if document.parts[0] == "stacks" else SOLUTIONS[0].slug
    for words in commands(document):
        arguments = words[3:]
        if words[0] == "make" or not arguments or any(_PLACE.fullmatch(word) for word in arguments[1:]):
            continue
        try:
            parsed([slug if _PLACE.fullmatch(arguments[0]) else arguments[0], *arguments[1:]])
        except UsageError as error:
            # A sentence may name a command without what it needs.
            assert "arguments are required" in str(error), " ".join(words)


def test_a_stale_command_is_found() -> None:
    assert _made(["make", "tryy", "SOLUTIONS=a"]) == ["tryy", "SOLUTIONS=a"]
    assert len([words for document in DOCUMENTS for words in commands(document)]) > 200
