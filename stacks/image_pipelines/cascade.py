"""Which pipeline builds on which: the order, what is wrong with it, and a picture of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

GOLD = "gold"


class Workload(Protocol):
    """A pipeline that builds on another."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def parent(self) -> str:
        """The pipeline it builds on."""

    @property
    def kind(self) -> str:
        """``ami`` or ``container``."""


AnyWorkload = TypeVar("AnyWorkload", bound=Workload)


def problems_of(workloads: Sequence[Workload]) -> Iterator[str]:
    """Duplicate names, unknown parents, parents without an AMI, and cycles."""
    names = [GOLD, *(workload.name for workload in workloads)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        whose = "is the gold pipeline's" if name == GOLD else "is there twice"
        yield f"the name {name!r} {whose}; rename the workload"
    plain = {name.replace("-", ""): name for name in names}
    for name in dict.fromkeys(names):
        if plain[name.replace("-", "")] != name:
            yield f"the names {name!r} and {plain[name.replace('-', '')]!r} differ by a hyphen only; rename one"
    kinds = {workload.name: workload.kind for workload in workloads}
    for workload in workloads:
        if workload.parent not in names:
            known = ", ".join(dict.fromkeys(names))
            yield f"{workload.name}: its parent {workload.parent!r} is unknown; there are {known}"
        elif kinds.get(workload.parent) == "container":
            yield (
                f"{workload.name}: its parent {workload.parent!r} is a container, and only an AMI has the parameter "
                "that a cascade follows; name a pipeline of kind ami"
            )
    parents = {workload.name: workload.parent for workload in workloads if workload.name != GOLD}
    seen: set[str] = set()
    for start in parents:
        path: list[str] = []
        name = start
        while name in parents and name not in path and name not in seen:
            path.append(name)
            name = parents[name]
        if name in path:
            circle = [*path[path.index(name) :], name]
            yield f"the parents go in a circle: {' -> '.join(circle)}; let one of them build on {GOLD}"
        seen.update(path)


def in_order(workloads: Sequence[AnyWorkload]) -> list[AnyWorkload]:
    """The workloads, each after its parent; only for those that have no problems."""
    parents = {workload.name: workload.parent for workload in workloads}
    return sorted(workloads, key=lambda workload: _depth(workload.name, parents))


def _depth(name: str, parents: Mapping[str, str]) -> int:
    return 0 if name not in parents else 1 + _depth(parents[name], parents)


def mermaid(base: str, workloads: Sequence[Workload]) -> str:
    """The cascade as a flow chart of Mermaid."""
    lines = ["flowchart LR", f"  base([{base}]) -->|newest public image| {GOLD}[[{GOLD}]]"]
    for workload in in_order(workloads):
        box = f"[{workload.name}]" if workload.kind == "ami" else f"{{{{{workload.name}, container}}}}"
        lines.append(f"  {_node(workload.parent)} -->|parameter| {_node(workload.name)}{box}")
    return "\n".join(lines) + "\n"


def _node(name: str) -> str:
    # "end" and the like are words of Mermaid.
    return name if name == GOLD else f"w_{name.replace('-', '_')}"
