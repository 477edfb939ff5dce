"""Which pipeline builds on which: the order, what is wrong with it, and a picture of it."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol, TypeVar

GOLD = "gold"
MOST_FOLLOWERS = 5
"""Of a rule, each a target; https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""


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


def problems_of(workloads: Sequence[Workload]) -> Iterator[tuple[int, str, str]]:
    """Duplicate names, unknown parents, parents without an AMI, and cycles.

    Yields:
        The workload's index, the key, and what is wrong with it.
    """
    names = [GOLD, *(workload.name for workload in workloads)]
    plain: dict[str, str] = {GOLD: GOLD}
    for index, workload in enumerate(workloads):
        name, earlier = workload.name, names[: index + 1]
        other = plain.setdefault(name.replace("-", ""), name)
        if name == GOLD:
            yield index, "name", "must not be the gold pipeline's; rename the workload"
        elif name in earlier:
            yield index, "name", "must not be that of another workload; rename one"
        elif names[0] != name and any(name == f"{one.name}-container" for one in workloads if one.kind == "container"):
            yield index, "name", "must not be that of a container workload and -container; rename one"
        elif other != name:
            yield index, "name", f"must differ from {other!r} by more than a hyphen; rename one"
    kinds = {workload.name: workload.kind for workload in workloads}
    for index, workload in enumerate(workloads):
        if workload.parent not in names:
            close = get_close_matches(workload.parent, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "correct it"
            yield index, "parent", f"must be one of {', '.join(dict.fromkeys(names))}; {hint}"
        elif kinds.get(workload.parent) == "container":
            yield (
                index,
                "parent",
                "must be of kind ami: only an AMI has the parameter that a cascade follows; name another pipeline",
            )
    parents = {workload.name: workload.parent for workload in workloads if workload.name != GOLD}
    places = {workload.name: index for index, workload in enumerate(workloads)}
    seen: set[str] = set()
    for start in parents:
        path: list[str] = []
        name = start
        while name in parents and name not in path and name not in seen:
            path.append(name)
            name = parents[name]
        if name in path:
            circle = [*path[path.index(name) :], name]
            yield (
                places[name],
                "parent",
                f"must not lead in a circle, as {' -> '.join(circle)} does; let one of them build on {GOLD}",
            )
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
