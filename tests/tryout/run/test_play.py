"""How the steps of a scenario are played: what passes, fails, is not run, and what waits for it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.series import SOLUTIONS
from tryout.hosts.programs import program
from tryout.report import NotRun, SolutionReport, StepReport
from tryout.run.play import play
from tryout.scenario import Scenario, StepNotRunError, expect, marked_steps, scenario_of, step
from tryout.scenarios.local_zone_wordpress import servers
from tryout.scenarios.local_zone_wordpress.scenario import LocalZoneWordpressScenario


class Example(Scenario):
    """A scenario whose steps stand in the order of the class."""

    variants = {"default": {}, "other": {}}  # noqa: RUF012 - as short as an example may be

    @step("works", "real-code")
    def works(self) -> str:
        return "seen"

    @step("is of one variant", "emulated", only=("other",))
    def of_other(self) -> str:
        return "seen there"


class Lacking(Example):
    """One step lacks a tool, one fails, one breaks; what builds on them, and what does not."""

    @step("lacks a tool", "our-model", needs=())
    def lacks(self) -> str:
        raise StepNotRunError("no tool")

    @step("builds on the tool", "our-model", needs=(lacks,))
    def builds(self) -> str:
        raise AssertionError("played without its ground")

    @step("builds on that", "our-model", needs=(builds,))
    def builds_on_that(self) -> str:
        raise AssertionError("played without its ground")

    @step("builds on nothing", "our-model", needs=())
    def alone(self) -> str:
        return "seen alone"

    @step("says nothing", "our-model")
    def silent(self) -> str:
        raise AssertionError("played without its ground")


class Failing(Example):
    """A step that fails is ground that was not laid, too."""

    @step("fails", "emulated", needs=())
    def fails(self) -> str:
        expect(False, "seen something else")
        return ""

    @step("breaks", "recorded", needs=())
    def breaks(self) -> str:
        raise KeyError("gone")

    @step("builds on it", "real-code")
    def builds(self) -> str:
        raise AssertionError("played without its ground")


def played(kind: type[Scenario], variant: str = "default", deployed: Any = None) -> SolutionReport:
    report = SolutionReport("any", variant, "any", deployed=True, diff_empty=True, destroyed_clean=True)
    with kind(deployed, variant) as scenario:
        play(scenario, report, lambda title: None)
    return report


def test_steps_come_in_their_order_with_their_evidence() -> None:
    steps = list(Failing(None, "default").steps())  # type: ignore[arg-type]
    assert [(s.title, s.evidence) for s in steps] == [
        ("works", "real-code"),
        ("fails", "emulated"),
        ("breaks", "recorded"),
        ("builds on it", "real-code"),
    ]


def test_a_step_of_one_variant_is_played_in_no_other() -> None:
    assert [done.step for done in played(Example).scenario] == ["works"]
    assert [done.step for done in played(Example, "other").scenario] == ["works", "is of one variant"]


def test_a_step_whose_ground_was_not_laid_is_not_run_and_says_what_it_waits_for() -> None:
    report = played(Lacking)
    assert report.steps_not_run == [
        NotRun("lacks a tool", "no tool"),
        NotRun("builds on the tool", "waits for: lacks a tool"),
        NotRun("builds on that", "waits for: builds on the tool"),
        NotRun("says nothing", "waits for: lacks a tool"),
    ]
    assert [done.detail for done in report.scenario] == ["seen", "seen alone"]
    assert report.ok(strict=False, kept=False)
    assert not report.ok(strict=True, kept=False)


def test_a_step_that_fails_or_breaks_ends_only_what_builds_on_it() -> None:
    report = played(Failing)
    assert report.scenario == [
        StepReport("works", True, "real-code", "seen"),
        StepReport("fails", False, "emulated", "seen something else"),
        StepReport("breaks", False, "recorded", "KeyError: 'gone'"),
    ]
    assert report.steps_not_run == [NotRun("builds on it", "waits for: fails")]
    assert not report.ok(strict=False, kept=False)


@pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
def test_steps_name_variants_that_there_are_and_build_on_steps_before_them(slug: str) -> None:
    kind = scenario_of(slug)
    before: set[str] = set()
    for name, marked, _ in marked_steps(kind):
        assert set(marked.only) <= set(kind.variants), name
        assert (marked.needs or set()) <= before, name
        before.add(name)


def played_nowhere() -> Any:
    """Stands for a stack that no step looks at."""
    return SimpleNamespace(
        client=lambda service: None,
        outputs={"DataVolume": "vol-1", "SiteUrl": "https://site.example.com"},
        settings=LocalZoneWordpressSettings(),
    )


def test_without_the_servers_the_site_is_not_run_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "WORDPRESS", tmp_path)
    alone = {"in_zone", "opt_in_function", "commands", "closed"}  # these need the embedded AWS and no program
    for name in alone:
        defined_by = next(kind for kind in LocalZoneWordpressScenario.__mro__ if name in vars(kind))
        monkeypatch.setattr(defined_by, name, as_marked(vars(defined_by)[name]))
    report = played(LocalZoneWordpressScenario, "local-zone", played_nowhere())
    assert len(report.scenario) == len(alone) and all(done.ok for done in report.scenario)
    why = {not_run.step.split(":")[0]: not_run.why for not_run in report.steps_not_run}
    assert why.pop("private subnets go out by the NAT instance, which forwards; nftables takes its rules").startswith(
        "nft"
    )
    assert why.pop("the database boots on a blank volume").startswith("mariadbd, mariadb-install-db, mariadb, ")
    assert len(why) == 14 and all(text.startswith("waits for: ") for text in why.values())
    assert report.ok(strict=False, kept=False)
    assert not report.ok(strict=True, kept=False)


def as_marked(method: Any) -> Any:
    """A step that is marked as *method* and sees nothing."""

    def sees(self: Scenario) -> str:
        return ""

    sees.step = method.step  # type: ignore[attr-defined]
    return sees


@pytest.mark.parametrize(
    ("folder", "found"), [("bin", True), ("elsewhere", False)], ids=["a sbin is beside it", "nothing is beside it"]
)
def test_servers_are_looked_for_in_the_sbin_beside_a_bin(
    folder: str, found: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sbin").mkdir()
    for name in ("nginx", "php-fpm8.2", "php-fpm8.4"):
        (tmp_path / "sbin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "sbin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / folder))
    if found:
        assert program("nginx") == str(tmp_path / "sbin/nginx")
        assert program("php-fpm") == str(tmp_path / "sbin/php-fpm8.4")
    else:
        with pytest.raises(StepNotRunError, match="nginx is not installed; scripts/servers"):
            program("nginx")
