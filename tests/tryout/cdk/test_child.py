"""A program that is started once: it answers, it ends with an explanation, it is stopped in the middle of its work."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tryout.cdk import cli
from tryout.cdk.child import Child, ChildError
from tryout.cdk.cli import PLAIN, Cdk, CdkError

DOUBLES = """
import json, sys
while line := sys.stdin.readline():
    number = json.loads(line)["number"]
    if number < 0:
        sys.exit("numbers are positive")
    print(json.dumps({"doubled": 2 * number}), flush=True)
"""


def child(tmp_path: Path) -> Child:
    return Child([sys.executable, "-c", DOUBLES], tmp_path / "log")


def test_one_process_answers_every_request(tmp_path: Path) -> None:
    with child(tmp_path) as doubles:
        assert [doubles.ask({"number": number}) for number in (1, 2)] == [{"doubled": 2}, {"doubled": 4}]


def test_a_program_that_ends_says_why(tmp_path: Path) -> None:
    with child(tmp_path) as doubles, pytest.raises(ChildError, match=r"has ended: numbers are positive \(all of it: "):
        doubles.ask({"number": -1})


def test_it_is_stopped_once_and_for_all(tmp_path: Path) -> None:
    doubles = child(tmp_path)
    doubles.ask({"number": 1})
    doubles.stop()
    doubles.stop()
    with pytest.raises(ChildError):
        doubles.ask({"number": 1})


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    wrapper = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
    doubles = Child([sys.executable, "-c", wrapper, "-c", DOUBLES, str(tmp_path)], tmp_path / "log")
    doubles.ask({"number": 1})
    doubles.stop()
    deadline = time.monotonic() + 30
    while subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, check=False).returncode == 0:  # noqa: S607
        assert time.monotonic() < deadline


def test_it_may_end_its_work_before_it_is_stopped(tmp_path: Path) -> None:
    done = tmp_path / "done"
    late = f"import pathlib, sys; sys.stdin.read(); pathlib.Path({str(done)!r}).touch()"
    with Child([sys.executable, "-c", late], tmp_path / "log") as child:
        child.tell({})
    assert done.exists()


LIBRARY = """
let loads = 0;
exports.exec = async (words) => {
  console.log(`call ${++loads}: ${words.join(" ")}`);
  if (words[0] === "list") throw new Error("Subprocess failed", { cause: new Error("no-such-program") });
  if (words[0] === "diff") process.exitCode = 1;
  return words[0] === "deploy" ? 3 : undefined;
};
"""


def test_the_cli_is_loaded_once_for_one_command_line_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a library of its own, which loads at once; make try has that of the CDK."""
    program, library = tmp_path / "node_modules/.bin/cdk", tmp_path / "node_modules/lib/index.js"
    for path, text in ((program, "#!/bin/sh\n"), (library, LIBRARY)):
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(cli, "REPOSITORY", tmp_path)
    with Cdk({"HOME": str(tmp_path)}, tmp_path / "cdk.log") as cdk:
        assert cdk(tmp_path / "first.log", "context") == 0
        with pytest.raises(CdkError, match=r"cdk list failed: .*no-such-program \(all of it: "):
            cdk.require(tmp_path / "second.log", "list", "--app", "no-such-program")
        assert [cdk(tmp_path / f"{word}.log", word) for word in ("diff", "deploy", "context")] == [1, 3, 0]
    said = " ".join(PLAIN)
    assert (tmp_path / "first.log").read_text(encoding="utf-8") == f"call 1: context {said}\n"
    assert (tmp_path / "context.log").read_text(encoding="utf-8") == f"call 5: context {said}\n"
