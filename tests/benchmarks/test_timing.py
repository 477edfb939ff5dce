"""Timing counts the processor time of a command, and of what it starts and leaves behind."""

import subprocess
import sys

import pytest

from benchmarks.timing import pair

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
ORPHAN = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}])"


def test_the_time_of_what_a_command_leaves_behind_is_its_own() -> None:
    timed = pair([sys.executable, "-c", ORPHAN], [sys.executable, "-c", BUSY], runs=1, warm=False)
    assert timed.ours >= 0.3 and timed.other >= 0.3


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        pair([sys.executable, "-c", "exit(1)"], [sys.executable, "-c", ""], runs=1, warm=False)
