"""The cases of every registered subject end done or visibly failed; ``make faults`` runs those left out here."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.cases import CHANGES_NOTHING, LIKE_OTHERS, Case, short
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


_cases: dict[str, list[Case]] = {}


def _generated(subject: Subject) -> list[Case]:
    """Once for all tests of a subject: its happy path is played for them."""
    if subject.name not in _cases:
        _cases[subject.name] = generated(subject)
    return _cases[subject.name]


# By subject, not by case: the cases are made of the calls of the happy path, which every worker would have to run.
@pytest.mark.parametrize("subject", [_parameter(subject) for subject in registered()])
def test_every_case_ends_done_or_visibly_failed(subject: Subject) -> None:
    ended = [(case, run(case)) for case in short(_generated(subject))]
    bad = [f"{case}: {outcome.detail}" for case, outcome in ended if outcome.verdict is Verdict.BAD]
    assert not bad, "\n".join(bad)


def test_what_is_left_out_is_like_something_that_is_not() -> None:
    kinds = {case.what for subject in registered() if "collector" in subject.name for case in generated(subject)}
    assert set(LIKE_OTHERS) <= kinds
    assert set(LIKE_OTHERS.values()) <= kinds - set(LIKE_OTHERS)


@pytest.mark.parametrize("subject", [_parameter(subject) for subject in registered()])
def test_every_line_that_calls_aws_meets_every_fault_that_is_not_like_another(subject: Subject) -> None:
    whole = _generated(subject)
    chosen = short(whole)
    left_out = {case.what for case in whole if case.call} - {case.what for case in chosen if case.call}
    changing = [case for case in whole if case.call and not CHANGES_NOTHING.match(case.call.operation)]
    about_changes = {"its answer lost once", "stopped after it"} if not changing else set()
    assert left_out <= set(LIKE_OTHERS) | about_changes
    lines = {(case.call.operation, case.call.path) for case in whole if case.call}
    denied = {(case.call.operation, case.call.path) for case in chosen if case.call and case.what == "denied"}
    assert denied == lines
