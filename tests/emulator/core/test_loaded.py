"""Programs as forks of a process that has their imports done: each is as if it had been started by itself."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
if sys.argv[1:2] == ["die"]:
    os.kill(os.getpid(), 9)
sys.exit(7)
"""
ENDS = """
import atexit, sys, threading
from concurrent.futures import ThreadPoolExecutor

go = threading.Event()

def later():
    go.wait()
    print("by a thread")

threading.Thread(target=later).start()
pool = ThreadPoolExecutor()
pool.submit(later)
atexit.register(print, "by a handler")
go.set()
sys.exit(3)
"""
PARENT = "import os; print(os.getppid())"
HAS = """
import os, time

os.umask(mask := os.umask(0))
print(oct(mask), time.tzname[0], os.environ["GIVEN"])
"""
MODULE = """
import atexit, os

seen = 0
loaded_by = os.getpid()
os.environ["GIVEN"] = "by the import"
if "KEPT" in os.environ:
    atexit.register(lambda: open(os.environ["KEPT"], "a").write("ended\\n"))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "given.py").write_text(MODULE)
    for name, text in (("program.py", PROGRAM), ("ends.py", ENDS), ("has.py", HAS), ("parent.py", PARENT)):
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Iterator[Loaded]:
    loaded = Loaded("given", path=[folder])
    yield loaded
    loaded.end()


def _run(
    loaded: Loaded, folder: Path, words: str, *, program: str = "program.py", before: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", f"{before} {loaded.words()} {folder / program} {words}"],  # noqa: S607 - the machine's bash, wherever it is
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


def test_what_an_import_sets_is_there_for_a_caller_that_has_it_not_though_the_server_had(folder: Path) -> None:
    """A worker that has imported the AWS CLI has AWS_DATA_PATH, which hosts have not, and which the CLI needs."""
    loaded = Loaded("given", path=[folder], environment={"GIVEN": "before the import"})
    assert _run(loaded, folder, "").stdout.endswith("by the import\n")
    assert _run(loaded, folder, "", GIVEN="before the import").stdout.endswith("by the import\n")
    assert _run(loaded, folder, "", GIVEN="by the caller").stdout.endswith("by the caller\n")
    loaded.end()


def test_a_file_that_only_the_caller_has_open_can_be_read(loaded: Loaded, folder: Path) -> None:
    assert "in a pipe" in _run(loaded, folder, "read <(echo in a pipe)").stdout


@pytest.mark.parametrize(("word", "said"), [("fail", "LookupError: nothing there\n"), ("say", "a sentence\n")])
def test_an_error_ends_a_program_as_python_ends_it(loaded: Loaded, folder: Path, word: str, said: str) -> None:
    done = _run(loaded, folder, word)
    assert done.returncode == 1
    assert done.stderr.endswith(said)
    assert done.stdout == f"['{word}'] 1 False {folder} None by the import\n"


@pytest.mark.parametrize(("word", "status"), [("die", 128 + signal.SIGKILL), ("end", 7)])
def test_how_a_program_has_ended_is_told_as_a_shell_tells_it(
    loaded: Loaded, folder: Path, word: str, status: int
) -> None:
    assert _run(loaded, folder, word).returncode == status


def test_a_signal_that_ended_a_module_is_told_as_subprocess_tells_it(loaded: Loaded, folder: Path) -> None:
    assert loaded.run_module("program", ["die"], {}, folder).returncode == -signal.SIGKILL


def test_a_program_ends_with_its_threads_and_exit_handlers(loaded: Loaded, folder: Path) -> None:
    done = _run(loaded, folder, "", program="ends.py")
    assert done.stdout == "by a thread\nby a thread\nby a handler\n"
    assert (done.returncode, done.stderr) == (3, "")


def test_exit_handlers_of_loaded_modules_run_for_each_program(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "ended"
    loaded = Loaded("given", path=[folder], environment={"KEPT": str(file)})
    try:
        for _ in range(2):
            _run(loaded, folder, "", KEPT=str(file))
        assert file.read_text() == "ended\n" * 2
    finally:
        loaded.end()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_program_whose_output_cannot_be_written_fails_as_in_python(loaded: Loaded, folder: Path) -> None:
    assert _run(loaded, folder, ">/dev/full", program="has.py").returncode == 120


def test_a_program_has_the_umask_time_zone_and_own_values_of_its_caller(loaded: Loaded, folder: Path) -> None:
    for zone, mask in (("EST5", "0o27"), ("UTC0", "0o77")):
        before = f"umask {mask.removeprefix('0o')};"
        done = _run(loaded, folder, "", program="has.py", before=before, TZ=zone, GIVEN="by the caller")
        assert done.stdout == f"{mask} {zone[:3]} by the caller\n"


def test_a_caller_that_dies_while_it_asks_leaves_nothing(folder: Path) -> None:
    loaded = Loaded("given", path=[folder])
    try:
        address = loaded.words().split()[-1]
        for said in (b"", (100).to_bytes(4, "big"), (100).to_bytes(4, "big") + b"{"):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(30)
                caller.connect(address)
                caller.sendall(said)
                caller.shutdown(socket.SHUT_WR)
                assert caller.recv(16) == b"1", "it has ended"
        assert _run(loaded, folder, "next").returncode == 7
    finally:
        loaded.end()


def test_a_server_that_has_died_is_started_anew_where_it_was(folder: Path) -> None:
    loaded = Loaded("given", path=[folder])
    try:
        words = loaded.words()
        server = int(_run(loaded, folder, "", program="parent.py").stdout)
        os.kill(server, signal.SIGKILL)
        os.waitid(os.P_PID, server, os.WEXITED | os.WNOWAIT)
        assert loaded.words() == words
        assert int(_run(loaded, folder, "", program="parent.py").stdout) != server
    finally:
        loaded.end()


def test_a_fork_of_its_owner_does_not_end_it(loaded: Loaded, folder: Path) -> None:
    loaded.words()
    if (fork := os.fork()) == 0:
        loaded.end()
        os._exit(0)
    os.waitpid(fork, 0)
    assert _run(loaded, folder, "still there").returncode == 7


def test_callers_at_once_start_one_server(folder: Path) -> None:
    loaded = Loaded("given", path=[folder])
    try:
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(lambda _: loaded.run_module("parent", [], {}, folder), range(8)))
        assert len({each.stdout for each in done}) == 1 and done[0].stdout
    finally:
        loaded.end()


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
    loaded = Loaded("missing_module", path=[tmp_path])
    with pytest.raises(RuntimeError, match="missing_module could not be loaded"):
        loaded.words()
    loaded.end()


def test_it_takes_no_folder_of_its_own_to_the_programs(loaded: Loaded, folder: Path) -> None:
    (folder / "paths.py").write_text("import sys\nprint(sys.path[:2])\n")
    done = subprocess.run(
        [*loaded.words().split(), str(folder / "paths.py")], capture_output=True, text=True, timeout=60, check=True
    )
    alone = [sys.executable, "-I", "-c", "import sys; print([*sys.path][:1])"]
    first = subprocess.run(alone, capture_output=True, text=True, check=True).stdout.strip()
    assert done.stdout == f"['{folder}', {first[1:-1]}]\n"
