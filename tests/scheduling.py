"""Which tests run in one process, one after the other: what is dear to set up is set up on one worker only.

pytest-xdist's own groups (``--dist loadgroup``) write into a private name that pytest 9.2 does not have, and so
group nothing: https://github.com/pytest-dev/pytest-xdist/blob/v3.8.0/src/xdist/remote.py.
"""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
# The embedded AWS, whose server is started once a process; the world of the handlers; the reference of all actions.
EMULATOR = "emulator"
_BEGINNINGS = {
    "tests/conformance/authorization/": "reference",
    "tests/emulator/": EMULATOR,
    "tests/faults/": "moto",
    "tests/lifecycle/": EMULATOR,
    "tests/shared/test_leftover": EMULATOR,
    "tests/tryout/": EMULATOR,
}
_HOSTS = {"test_bootstrap", "test_user_data", "test_worker_process", "test_worker_aws"}
KERNEL = "cdk"
_BY_WHAT_IT_CALLS = {"test_updates", "test_command"}  # of tests/conformance/updates and tests/export
LONGEST = (
    EMULATOR,
    KERNEL,
    "moto",
    "hosts",
    "tests/solutions/graviton_porting_advisor/test_scan.py",
    "tests/solutions/game_streaming/test_install.py",
    "tests/solutions/game_streaming/test_documents.py",
    "tests/benchmarks/test_sqs_target_scaling.py",
    "tests/solutions/outposts_routing/test_functions.py",
    "tests/test_new.py",
)
"""Groups that take more than three seconds, in the order of their turn."""
# Itself, or in a function a module of ours that has it: what has not is imported at the top.
_IMPORTS_THE_CDK = re.compile(r"^ *(?:from|import) aws_cdk\b|^ +from (?:stacks\.\S+|app) import", re.MULTILINE)


class Together(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives a worker all tests of a group, then of the next."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Whom a test runs with: whoever needs the same, or else the tests of its file."""
    return _group_of_file(nodeid.partition("::")[0])


def turn(nodeid: str) -> int:
    """When the group of a test begins: those that take longest first, files of a few seconds last."""
    name = group(nodeid)
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@cache
def _group_of_file(path: str) -> str:
    for beginning, name in _BEGINNINGS.items():
        if path.startswith(beginning):
            return name
    file = ROOT / path
    if file.stem in _HOSTS:
        return "hosts"
    if file.stem in _BY_WHAT_IT_CALLS or _IMPORTS_THE_CDK.search(file.read_text(encoding="utf-8")):
        return KERNEL
    return path
