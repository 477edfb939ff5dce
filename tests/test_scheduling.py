"""What needs the same runs on one worker."""

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.conftest import LOADED_BY, pytest_xdist_make_scheduler
from tests.scheduling import LONGEST, ROOT, group, turn


@pytest.mark.parametrize(
    ("nodeid", "with_"),
    [
        ("tests/emulator/core/test_client.py::test_x[1]", "emulator"),
        ("tests/tryout/test_tryout.py::test_x", "emulator"),
        ("tests/shared/test_leftovers.py::test_x", "emulator"),
        ("tests/faults/test_harness.py::test_x", "moto"),
        ("tests/faults/test_faults.py::test_x[spot_asg.notices (rebalance)]", "moto"),
        ("tests/conformance/updates/test_updates.py::test_x", "cdk"),
        ("tests/test_app.py::test_x", "cdk"),
        ("tests/test_conformance.py::test_x", "cdk"),
        ("tests/config/test_bad_inputs.py::test_x", "tests/config/test_bad_inputs.py"),
    ],
)
def test_a_test_runs_with_what_needs_the_same(nodeid: str, with_: str) -> None:
    assert group(nodeid) == with_


def test_what_takes_longest_comes_first_and_is_there() -> None:
    emulator, config = "tests/emulator/core/test_client.py::test_x", "tests/config/test_bad_inputs.py::test_x"
    assert turn(emulator) == 0 < turn(config)
    assert [name for name in LONGEST if name.endswith(".py") and not (ROOT / name).exists()] == []


def test_no_file_loads_the_cdk_when_it_is_collected() -> None:
    """Each worker collects all files; a test that needs the CDK imports it where it is used."""
    assert LOADED_BY == []


def test_workers_are_given_whole_groups(pytestconfig: pytest.Config) -> None:
    """pytest-xdist asks for it by this hook, whatever ``--dist`` says."""

    class Log:
        def __getattr__(self, _: str) -> "Log":
            return self

        def __call__(self, *_: object) -> None: ...

    option = getattr(pytestconfig.option, "tx", None)
    pytestconfig.option.tx = ["popen", "popen"]
    try:
        made = pytest_xdist_make_scheduler(pytestconfig, Log())
    finally:
        pytestconfig.option.tx = option
    assert isinstance(made, LoadScopeScheduling)
    assert made._split_scope("tests/emulator/core/test_client.py::test_x") == "emulator"
