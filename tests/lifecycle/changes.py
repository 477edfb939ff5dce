"""Each setting changed on a deployed stack: nothing is lost, or a guard stops it and its way out is followed."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.conformance.findings import Finding
from tests.conformance.told import told
from tests.conformance.updates.looking import LAW, by_design
from tests.conformance.updates.model import Update
from tests.conformance.updates.rules import GO_WITH_THEIR_FEATURE, HOLDS, KEPT, resources
from tests.conformance.updates.states import Change, State, changes
from tests.lifecycle.report import Stage
from tests.lifecycle.stack import Ended, Stack
from tests.lifecycle.synthesis import Made, Synthesis

Json = dict[str, Any]
Held = Mapping[str, tuple[str, str]]

DONE = ("UPDATE_COMPLETE", "unchanged")
GUARD_SAYS = "stopped before anything happened to"


class Changes:
    """Plays every change of a state on a stack, there and back.

    Args:
        default: the state that the stack is in.
        holds: how much of each kind the account has; it must be the same after each way back.
    """

    def __init__(self, stack: Stack, default: State, synthesis: Synthesis, holds: Callable[[], Counter[str]]) -> None:
        self._stack, self._default, self._synthesis, self._holds = stack, default, synthesis, holds
        self._made = synthesis(default)
        self.largest: tuple[int, Made] = (0, self._made)

    def play(self, stage: Stage) -> None:
        """Every setting with one other value, and what belongs together."""
        count = stopped = 0
        before = self._holds()
        for _, possible in changes(self._default, most=1):
            for change in possible:
                if why := self._not_deployed(change):
                    stage.not_tried.append(f"{change}: {why}")
                    continue
                count += 1
                found, was_stopped = self._there_and_back(change)
                stopped += was_stopped
                after = self._holds()
                if after != before:
                    found.append(f"what the account holds differs after the way back: {_difference(before, after)}")
                    before = after
                stage.findings += [f"{change}: {one}" for one in found]
        stage.said = f"{count} settings there and back" + (f", {stopped} stopped by a guard" if stopped else "")

    def _not_deployed(self, change: Change) -> str | None:
        known: Mapping[str, str] = told(change.before.slug, "NOT_DEPLOYED", {})
        said = str(change).split("] ", 1)[-1]
        return next((why for key, why in known.items() if fnmatchcase(said, key)), None)

    def _there_and_back(self, change: Change) -> tuple[list[str], bool]:
        made = self._synthesis(change.after)
        expected = Update(resources(self._made.template), resources(made.template))
        if expected.refusing_guards:
            return list(self._stopped(change, made)), True
        found = list(self._update(change, self._made, made, ""))
        if not found:
            size = len(expected.changed) + len(expected.added) + len(expected.replaced)
            self.largest = max(self.largest, (size, made), key=lambda one: one[0])
        back = Update(resources(made.template), resources(self._made.template))
        if back.refusing_guards:
            found += [f"and back: {one}" for one in self._stopped(_reversed(change), self._made, made)]
            return found, True
        return found + list(self._update(change, made, self._made, "and back: ")), False

    def _update(self, change: Change, before: Made, after: Made, way: str) -> Iterator[str]:
        """One update that must end well and lose nothing."""
        held = self._stack.resources()
        ended = self._stack.update(after)
        if ended.status not in DONE or ended.left:
            yield f"{way}{ended}"
            return
        for loss in lost(held, self._stack.resources(), before.template):
            where = f"{change.before.slug} {change}" + (", and back" if way else "")
            finding = Finding(where, *loss, LAW, "guard it and name the way, or keep its id")
            if not by_design(change.before.slug, finding):
                yield f"{way}{finding.resource}: {finding.reason}"

    def _stopped(self, change: Change, wanted: Made, start: Made | None = None) -> Iterator[str]:
        """A guard refuses the change, everything stays, and the way that it names leads there and back."""
        start = start or self._made
        held = self._stack.resources()
        ended = self._stack.update(wanted)
        if ended.status != "UPDATE_ROLLBACK_COMPLETE" or not any(GUARD_SAYS in why for why in ended.reasons):
            yield f"a guard must stop it, but: {ended}"
        if self._stack.resources() != held:
            yield f"stopped, and yet changed: {sorted(set(held.items()) ^ set(self._stack.resources().items()))}"
        for way in (_way(change), _way(_reversed(change))):
            if isinstance(way, str):
                yield way
                return
            for step in way:
                ended = self._stack.update(self._synthesis(step))
                if ended.status not in DONE or ended.left:
                    yield f"the guard's way out, {step.section}: {ended}"
                    self._restore(start)
                    return
        self._restore(start)

    def _restore(self, made: Made) -> Ended:
        return self._stack.update(made)


def lost(before: Held, after: Held, template: Json) -> Iterator[tuple[str, str, Any, str]]:
    """What held something and is not there any more: resource, rule, verdict and reason of a finding."""
    coming = {kind for name, (kind, _) in after.items() if name not in before}
    for name, (kind, physical) in before.items():
        replaced = name in after and after[name][1] != physical
        if kind not in HOLDS or (name in after and not replaced):
            continue
        policy = template["Resources"][name].get("UpdateReplacePolicy" if replaced else "DeletionPolicy")
        makes_way = replaced or (kind in coming and kind not in GO_WITH_THEIR_FEATURE)
        if policy not in KEPT and makes_way:
            how = "is replaced" if replaced else "goes, and another comes"
            yield name, "loss", "fails", f"it {how}, with {HOLDS[kind]}"


def _reversed(change: Change) -> Change:
    return Change(change.after, change.key, change.value, change.before)


def _way(change: Change) -> tuple[State, ...] | str:
    """The deployments that the guard's message names: WAYS of the solution, by the key that is changed."""
    ways: Mapping[str, tuple[tuple[str, Json], ...]] = told(change.before.slug, "WAYS", {})
    key = next((each for each in ways if fnmatchcase(change.key, each)), None)
    if key is None:
        return f"a guard stops it, and WAYS in its conformance.py does not have the way out for {change.key}"
    sides = {"before": change.before, "after": change.after}
    return tuple(
        State(side.slug, side.name, side.common, {**side.section, **section})
        for side, section in ((sides[name], section) for name, section in ways[key])
    )


def _difference(before: Counter[str], after: Counter[str]) -> str:
    return ", ".join(
        f"{after[kind] - before[kind]:+d} {kind}" for kind in sorted(before | after) if before[kind] != after[kind]
    )
