"""The post's third and fourth insight: how large a workload may be, and when it runs best. No AWS in here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spot_placement_tracker.questions import Place, Question, workloads

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ENOUGH = 2
"""An hour of the day, or a day of the week, is compared from so many hours of data on, because one is chance."""


@dataclass(frozen=True)
class Best:
    """The best hour or day.

    Attributes:
        label: its name; of several that are alike the first.
        mean: average score in it.
        alike: how many others have the same average, to a tenth.
        compared: how many had enough data.
    """

    label: str
    mean: float
    alike: int
    compared: int

    def __str__(self) -> str:
        if self.compared < 2:
            return "too early"
        if self.alike == self.compared - 1:
            return f"all alike ({self.mean:.1f})"
        others = f", {self.alike} more alike" if self.alike else ""
        return f"{self.label} ({self.mean:.1f}{others})"


@dataclass
class Profile:
    """Hourly averages of one series, by the hour of the day and the day of the week in UTC."""

    hours: list[list[float]] = field(default_factory=lambda: [[] for _ in range(24)])
    days: list[list[float]] = field(default_factory=lambda: [[] for _ in range(7)])

    def add(self, timestamps: Iterable[datetime], values: Iterable[float]) -> None:
        """Takes hourly averages, each with the beginning of its hour."""
        for timestamp, value in zip(timestamps, values, strict=True):
            moment = timestamp.astimezone(UTC)
            self.hours[moment.hour].append(value)
            self.days[moment.weekday()].append(value)

    @property
    def count(self) -> int:
        """Hours of data."""
        return sum(map(len, self.hours))

    @property
    def mean(self) -> float:
        """Average score; 0 without data."""
        return sum(map(sum, self.hours)) / self.count if self.count else 0.0

    @property
    def lowest(self) -> float:
        """Lowest average of an hour; 0 without data."""
        return min((value for hour in self.hours for value in hour), default=0.0)

    def best_hour(self) -> Best:
        """The hour of the day, in UTC, with the best average."""
        return _best([f"{hour:02}:00" for hour in range(24)], self.hours)

    def best_day(self) -> Best:
        """The day of the week with the best average."""
        return _best(DAYS, self.days)


@dataclass(frozen=True)
class Line:
    """What is to be said of one question in one place."""

    question: Question
    place: Place
    profile: Profile


@dataclass(frozen=True)
class Size:
    """How large a workload may be in one place.

    Attributes:
        largest: the largest size that keeps the score of the smallest; None without data.
        of: the sizes that were asked for.
        unknown: those above it of which nothing is known, because EC2 gave no score; it may be larger then.
    """

    question: Question
    place: Place
    largest: int | None
    of: tuple[int, ...]
    unknown: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.largest is None:
            return "no data yet"
        if not self.unknown:
            return str(self.largest)
        one = len(self.unknown) == 1
        return f"at least {self.largest}; {', '.join(map(str, self.unknown))} {'was' if one else 'were'} not answered"


def sizes(lines: Iterable[Line]) -> list[Size]:
    """The largest size that keeps its score, of every workload that is asked about in several sizes.

    A size keeps the score if its average, as the whole number that EC2 gives, is not below that of the smallest size.
    One that keeps it above one that does not counts for nothing: a workload grows through all of them.
    """
    found = list(lines)
    means = {(line.question.key, line.place): line.profile for line in found}
    places: dict[str, list[Place]] = {}
    for line in found:
        known = places.setdefault(line.question.workload, [])
        if line.place not in known:
            known.append(line.place)
    questions = list({line.question.key: line.question for line in found}.values())
    return [
        _size(group, place, means)
        for group in workloads(questions)
        if len(group) > 1
        for place in places[group[0].workload]
    ]


def _size(group: Sequence[Question], place: Place, means: Mapping[tuple[str, Place], Profile]) -> Size:
    """Not answered is not "does not keep it": such a size is stepped over, and named if none above it is known."""
    largest, wanted = None, 0
    unknown: list[int] = []
    for question in group:
        profile = means.get((question.key, place))
        if profile is None or not profile.count:
            unknown.append(question.capacity)
            continue
        score = round(profile.mean)
        if score < wanted:
            unknown = [capacity for capacity in unknown if largest is None or capacity > largest]
            break
        largest, wanted, unknown = question.capacity, wanted or score, []
    return Size(group[0], place, largest, tuple(question.capacity for question in group), tuple(unknown))


def _best(labels: Sequence[str], values: Sequence[Sequence[float]]) -> Best:
    means = {
        label: round(sum(found) / len(found), 1)
        for label, found in zip(labels, values, strict=True)
        if len(found) >= ENOUGH
    }
    if not means:
        return Best("", 0.0, 0, 0)
    best = max(means.values())
    alike = [label for label, mean in means.items() if mean == best]
    return Best(alike[0], best, len(alike) - 1, len(means))
