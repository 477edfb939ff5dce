"""The cases of every registered subject end done or visibly failed; ``make faults`` runs those left out here."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.cases import LIKE_OTHERS
from tests.faults.running import Verdict, generated, run
from tests.faults.subject import Subject, registered
from tests.faults.world.wire import laboratory


@pytest.fixture(scope="module", autouse=True)
def one_laboratory() -> Iterator[None]:
    with laboratory():
        yield


def _parameter(subject: Subject) -> Any:
    """Its solution's subjects run one after the other: they share what the laboratory has copied."""
    together = pytest.mark.xdist_group(f"faults of {subject.name.partition('.')[0]}")
    return pytest.param(subject, id=subject.name, marks=together)


# By subject, not by case: the cases are made of the calls of the happy path, which every worker would have to run.
@pytest.mark.parametrize("subject", [_parameter(subject) for subject in registered()])
def test_every_case_ends_done_or_visibly_failed(subject: Subject) -> None:
    ended = [(case, run(case)) for case in generated(subject) if case.what not in LIKE_OTHERS]
    bad = [f"{case}: {outcome.detail}" for case, outcome in ended if outcome.verdict is Verdict.BAD]
    assert not bad, "\n".join(bad)


def test_what_is_left_out_is_like_something_that_is_not() -> None:
    kinds = {case.what for subject in registered() if "collector" in subject.name for case in generated(subject)}
    assert set(LIKE_OTHERS) <= kinds
    assert set(LIKE_OTHERS.values()) <= kinds - set(LIKE_OTHERS)
