"""A program that is started once: it answers, it ends with an explanation, it is stopped in the middle of its work."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tryout.cdk.child import Child, ChildError
from tryout.cdk.cli import Cdk, CdkError

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


def test_the_cli_is_loaded_once_for_one_command_line_after_another(tmp_path: Path) -> None:
    with Cdk({"HOME": str(tmp_path), "CDK_DISABLE_CLI_TELEMETRY": "true"}, tmp_path / "cdk.log") as cdk:
        assert cdk(tmp_path / "first.log", "context", "--app", "nothing") == 0
        with pytest.raises(CdkError, match=r"cdk list failed: .*no-such-program.* \(all of it: "):
            cdk.require(tmp_path / "second.log", "list", "--app", "no-such-program")
        assert cdk(tmp_path / "third.log", "context", "--app", "nothing") == 0
    first, third = ((tmp_path / name).read_text(encoding="utf-8") for name in ("first.log", "third.log"))
    assert first == third != ""
