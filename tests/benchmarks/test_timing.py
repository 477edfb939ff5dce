"""Timing counts the processor time of a command, and of what it starts and leaves behind."""

import subprocess
import sys

import pytest

from benchmarks.timing import pair

BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
ORPHAN = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}])"


def test_the_time_of_what_a_command_leaves_behind_is_its_own() -> None:
    timed = pair([sys.executable, "-c", ORPHAN], [sys.executable, "-c", BUSY], limit=9, most=1)
    assert timed.ours >= 0.3 and timed.other >= 0.3


def test_a_command_that_fails_is_an_error() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        pair([sys.executable, "-c", "exit(1)"], [sys.executable, "-c", ""], limit=9, most=1)


def times(seconds: float) -> list[str]:
    """A command that takes so long."""
    return [sys.executable, "-c", BUSY.replace("0.3", str(seconds))]


def test_one_run_is_enough_clearly_below_the_limit() -> None:
    assert pair(times(0.1), times(0.1), limit=5).runs == 1
    assert pair(times(0.1), times(0.1), limit=5, least=2).runs == 2


def test_a_ratio_at_its_limit_is_timed_again() -> None:
    timed = pair(times(0.4), times(0.1), limit=1.2, most=3)
    assert timed.runs == 3 and timed.ratio > 1.2
