"""How trials are spread over lanes, whose programs are stand-ins here."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.client import EmulatorError
from tests.tryout.programs import LANE, SYNTHESIZER
from tryout.cdk import synthesis
from tryout.cdk.synthesis import SynthesisError
from tryout.run import lanes as module
from tryout.run.lanes import Lanes, weight
from tryout.run.progress import Remaining
from tryout.trial import Trial

NAMES = (("guardrails", "as-posted"), ("spot_asg", "balanced"), ("spot_asg", "types"), ("odcr_asg", "group"))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an embedded AWS nor the CDK is started."""
    monkeypatch.setattr(module, "PROGRAM", (sys.executable, "-c", LANE))
    monkeypatch.setattr(synthesis, "PROGRAM", (sys.executable, "-c", SYNTHESIZER))
    monkeypatch.setattr(module, "weight", lambda trial: len(trial.variant))


def planned(folder: Path, *names: tuple[str, str]) -> list[Trial]:
    return [Trial(slug, variant, slug, folder / slug / variant) for slug, variant in names]


def test_every_trial_is_reported_in_its_order_whichever_lane_has_played_it(tmp_path: Path) -> None:
    shown: list[tuple[int, str]] = []
    with Lanes(planned(tmp_path, *NAMES), tmp_path, lanes=2, keep=False, port=None) as lanes:
        reports = lanes.run(lambda lane, text: shown.append((lane, text)))
    assert [(report.slug, report.variant) for report in reports] == list(NAMES)
    assert {lane for lane, _ in shown} == {0, 1}
    assert sum(text.endswith(": cdk deploy") for _, text in shown) == len(NAMES)
    assert [text for _, text in shown if "4 of 4 done" in text and text.endswith("done")]


def test_the_longest_are_played_first(tmp_path: Path) -> None:
    with Lanes(planned(tmp_path, *NAMES), tmp_path, lanes=1, keep=False, port=None) as lanes:
        lanes.run(lambda lane, text: None)
    played = (tmp_path / "lane-1" / "trials").read_text(encoding="utf-8").splitlines()
    assert played == ["guardrails as-posted", "spot_asg balanced", "spot_asg types", "odcr_asg group"]


def test_a_scenario_is_given_the_assembly_that_it_asks_for(tmp_path: Path) -> None:
    with Lanes(planned(tmp_path, NAMES[0]), tmp_path, lanes=1, keep=False, port=None) as lanes:
        (report,) = lanes.run(lambda lane, text: None)
        assert lanes.variables == {"AWS_ENDPOINT_URL": "lane-1"}
    assert report.scenario[0].detail == "guardrails"


@pytest.mark.parametrize(
    ("marker", "says"),
    [("refuse", "port 1 is in use"), ("die", "has ended: out of memory")],
    ids=["an embedded AWS cannot start", "a lane ends in the middle"],
)
def test_what_ends_a_lane_ends_the_try_out_with_a_sentence(marker: str, says: str, tmp_path: Path) -> None:
    (tmp_path / marker).touch()
    with (
        Lanes(planned(tmp_path, *NAMES), tmp_path, lanes=2, keep=False, port=None) as lanes,
        pytest.raises(EmulatorError, match=says),
    ):
        lanes.run(lambda lane, text: None)


def test_a_solution_that_cannot_be_synthesized_is_named(tmp_path: Path) -> None:
    with (
        Lanes(planned(tmp_path, ("broken", "any"), NAMES[0]), tmp_path, lanes=1, keep=False, port=None) as lanes,
        pytest.raises(SynthesisError, match=r"broken \(any\) cannot be synthesized: KeyError"),
    ):
        lanes.run(lambda lane, text: None)


def test_an_interrupt_ends_every_lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hang").touch()

    def interrupted(*_: object, **__: object) -> None:
        until(lambda: (tmp_path / "lane-1" / "trials").exists())
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "wait", interrupted)
    with (
        Lanes(planned(tmp_path, *NAMES), tmp_path, lanes=1, keep=False, port=None) as lanes,
        pytest.raises(KeyboardInterrupt),
    ):
        lanes.run(lambda lane, text: None)
    assert subprocess.run(["pgrep", "-f", str(tmp_path)], check=False).returncode == 1  # noqa: S607


def until(condition: Callable[[], bool]) -> None:
    """Waits for the other process."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline


def test_what_remains_is_estimated_by_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    remaining = Remaining(weights=10, count=3)
    now = 60.0
    assert remaining.one_more(2) == "1 of 3 done, about 4.0 minutes left"
    now = 120.0
    assert remaining.one_more(6) == "2 of 3 done, about 0.5 minutes left"
    assert remaining.one_more(2) == "3 of 3 done"


def test_what_is_under_way_is_half_done_for_what_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    remaining = Remaining(weights=20, count=4)
    now = 60.0
    assert remaining.one_more(2, under_way=16) == "1 of 4 done, about 1.0 minutes left"


def test_a_trial_with_more_steps_weighs_more_and_one_that_waits_for_the_clock_most(tmp_path: Path) -> None:
    small, large = planned(tmp_path, ("spot_asg", "types"), ("spot_asg", "balanced"))
    (waiting,) = planned(tmp_path, ("sqs_target_scaling", "demand"))
    assert weight(small) < weight(large) < weight(waiting)
