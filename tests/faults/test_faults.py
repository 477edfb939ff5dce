"""The cases of every handler end done or visibly failed; ``make faults`` runs those left out here."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.cases import Case, line_of, short
from tests.faults.running import Verdict, generated, run
from tests.faults.subject import Subject, by_handler
from tests.faults.world.wire import laboratory


@pytest.fixture(scope="module", autouse=True)
def one_laboratory() -> Iterator[None]:
    with laboratory():
        yield


_cases: dict[str, list[Case]] = {}


def _generated(subject: Subject) -> list[Case]:
    """Once for all tests of a subject: its happy path is played for them."""
    if subject.name not in _cases:
        _cases[subject.name] = generated(subject)
    return _cases[subject.name]


# By handler, not by case: the cases are made of the calls of the happy path, which every worker would have to run.
@pytest.mark.parametrize("handler", list(by_handler().values()), ids=list(by_handler()))
def test_every_case_ends_done_or_visibly_failed(handler: list[Subject]) -> None:
    ended = [(case, run(case)) for case in short(*map(_generated, handler))]
    bad = [f"{case}: {outcome.detail}" for case, outcome in ended if outcome.verdict is Verdict.BAD]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("handler", list(by_handler().values()), ids=list(by_handler()))
def test_every_line_that_calls_aws_fails_once(handler: list[Subject]) -> None:
    cases = [_generated(subject) for subject in handler]
    lines = {line_of(case.call) for some in cases for case in some if case.call}
    failing = Counter(line_of(case.call) for case in short(*cases) if case.call)
    assert failing == Counter(lines)
