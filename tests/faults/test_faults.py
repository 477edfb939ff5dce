"""Every generated case of every registered subject ends done or visibly failed."""

from collections.abc import Iterator

import pytest

from tests.faults.cases import Case
from tests.faults.running import Verdict, generated, run
from tests.faults.subject import registered
from tests.faults.world.wire import laboratory


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # The happy paths run here, at collection: the cases are made of the calls they make.
    with laboratory():
        cases = [case for subject in registered() for case in generated(subject)]
    metafunc.parametrize("case", cases, ids=str)


@pytest.fixture(scope="module", autouse=True)
def one_laboratory() -> Iterator[None]:
    with laboratory():
        yield


def test_it_ends_done_or_visibly_failed(case: Case) -> None:
    outcome = run(case)
    assert outcome.verdict is not Verdict.BAD, outcome.detail
