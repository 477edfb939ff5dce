"""An Auto Scaling group at work: a process for each instance in service, and the scheduled functions each minute."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tryout.deployed import Deployed
from tryout.hosts.processes import Fleet
from tryout.hosts.user_data import Service
from tryout.steps import StepFailedError

LOOK_SECONDS = 0.2
REAL_MINUTE = 60.0
BOOT_MINUTES = 2.0


@dataclass
class LiveGroup:
    """Runs beside a scenario's steps as a context manager; minutes last *minute* seconds while it does.

    Attributes:
        group: the group's name.
        service: what each instance runs.
        each_minute: what the schedules of the stack would run.
        sizes: (minutes since the beginning, instances in service), at every change.
        held_up: whether the machine was too busy to keep time: a minute passed in which nobody looked, or two until a
            service said its first word.
    """

    deployed: Deployed
    fleet: Fleet
    group: str
    service: Service
    variables: dict[str, str]
    each_minute: Sequence[Callable[[], Any]] = ()
    minute: float = 1.0
    sizes: list[tuple[float, int]] = field(default_factory=list)
    held_up: bool = False
    _silent: dict[str, float] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _fault: Exception | None = None

    def __enter__(self) -> Self:
        self.deployed.aws.minute_lasts(self.minute)
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._run, args=work) for work in self._work()]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.deployed.aws.minute_lasts(REAL_MINUTE)
        if self._fault and kind is None:
            raise StepFailedError(f"beside the step: {self._fault}") from self._fault

    @property
    def minutes(self) -> float:
        """Minutes since the beginning."""
        return (time.monotonic() - self._began) / self.minute

    @property
    def peak(self) -> tuple[float, int]:
        """When the most instances were in service for the first time, and how many."""
        most = max(size for _, size in self.sizes)
        return next((minute, size) for minute, size in self.sizes if size == most)

    def in_service(self) -> list[str]:
        """The instances in service."""
        groups = self.deployed.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        members = groups["AutoScalingGroups"][0]["Instances"]
        return [member["InstanceId"] for member in members if member["LifecycleState"] == "InService"]

    def _work(self) -> list[tuple[Callable[[], Any], float, float]]:
        """What to do, every how many seconds, and how many seconds after the beginning for the first time.

        Policies look at the end of a minute. Functions run in its middle: close to its end a datapoint would fall now
        into one minute, now into the next, and some minutes would have two and others none.
        """
        functions = [(function, self.minute, self.minute / 2) for function in self.each_minute]
        return [(self._start_machines, LOOK_SECONDS, 0.0), *functions]

    def _run(self, work: Callable[[], Any], seconds: float, first: float) -> None:
        try:
            due = time.monotonic() + first
            while not self._ended.wait(max(0.0, due - time.monotonic())):
                begun = time.monotonic()
                work()
                self.held_up |= time.monotonic() - begun > self.minute
                due = max(due + seconds, time.monotonic())  # as minutes follow each other: lateness does not add up
        except Exception as fault:
            # A thread cannot fail the step; what it has met fails it at the end.
            self._fault = fault

    def _start_machines(self) -> None:
        instances = self.in_service()
        if not self.sizes or self.sizes[-1][1] != len(instances):
            self.sizes.append((self.minutes, len(instances)))
        running = {worker.instance_id for worker in self.fleet.workers if worker.alive}
        for instance in instances:
            if instance not in running:  # new, or ended: the unit says Restart=always
                self.fleet.start(instance, self.service, **self.variables)
                self._silent[instance] = self.minutes
        for worker in [worker for worker in self.fleet.workers if worker.instance_id in self._silent]:
            if worker.events():
                self.held_up |= self.minutes - self._silent.pop(worker.instance_id) > BOOT_MINUTES
