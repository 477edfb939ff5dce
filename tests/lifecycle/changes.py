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
from tests.conformance.updates.states import Change, State, changes, legal, states
from tests.lifecycle.report import Stage
from tests.lifecycle.stack import Stack
from tests.lifecycle.synthesis import Made, Synthesis

Json = dict[str, Any]
Held = Mapping[str, tuple[str, str]]

DONE = ("UPDATE_COMPLETE", "unchanged")
REFUSED = ("volume-shrinks",)
"""Rules of the updates whose findings CloudFormation refuses, so that the stack stays as it is."""
ANOTHER_STACK = "another stack"
GUARD_SAYS = "stopped before anything happened to"


class Changes:
    """Plays every change of a state on a stack, there and back.

    Args:
        anew: destroys the stack and creates another one in its place, where no update leads there.
        holds: how much of each kind the account has, given what it should have; it must be the same after each way
            back.
    """

    def __init__(
        self,
        stack: Stack,
        synthesis: Synthesis,
        anew: Callable[[Made], None],
        holds: Callable[[Counter[str] | None], Counter[str]],
    ) -> None:
        self._stack, self._synthesis, self._anew, self._holds = stack, synthesis, anew, holds
        self.largest: tuple[int, Made | None] = (0, None)
        self.stopped = 0

    def play(self, default: State, stage: Stage) -> None:
        """Every setting with one other value, and what belongs together.

        From the default; what has no other legal value there, from the first state of the solution where it has one.
        """
        possible = list(changes(default, most=1))
        tried = {key for keys, found in possible for key in keys.split(", ") if found}
        every = {key for keys, _ in possible for key in keys.split(", ")}
        count, before = self._each([change for _, found in possible for change in found], stage), self._holds(None)
        largest, others = self.largest, 0
        for of in states(default.slug, all_of_them=True)[1:]:
            state = State(of.slug, of.name, default.common, of.section)
            if not legal(state):
                continue
            possible = [(key, found) for key, found in changes(state, most=1) if ", " not in key and key not in tried]
            every |= {key for key, _ in possible if not key.startswith("common.")}
            wanted = [change for _, found in possible for change in found if not change.key.startswith("common.")]
            if wanted and (why := _state_not_deployed(state)):
                stage.not_tried.append(f"[{state.name}]: {why}")
            elif wanted:
                others += 1
                count += self._in(state, wanted, stage)
                tried |= {change.key for change in wanted}
        if others:
            self.largest = largest  # a change of another state may be one that a guard stops on its way from here
            self._anew(self._synthesis(default))
            if (after := self._holds(before)) != before:
                stage.findings.append(f"what the account holds differs after all states: {difference(before, after)}")
        known: Mapping[str, str] = told(default.slug, "ONE_VALUE_ONLY", {})
        for key in sorted(every - tried):
            why = known.get(key) or known.get(key.removeprefix("common.")) or "no other value that can be deployed here"
            stage.not_tried.append(f"{key}: {why}; make updates looks at its templates")
        stage.said = f"{count} settings there and back"
        stage.said += f", {others} more states" if others else ""
        stage.said += f", {self.stopped} stopped by a guard" if self.stopped else ""

    def _in(self, state: State, wanted: list[Change], stage: Stage) -> int:
        """The changes of another state, which is deployed in the place of what is there."""
        try:
            self._anew(self._synthesis(state))
        except ValueError as error:
            stage.findings.append(f"[{state.name}] is not deployed: {error}")
            return 0
        return self._each(wanted, stage)

    def _each(self, wanted: list[Change], stage: Stage) -> int:
        count, before = 0, self._holds(None)
        for change in wanted:
            if why := _not_deployed(change):
                stage.not_tried.append(f"{change}: {why}")
                continue
            count += 1
            found = list(self._there_and_back(change))
            after = self._holds(before)
            if after != before:
                found.append(f"what the account holds differs after the way back: {difference(before, after)}")
                before = after
            stage.findings += [f"{change}: {one}" for one in found]
        return count

    def _there_and_back(self, change: Change) -> Iterator[str]:
        default, made = self._synthesis(change.before), self._synthesis(change.after)
        update = Update(resources(default.template), resources(made.template))
        passes: Mapping[str, str] = told(change.before.slug, "PASSES", {})
        if update.refusing_guards and change.key not in passes:
            self.stopped += 1
            yield from self._stopped(change, made)
        else:
            problems = list(self._update(change, default, made))
            yield from problems
            if not problems:
                size = len(update.changed) + len(update.added) + len(update.replaced)
                self.largest = max(self.largest, (size, made), key=lambda one: one[0])
        yield from self._back(change, made, default)

    def _back(self, change: Change, made: Made, default: Made) -> Iterator[str]:
        """To the default, by the way that a guard names if one stops it; else another stack stands there."""
        back = Change(change.after, change.key, change.value, change.before)
        passes: Mapping[str, str] = told(change.before.slug, "PASSES", {})
        if change.key not in passes and Update(resources(made.template), resources(default.template)).refusing_guards:
            list(self._follow(back))
            found: list[str] = []
        else:
            found = [f"and back: {one}" for one in self._update(back, made, default)]
        if self._stack.update(default).status not in DONE:
            self._anew(default)
        yield from found

    def _update(self, change: Change, before: Made, after: Made) -> Iterator[str]:
        """One update that must end well and lose nothing, but for what is by design."""
        held = self._stack.resources()
        ended = self._stack.update(after)
        slug, where = change.before.slug, f"{change.before.slug} {change}"
        if ended.status not in DONE or ended.left:
            named = [why.partition(":")[0] for why in ended.reasons]
            known = [Finding(where, name, rule, "fails", "", LAW, "") for name in named for rule in REFUSED]
            if not any(by_design(slug, one) for one in known):
                yield str(ended)
            return
        for loss in lost(held, self._stack.resources(), before.template):
            finding = Finding(where, *loss, LAW, "guard it and name the way, or keep its id")
            if not by_design(slug, finding):
                yield f"{finding.resource}: {finding.reason}"

    def _stopped(self, change: Change, wanted: Made) -> Iterator[str]:
        """A guard refuses the change, everything stays, and the way that it names leads there."""
        held = self._stack.resources()
        ended = self._stack.update(wanted)
        if ended.status != "UPDATE_ROLLBACK_COMPLETE" or not any(GUARD_SAYS in why for why in ended.reasons):
            yield f"a guard must stop it, but: {ended}"
        if differing := {name for name, _ in held.items() ^ self._stack.resources().items()}:
            yield f"stopped, and yet changed: {', '.join(sorted(differing))}"
        if (ended := self._stack.update(self._synthesis(change.before))).status != "unchanged":
            yield f"stopped, and yet the next deployment is not empty: {ended}"
        yield from self._follow(change)

    def _follow(self, change: Change) -> Iterator[str]:
        """The deployments that the guard's message names: WAYS of the solution, by the key that is changed."""
        ways: Mapping[str, tuple[tuple[str, Json], ...]] = told(change.before.slug, "WAYS", {})
        key = next((each for each in ways if fnmatchcase(change.key, each)), None)
        if key is None:
            yield f"a guard stops it, and WAYS in its conformance.py does not have the way out for {change.key}"
            return
        for side, settings in ways[key]:
            of = change.before if side == "before" else change.after
            section = {**of.section, **settings}
            if not legal(State(of.slug, of.name, of.common, section)):
                yield f"the guard's way out, {side} with {settings}: no legal configuration"
                return
            if side == ANOTHER_STACK:
                made = self._synthesis(State(of.slug, of.name, {**of.common, "prefix": "another"}, section))
                another = self._stack.beside(made)
                ended, status = another.create(made), "CREATE_COMPLETE"
                another.delete()
            else:
                ended, status = self._stack.update(self._synthesis(State(of.slug, of.name, of.common, section))), ""
            if ended.status not in (*DONE, status) or ended.left:
                yield f"the guard's way out, {side} with {settings}: {ended}"
                return


def _not_deployed(change: Change) -> str | None:
    known: Mapping[str, str] = told(change.before.slug, "NOT_DEPLOYED", {})
    said = str(change).split("] ", 1)[-1]
    return next((why for key, why in known.items() if fnmatchcase(said, key)), None)


def _state_not_deployed(state: State) -> str | None:
    known: Mapping[str, str] = told(state.slug, "NOT_DEPLOYED", {})
    return known.get(f"state {state.name}")


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


def difference(before: Counter[str], after: Counter[str]) -> str:
    """How much more or less there is of each kind."""
    kinds = sorted(kind for kind in before | after if before[kind] != after[kind])
    return ", ".join(f"{after[kind] - before[kind]:+d} {kind}" for kind in kinds)
