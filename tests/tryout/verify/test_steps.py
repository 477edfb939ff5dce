"""What of every scenario is played in an account: read off the steps, and held against what they call."""

import importlib
import types
from collections.abc import Iterator
from typing import Any

import pytest

from stacks.catalog import settings_by_slug
from stacks.series import SOLUTIONS
from tryout.scenario import Scenario, marked_steps, scenario_of, step, steps_of
from tryout.steps import BESIDE

SLUGS = [solution.slug for solution in SOLUTIONS]
# What the embedded AWS alone can do; and a second stack, which no verification would destroy.
EMULATED = {"control", "age_metrics", "minute_lasts", "minutes_pass", "spot_notice", "authority", "beside", "destroy"}
# Calls by whose names something is made, changed or ended that may be somebody's.
CHANGES = (
    *("create_", "delete_", "run_", "terminate_", "attach_", "detach_", "disable_", "enable_", "modify_", "put_"),
    *("subscribe", "stop_", "start_instances", "associate_", "authorize_", "revoke_", "register_", "update_auto"),
)
# Those that reach nothing but what the stack itself has made.
OF_THE_STACK = {"create_tags", "put_object"}
HARMLESS = {"Fleet"}  # until something is started in it


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def reached(scenario: type[Scenario], method: str, seen: set[str] | None = None) -> Iterator[tuple[str, object]]:
    """Every name that a method uses, by way of the class's own methods too, with what a global of that name is."""
    seen = {method} if seen is None else seen
    function: Any = getattr(scenario, method)
    function = function.fget if isinstance(function, property) else getattr(function, "func", function)
    for code in codes(function.__code__):
        for name in code.co_names:
            yield name, function.__globals__.get(name)
            if isinstance(getattr(scenario, name, None), types.FunctionType | property) and name not in seen:
                seen.add(name)
                yield from reached(scenario, name, seen)


def not_for_an_account(scenario: type[Scenario], method: str) -> set[str]:
    """The names for whose sake a method must not run there."""
    found = set()
    for name, value in reached(scenario, method):
        module = getattr(value, "__module__", "") or ""
        if name in EMULATED or (module.startswith(("tryout.hosts.", "emulator.")) and name not in HARMLESS):
            found.add(name)
        if name.startswith(CHANGES) and name not in OF_THE_STACK:
            found.add(name)
    return found


@pytest.mark.parametrize("slug", SLUGS)
def test_each_step_runs_in_an_account_or_says_why_it_does_not(slug: str) -> None:
    scenario = scenario_of(slug)
    assert scenario.in_account
    for variant in scenario.in_account:
        played = [each for each in steps_of(scenario, variant, "account") if not each.emulated]
        assert played, f"{variant}: nothing is verified"
        print(f"{slug} ({variant}): " + "; ".join(each.title for each in played))
    for name, marked, _ in marked_steps(scenario):
        assert marked.where != "emulator" or marked.emulated or scenario.emulated, f"{name} gives no reason"
        assert marked.where == "emulator" or not marked.emulated, f"{name} gives a reason, and runs"


@pytest.mark.parametrize("slug", SLUGS)
def test_what_runs_in_an_account_reaches_nothing_beside_the_stack(slug: str) -> None:
    scenario = scenario_of(slug)
    played = [name for name, marked, _ in marked_steps(scenario) if marked.where != "emulator"]
    for method in ("__init__", *played):
        assert not_for_an_account(scenario, method) == set(), f"{slug}: {method}"


@pytest.mark.parametrize("slug", SLUGS)
def test_what_a_step_in_an_account_builds_on_is_played_there(slug: str) -> None:
    every = {name: marked for name, marked, _ in marked_steps(scenario_of(slug))}
    for name, marked in every.items():
        if marked.where != "emulator":
            assert [need for need in marked.needs or () if every[need].where == "emulator"] == [], name


@pytest.mark.parametrize("slug", SLUGS)
def test_the_settings_for_an_account_are_settings_of_the_solution(slug: str) -> None:
    scenario = scenario_of(slug)
    for variant, settings in scenario.in_account.items():
        assert variant in scenario.variants
        settings_by_slug()[slug].model_validate(settings)


class Careless(Scenario):
    """What the rule has to catch."""

    emulated = BESIDE

    @step("ends an instance by way of another method", "emulated", where="anywhere")
    def ends(self) -> str:
        return self._end()

    @step("moves the clock", "emulated", where="anywhere")
    def ages(self) -> str:
        self.deployed.aws.age_metrics(60)
        return ""

    @step("only reads", "emulated", where="anywhere")
    def reads(self) -> str:
        return str(self.deployed.client("ec2").describe_instances())

    @step("is for an account", "real-code", where="account")
    def observes(self) -> str:
        return ""

    @step("is for the embedded AWS", "real-code")
    def models(self) -> str:
        return ""

    def _end(self) -> str:
        return str([self.deployed.client("ec2").terminate_instances(InstanceIds=[each]) for each in ("i-1",)])


def test_the_rule_catches_what_ends_what_ages_and_what_stands_in() -> None:
    assert not_for_an_account(Careless, "ends") == {"terminate_instances"}
    assert not_for_an_account(Careless, "ages") == {"age_metrics"}
    assert not_for_an_account(Careless, "reads") == set()
    sqs = importlib.import_module("tryout.scenarios.sqs_target_scaling.scenario")
    assert "boot" in not_for_an_account(sqs.SCENARIO, "installs")


def test_make_try_and_make_verify_play_their_own() -> None:
    emulated = [each.name for each in steps_of(Careless, "default", "emulator")]
    assert emulated == ["ends", "ages", "reads", "models"]
    account = {each.name: each.emulated for each in steps_of(Careless, "default", "account")}
    assert account == {"ends": "", "ages": "", "reads": "", "observes": "", "models": BESIDE}
