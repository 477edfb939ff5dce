"""The cases of every registered subject end done or visibly failed; ``make faults`` runs those left out here."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.cases import Case, short
from tests.faults.running import Verdict, generated, run
from tests.faults.subject import Subject, registered
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


# By subject, not by case: the cases are made of the calls of the happy path, which every worker would have to run.
@pytest.mark.parametrize("subject", list(registered()), ids=lambda subject: subject.name)
def test_every_case_ends_done_or_visibly_failed(subject: Subject) -> None:
    ended = [(case, run(case)) for case in short(_generated(subject))]
    bad = [f"{case}: {outcome.detail}" for case, outcome in ended if outcome.verdict is Verdict.BAD]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("subject", list(registered()), ids=lambda subject: subject.name)
def test_every_line_that_calls_aws_fails_once(subject: Subject) -> None:
    whole = _generated(subject)
    lines, failing = (
        Counter((case.call.operation, case.call.path) for case in some if case.call) for some in (whole, short(whole))
    )
    assert failing == Counter(lines.keys())
