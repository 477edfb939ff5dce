"""One round of questions, and what is published of it. No AWS in here."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from shared.placement_scores import Score
from spot_placement_tracker.questions import Json, Question

MOST_DATA = 1_000
"""Metrics in one request of PutMetricData
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html). So many are below its 1 MB,
because no name is longer than the file allows."""
AT_ONCE = 4
"""Questions that are under way together. EC2 throttles each API of an account and Region by a bucket of its own; of one
that only reads it holds 100 calls, and 20 more each second
(https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html)."""
NOT_ASKED = "NotAsked"

# The tracker's own metrics, with the dimension Tracker, beside the scores. They are the README's, and of the alarms.
REFUSED, BELOW, PROBLEMS, PUBLISHED = "RefusedConfigurations", "BelowAlarmScore", "FileProblems", "PublishedScores"
TRACKER = "Tracker"


class RefusedError(Exception):
    """A question got no answer.

    Attributes:
        code: EC2's, or the name of what went wrong on the way.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Round:
    """What became of the questions.

    Attributes:
        answered: scores by question, in the order of the file.
        refused: what got no answer, with the code and the words of the refusal.
    """

    answered: list[tuple[Question, Sequence[Score]]] = field(default_factory=list)
    refused: list[tuple[Question, str, str]] = field(default_factory=list)

    @property
    def scores(self) -> int:
        """How many scores EC2 gave."""
        return sum(len(question.data(found)) for question, found in self.answered)

    @property
    def below(self) -> list[Question]:
        """Questions whose score is below their AlarmBelowScore in every place."""
        return [question for question, scores in self.answered if question.missed(scores)]

    def counts(self, tracker: str, problems: int) -> list[Json]:
        """The tracker's own metrics.

        Args:
            tracker: the stack's name.
            problems: of the stored file.
        """
        own = {REFUSED: len(self.refused), BELOW: len(self.below), PROBLEMS: problems, PUBLISHED: self.scores}
        dimensions = [{"Name": TRACKER, "Value": tracker}]
        return [
            {"MetricName": name, "Dimensions": dimensions, "Unit": "Count", "Value": float(value)}
            for name, value in own.items()
        ]


def ask_all(
    questions: Iterable[Question],
    ask: Callable[[Question], Sequence[Score]],
    *,
    seconds_left: Callable[[], float],
    answered: Callable[[Sequence[Json]], None] = lambda data: None,
) -> Round:
    """Asks every question, whatever becomes of the others.

    They are asked in the order of the file: where EC2 takes only some as new ones, it is always the first ones.

    Args:
        ask: raises RefusedError.
        seconds_left: until no further question may be begun.
        answered: gets what is to be published of an answer, as soon as it and those before it are there.
    """

    def answer(question: Question) -> Sequence[Score] | RefusedError:
        if seconds_left() <= 0:
            return RefusedError(NOT_ASKED, "the time of this round was over")
        try:
            return ask(question)
        except RefusedError as refused:
            return refused

    found = Round()
    listed = list(questions)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as workers:
        for question, outcome in zip(listed, workers.map(answer, listed), strict=True):
            if isinstance(outcome, RefusedError):
                found.refused.append((question, outcome.code, str(outcome)))
            else:
                found.answered.append((question, outcome))
                answered(question.data(outcome))
    return found
