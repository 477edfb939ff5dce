"""Programs as forks of a process that has their imports done: each is as if it had been started by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.loaded import Loaded

PROGRAM = """
import os, sys, given
given.seen += 1
print(sys.argv[1:], given.seen, given.loaded_by == os.getpid(), os.getcwd(), os.environ.get("ONE"), os.environ["GIVEN"])
print(sys.stdin.read(), file=sys.stderr)
if sys.argv[1:2] == ["read"]:
    print(open(sys.argv[2]).read())
if sys.argv[1:2] == ["fail"]:
    raise LookupError("nothing there")
if sys.argv[1:2] == ["say"]:
    sys.exit("a sentence")
if sys.argv[1:2] == ["wait"]:
    import time
    open(sys.argv[2], "w").write(str(os.getpid()))
    time.sleep(60)
sys.exit(7)
"""
MODULE = 'import os\nseen = 0\nloaded_by = os.getpid()\nos.environ["GIVEN"] = "by the import"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "given.py").write_text(MODULE)
    (folder / "program.py").write_text(PROGRAM)
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Iterator[Loaded]:
    loaded = Loaded("given", path=[folder])
    yield loaded
    loaded.end()


def _run(loaded: Loaded, folder: Path, words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", f"{loaded.words()} {folder / 'program.py'} {words}"],  # noqa: S607 - the machine's bash, wherever it is
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        input="what comes in",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_program_has_the_words_folder_environment_and_files_of_its_caller(loaded: Loaded, folder: Path) -> None:
    done = _run(loaded, folder, "one 'two words'", ONE="1")
    assert done.stdout == f"['one', 'two words'] 1 False {folder} 1 by the import\n"
    assert done.stderr == "what comes in\n"
    assert done.returncode == 7


def test_nothing_stays_of_a_program_for_the_next_one(loaded: Loaded, folder: Path) -> None:
    _run(loaded, folder, "first", ONE="1")
    assert _run(loaded, folder, "second").stdout == f"['second'] 1 False {folder} None by the import\n"


def test_a_file_that_only_the_caller_has_open_can_be_read(loaded: Loaded, folder: Path) -> None:
    assert "in a pipe" in _run(loaded, folder, "read <(echo in a pipe)").stdout


@pytest.mark.parametrize(("word", "said"), [("fail", "LookupError: nothing there\n"), ("say", "a sentence\n")])
def test_an_error_ends_a_program_as_python_ends_it(loaded: Loaded, folder: Path, word: str, said: str) -> None:
    done = _run(loaded, folder, word)
    assert done.returncode == 1
    assert done.stderr.endswith(said)


def test_a_program_ends_with_its_caller(loaded: Loaded, folder: Path) -> None:
    file = folder / "process"
    command = [*loaded.words().split(), str(folder / "program.py"), "wait", str(file)]
    caller = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline
    caller.send_signal(signal.SIGTERM)
    caller.wait()
    while _lives(int(file.read_text())):
        assert time.monotonic() < deadline


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_module_runs_as_with_m_and_what_it_prints_is_kept(loaded: Loaded, folder: Path) -> None:
    done = loaded.run_module("program", ["as", "module"], {"ONE": "2"}, folder)
    assert done.stdout == f"['as', 'module'] 1 False {folder} 2 by the import\n"
    assert (done.returncode, done.stderr) == (7, "\n")


def test_what_cannot_be_loaded_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="missing_module could not be loaded"):
        Loaded("missing_module", path=[tmp_path])


def test_it_takes_no_folder_of_its_own_to_the_programs(loaded: Loaded, folder: Path) -> None:
    (folder / "paths.py").write_text("import sys\nprint(sys.path[:2])\n")
    done = subprocess.run(
        [*loaded.words().split(), str(folder / "paths.py")], capture_output=True, text=True, timeout=60, check=True
    )
    alone = [sys.executable, "-I", "-c", "import sys; print([*sys.path][:1])"]
    first = subprocess.run(alone, capture_output=True, text=True, check=True).stdout.strip()
    assert done.stdout == f"['{folder}', {first[1:-1]}]\n"
