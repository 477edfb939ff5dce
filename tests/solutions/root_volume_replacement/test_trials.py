"""Which snapshots are known to be good, whatever replacements an instance has been through."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from root_volume_replacement.trials import MOST, Trial, begun, doubtful, passed, read, withdrawn, written

ENDS = ("passes", "does not pass", "keeps the old volume", "is refused")
"""Checks passed; a new root volume whose checks did not pass; a task that failed; a task that EC2 refused."""


@given(st.lists(st.sampled_from(ENDS), max_size=12))
def test_a_snapshot_is_in_doubt_if_its_root_volume_has_not_passed_and_only_then(ends: Sequence[str]) -> None:
    trials: list[Trial] = []
    root, good, taken, now = "vol-0", {"vol-0"}, [("vol-0", 0)], 0
    for number, end in enumerate(ends, start=1):
        now += 100
        trials = begun(begun(trials, Trial(f"e{number}", root, now)), Trial(f"e{number}", "anything", now + 1))
        taken.append((root, now + 5))  # it is the root volume until the task has replaced it
        if end in ("passes", "does not pass"):
            root = f"vol-{number}"
            taken.append((root, now + 10))
        if end == "passes":
            good.add(root)
            for again in (40, 41):  # a step may come twice
                trials = passed(trials, f"e{number}", now + again)
        if end == "is refused":
            trials = withdrawn(trials, f"e{number}")
        taken.append((root, now + 50))
        trials = read(written(trials))
    assert {volume for volume, started in taken if doubtful(trials, volume, started)} == {v for v, _ in taken} - good


def test_while_a_replacement_is_under_way_its_new_volume_is_in_doubt() -> None:
    trials = begun([], Trial("e", "vol-old", 100))
    assert doubtful(trials, "vol-new", 100) and not doubtful(trials, "vol-old", 200)
    assert not doubtful(trials, "vol-before", 99)
    assert not doubtful(passed(trials, "e", 300), "vol-new", 100)


def test_a_volume_that_did_not_pass_and_then_does_is_good_from_then_on() -> None:
    trials = begun([], Trial("bad", "vol-0", 100))  # to vol-1
    trials = passed(begun(trials, Trial("back", "vol-1", 200)), "back", 250)  # to vol-0
    assert doubtful(trials, "vol-1", 150) and doubtful(trials, "vol-1", 210)
    trials = passed(begun(trials, Trial("repaired", "vol-0", 300)), "repaired", 350)  # to vol-1
    assert not doubtful(trials, "vol-1", 310) and not doubtful(trials, "vol-0", 210)


def test_what_is_remembered_fits_into_an_item() -> None:
    trials: list[Trial] = []
    for number in range(500):
        trials = begun(trials, Trial(f"arn:aws:states:{'x' * 200}{number}", f"vol-{number:017x}", 1_800_000_000))
    assert len(trials) == MOST and len(written(trials)) < 400_000
