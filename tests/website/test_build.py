"""What becomes of the generator's pages, and of diagrams, keeps what a visitor sees."""

import json
import shutil
import subprocess

import pytest

from website.build import compacted
from website.page import ROOT


def test_blank_lines_go_and_code_stays() -> None:
    page = "<ul>\n\n    \n  <li>one\n   two</li>\n</ul><pre>\n  a\n\n    b</pre>\n\n<p>c</p>"
    assert compacted(page) == "<ul><li>one\ntwo</li></ul><pre>\n  a\n\n    b</pre>\n<p>c</p>"


def test_lines_within_a_sentence_stay() -> None:
    page = "<p>one\n<b>two</b>\n<i>three</i></p>\n<table>\n<tr>\n<td>a\n<b>b</b></td>\n</tr>\n</table>\nafter"
    assert compacted(page) == "<p>one\n<b>two</b>\n<i>three</i></p><table><tr><td>a\n<b>b</b></td></tr></table>\nafter"


@pytest.mark.parametrize(
    ("d", "drawn"),
    [
        # Straight curves, each twice, are lines that are drawn once.
        ("M0 0 C1 0, 2 0, 3 0 M0 0 C0.5 0, 1 0, 3 0 M3 0 C3 1, 3 2, 3 4", "M0 0L3 0L3 4"),
        ("M0 0 C1 0, 2 0, 3 0 C3 0, 3 0, 3 0 M9 9 C9 9.5, 9 9.7, 9 10", "M0 0L3 0M9 9L9 10"),
        # A point that is on the line between others is left out; a corner is not.
        ("M0 0 C1 0, 1 0, 2 0 C3 0, 3 0, 4 0 C4 1, 4 1, 4 2 C2 1, 2 1, 0 0", "M0 0L4 0L4 2L0 0"),
        # What is round, or drawn otherwise, stays.
        ("M0 0 C0 5, 5 5, 5 0", "M0 0 C0 5, 5 5, 5 0"),
        ("M0,5 a5,2 0,0,0 10,0", "M0,5 a5,2 0,0,0 10,0"),
    ],
)
def test_outlines_of_diagrams_are_drawn_once(d: str, drawn: str) -> None:
    node = shutil.which("node", path=f"{ROOT}/.venv/bin:{ROOT}/node_modules/.bin") or "node"
    script = f'import {{ outline }} from "{ROOT}/website/browser/outlines.mjs"; console.log(outline({json.dumps(d)}))'
    command = [node, "--input-type=module", "--eval", script]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == drawn
