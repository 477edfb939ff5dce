"""When a GPU instance is idle, silent or wasted, and what that makes of the fleet. No AWS in here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
START = timedelta(minutes=15)
"""How long a start may take until the agent, which is installed and starts with the system, reports."""
START_OF_METAL = timedelta(minutes=35)
"""That of bare metal, which takes "20 minutes from the time the instance enters the running state until it becomes
available over the network": https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/accelerated-computing-instances.html."""


class State(StrEnum):
    """What an instance is doing, as far as it says."""

    NEW = "new"
    SILENT = "silent"
    UNSEEN = "gpu unseen"
    MIG = "mig"
    WITHOUT_GPU = "without gpu"
    WORKING = "working"
    IDLE = "idle"


@dataclass(frozen=True)
class Rules:
    """What the settings say.

    Attributes:
        idle_percent: every GPU of an idle instance computes less than this.
        idle_hours: so long it must not have.
        silent: whoever has reported nothing for so long is silent; a new instance is given as long, to be set up.
    """

    idle_percent: float
    idle_hours: float
    silent: timedelta

    @property
    def horizon(self) -> int:
        """Hours that are looked back, so that idleness of idle_hours can be seen; a day at least, for people."""
        return max(int(self.idle_hours), 24) + 1


@dataclass(frozen=True)
class Machine:
    """A running instance with the tag.

    Attributes:
        started: its last start.
        gpus: NVIDIA GPUs of its type, which are those that the agent sees.
        launched: its first start; None: the last.
        group: its Auto Scaling group; empty: none.
    """

    id: str
    type: str
    started: datetime
    gpus: int
    windows: bool = False
    group: str = ""
    launched: datetime | None = None

    def is_new(self, rules: Rules, now: datetime) -> bool:
        """Whether it has not had the time to report: that of a new instance, or that of a start.

        Not silent time since the last start: of whoever is stopped each night that never becomes a day, and a restart
        would hide a silent one for as long again.
        """
        launched = self.launched or self.started
        is_metal = self.type.partition(".")[2].startswith("metal")
        start = START_OF_METAL if is_metal else min(START, rules.silent)
        return now - launched < rules.silent or now - self.started < start


@dataclass(frozen=True)
class Reading:
    """What the agent of an instance has reported.

    Attributes:
        alive: whether there is any datapoint of the last minutes.
        utilization: mean of its GPUs over these minutes, in percent; None: not reported, as of GPUs with MIG.
        memory_percent: the fullest memory of these minutes; None: no GPU was reported.
        hours: the highest utilization of each hour in which one was reported, by its beginning.
        errors: Xid errors of these minutes that only a broken GPU has.
    """

    alive: bool
    utilization: float | None
    memory_percent: float | None
    hours: Mapping[datetime, float]
    errors: int = 0


@dataclass(frozen=True)
class Verdict:
    """An instance, judged.

    Attributes:
        idle_hours: how long no GPU has worked, as far as was reported without a gap; None: not known.
    """

    machine: Machine
    state: State
    utilization: float | None
    memory_percent: float | None
    idle_hours: float | None
    errors: int = 0


def judge(machine: Machine, reading: Reading, rules: Rules, now: datetime) -> Verdict:
    """Judges one instance. What was not reported is never called idle."""
    return replace(_judged(machine, reading, rules, now), errors=reading.errors)


def _judged(machine: Machine, reading: Reading, rules: Rules, now: datetime) -> Verdict:
    new = machine.is_new(rules, now)
    if not reading.alive:
        return Verdict(machine, State.NEW if new else State.SILENT, None, None, None)
    if not machine.gpus:
        return Verdict(machine, State.WITHOUT_GPU, None, None, None)
    if reading.utilization is None and reading.memory_percent is not None:
        # nvidia-smi says N/A for the utilization of a GPU that is cut into slices, and for that only.
        return Verdict(machine, State.MIG, None, reading.memory_percent, None)
    if reading.utilization is None:
        return Verdict(machine, State.NEW if new else State.UNSEEN, None, None, None)
    hours = idle_for(reading.hours, machine.started, rules.idle_percent, now)
    idle = hours is not None and hours >= rules.idle_hours
    state = State.IDLE if idle else State.WORKING
    return Verdict(machine, state, reading.utilization, reading.memory_percent, hours)


def idle_for(hours: Mapping[datetime, float], started: datetime, percent: float, now: datetime) -> float | None:
    """For how many hours every GPU of an instance has computed less than *percent*; None: not reported lately.

    It counts back, hour after hour, to the first one with work in it or without a report, or to the start: whoever was
    idle for three hours and a half is called idle for three or more, never for more than is shown.
    """
    known = {begin: value for begin, value in hours.items() if begin + HOUR > started and begin <= now}
    newest = max(known, default=None)
    if newest is None or now - newest >= 2 * HOUR:
        return None
    begin, since = newest, None
    while begin in known and known[begin] < percent:
        since, begin = begin, begin - HOUR
    return 0.0 if since is None else round((now - max(since, started)) / HOUR, 4)


@dataclass(frozen=True)
class Value:
    """One datapoint of a metric.

    Attributes:
        dimension: its one dimension; None: none.
    """

    name: str
    value: float
    unit: str
    dimension: tuple[str, str] | None = None


def values(verdicts: Sequence[Verdict]) -> Iterator[Value]:
    """The metrics of a fleet: of all, of each type and group with GPUs, and of each instance with GPUs that reports."""
    counted = {state: sum(verdict.state is state for verdict in verdicts) for state in State}
    yield Value("Instances", len(verdicts), "Count")
    yield Value("SilentInstances", counted[State.SILENT], "Count")
    yield Value("UnseenGpuInstances", counted[State.UNSEEN], "Count")
    yield Value("BrokenGpuInstances", sum(verdict.errors > 0 for verdict in verdicts), "Count")
    # One that is new, or has just started, is given the time that its agent needs.
    unknown = [v for v in verdicts if v.utilization is None and v.state is not State.NEW]
    yield Value("UnmeasuredGpus", sum(v.machine.gpus for v in unknown), "Count")
    yield from _waste(verdicts, None)
    for name, unit, known in (
        ("LongestIdleHours", "None", [v.idle_hours for v in verdicts]),
        ("FullestMemory", "Percent", [v.memory_percent for v in verdicts]),
    ):
        yield Value(name, max((value for value in known if value is not None), default=0), unit)
    for kind in sorted({verdict.machine.type for verdict in verdicts if verdict.machine.gpus}):
        yield from _waste([verdict for verdict in verdicts if verdict.machine.type == kind], ("InstanceType", kind))
    for group in sorted({verdict.machine.group for verdict in verdicts if verdict.machine.gpus} - {""}):
        ours = [verdict for verdict in verdicts if verdict.machine.group == group]
        yield from _waste(ours, ("AutoScalingGroupName", group))
    for verdict in verdicts:
        for name, value, unit in (
            ("IdleHours", verdict.idle_hours, "None"),
            ("MemoryUsed", verdict.memory_percent, "Percent"),
        ):
            if value is not None:
                yield Value(name, value, unit, ("InstanceId", verdict.machine.id))


def _waste(verdicts: Iterable[Verdict], dimension: tuple[str, str] | None) -> Iterator[Value]:
    """GPUs, and what of them is wasted: a GPU that computes for a fifth of the time is four fifths of one wasted.

    Whoever does not report is in Gpus and not in what is wasted or used: nobody knows. A type or group of which no GPU
    is measured has no waste at all, since 0 would say that all of them work.
    """
    with_gpus = [verdict for verdict in verdicts if verdict.machine.gpus]
    reporting = [(v.machine.gpus, v.utilization) for v in with_gpus if v.utilization is not None]
    known = sum(gpus for gpus, _ in reporting)
    used = sum(gpus * utilization / 100 for gpus, utilization in reporting)
    idle = [verdict for verdict in with_gpus if verdict.state is State.IDLE]
    yield Value("Gpus", sum(verdict.machine.gpus for verdict in with_gpus), "Count", dimension)
    if known or dimension is None:
        yield Value("WastedGpus", round(known - used, 4), "Count", dimension)
    yield Value("IdleInstances", len(idle), "Count", dimension)
    yield Value("IdleGpus", sum(verdict.machine.gpus for verdict in idle), "Count", dimension)
    if known:
        yield Value("Utilization", round(100 * used / known, 4), "Percent", dimension)
