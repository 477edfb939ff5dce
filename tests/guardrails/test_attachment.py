"""Attaching in stages, what somebody takes off again, and detaching in one step."""

import json

import pytest

from stacks.guardrails import attachment
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings
from stacks.shared.command import CommandError
from tests.guardrails.commands import run
from tests.guardrails.organization import FIRST, SECOND, SUBNET, Organization, staged


def test_attach_says_what_it_would_do_and_does_it_with_yes_one_target_at_a_time() -> None:
    organization = Organization(staged())
    for arguments, complete in (([], []), (["--yes"], [FIRST]), (["--yes"], [FIRST, SECOND])):
        run("attach", organization, staged(), *arguments)
        assert [t for t in (FIRST, SECOND) if set(organization.policies) <= set(organization.attached[t])] == complete
    again = run("attach", organization, staged(), "--yes")
    assert (list(again.rows), again.notes) == ([], ["Every target has every policy."])


def test_attach_can_take_all_targets_at_once() -> None:
    organization = Organization(staged())
    answer = run("attach", organization, staged(), "--yes", "--all")
    assert [row[2] for row in answer.rows] == ["attached", "attached"]
    assert len(organization.attached[SECOND]) == 3


def test_attach_goes_on_where_it_was_interrupted() -> None:
    organization = Organization(staged())
    organization.attached[FIRST].append("p-Transfer")
    (row, _) = run("attach", organization, staged(), "--yes").rows
    assert row == (FIRST, "Snapshots", "attached")


def test_attach_leaves_room_for_others_or_attaches_nothing() -> None:
    organization = Organization(staged())
    organization.attached[FIRST] += [f"p-{number}" for number in range(8)]
    with pytest.raises(CommandError, match="nothing was attached"):
        run("attach", organization, staged(), "--yes")
    assert not set(organization.policies) & set(organization.attached[FIRST])


@pytest.mark.parametrize("change", ["content", "missing", "surplus"])
def test_attach_wants_what_is_deployed_to_be_what_is_configured(change: str) -> None:
    organization = Organization(staged())
    if change == "content":
        organization.policies["p-Transfer"] = "{}"
    elif change == "missing":
        del organization.policies["p-Transfer"]
    else:
        organization.policies["p-Transfer2"] = "{}"
        organization.of_the_stack.append("p-Transfer2")
    with pytest.raises(CommandError, match=r"differs from the configuration \(Transfer"):
        run("attach", organization, staged(), "--yes")


def test_attach_needs_targets_and_a_deployed_stack() -> None:
    organization = Organization(staged())
    with pytest.raises(CommandError, match="no targets are named"):
        run("attach", organization, LocalZoneGuardrailsSettings(), "--yes")
    organization.stack_exists = False
    with pytest.raises(CommandError, match="cdk deploy -e local-zone-guardrails"):
        run("attach", organization, staged(), "--yes")


def test_each_target_gets_its_own_subnet_policy() -> None:
    settings = staged(subnets_by_target={FIRST: (SUBNET,), SECOND: (SUBNET,)})
    organization = Organization(settings)
    run("attach", organization, settings, "--yes", "--all")
    assert "p-SubnetsOuAb12First567" in organization.attached[FIRST]
    assert "p-SubnetsOuAb12First567" not in organization.attached[SECOND]


def test_detach_takes_everything_off_and_goes_on_when_one_cannot_be() -> None:
    organization = Organization(staged())
    run("attach", organization, staged(), "--yes", "--all")
    organization.refusing = {FIRST}
    answer = run("detach", organization, staged())
    assert not answer.ok
    assert organization.attached[SECOND] == ["p-FullAWSAccess"]
    assert f"Transfer is still attached to {FIRST}: ConcurrentModificationException" in answer.notes
    organization.refusing = set()
    assert run("detach", organization, staged()).ok
    assert organization.attached[FIRST] == ["p-FullAWSAccess"]


def test_attach_goes_on_while_organizations_changes_something_else(slept: list[float]) -> None:
    settings = staged()
    organization = Organization(settings)
    organization.busy = 3
    assert run("attach", organization, settings, "--yes").ok
    assert set(organization.policies) <= set(organization.attached[FIRST]) and slept[:3] == [1, 2, 4]


def test_attach_says_what_somebody_takes_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = staged()
    organization = Organization(settings)
    monkeypatch.setattr(attachment, "sleep", lambda _: organization.attached[FIRST].clear())
    answer = run("attach", organization, settings, "--yes")
    assert not answer.ok and any("Taken off again" in note for note in answer.notes)


def test_attach_names_what_is_on_a_target_that_was_taken_out() -> None:
    """awslabs/landing-zone-accelerator-on-aws#115, #699"""
    settings = staged()
    organization = Organization(settings)
    run("attach", organization, settings, "--yes", "--all")
    answer = run("attach", organization, staged(targets=(FIRST,)))
    assert any(SECOND in note for note in answer.notes)


def test_a_policy_with_other_line_feeds_is_current() -> None:
    settings = staged()
    organization = Organization(settings)
    organization.policies = {
        name: json.dumps(json.loads(text), indent=1) for name, text in organization.policies.items()
    }
    assert run("attach", organization, settings).rows
