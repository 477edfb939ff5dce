"""No role of any template escalates, buys, or changes what is not the solution's, but for what its solution tells."""

from collections.abc import Mapping

import pytest

from stacks.capacity_planner.never import NEVER as DENIED
from stacks.series import SOLUTIONS
from tests.conformance.authorization import __main__ as command
from tests.conformance.authorization.breaks import Change, PolicyBreak
from tests.conformance.authorization.harm import BUYS, NEVER, ONLY_ON_OWN
from tests.conformance.authorization.reach import excuses, reach
from tests.conformance.authorization.reach_breaks import REACH_BREAKS, allows
from tests.conformance.authorization.reference import expand
from tests.conformance.delivery_breaks.breaks import broken
from tests.conformance.delivery_breaks.looks import templates
from tests.conformance.templates import Json, every_template, found
from tests.conformance.told import told

BUYS_NOTHING: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "ec2:AcceptCapacityReservationBillingOwnership",
            "ec2:AssociateCapacityReservationBillingOwner",
            "ec2:CreateReservedInstancesListing",
            "ec2:MoveCapacityReservationInstances",
            "ec2:UpdateInterruptibleCapacityReservationAllocation",
        ),
        "moves, sells or bills otherwise what was bought before",
    ),
    **dict.fromkeys(
        (
            "ec2:CancelCapacityReservation",
            "ec2:CancelCapacityReservationFleets",
            "ec2:CreateCapacityReservationCancellationQuote",
            "ec2:DeleteQueuedReservedInstances",
            "savingsplans:DeleteQueuedSavingsPlan",
            "savingsplans:ReturnSavingsPlan",
        ),
        "gives back",
    ),
    "ec2:RunInstances": "is billed while it runs, and is given back at any time",
}
"""What the capacity planner denies itself besides what buys, and why it is no purchase."""


@every_template
def test_no_role_reaches_beyond_its_solution(variant: str, slug: str) -> None:
    assert [str(one) for one in reach(found(variant, slug))] == []


@pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])
def test_what_a_solution_tells_is_there_and_has_a_reason(slug: str) -> None:
    listed = told(slug, "REACHES", dict[str, str]())
    there = {one for template in templates() if template.slug == slug for one in excuses(template)} if listed else set()
    assert set(listed) == there and all(listed.values())


@pytest.mark.parametrize("case", REACH_BREAKS, ids=lambda case: case.name)
def test_what_is_too_much_is_caught(case: PolicyBreak) -> None:
    (template,) = [one for one in templates() if str(one) == case.template]
    new = list(reach(broken(template, case.change)))
    assert {one.rule for one in new} >= {case.rule}, [str(one) for one in new]
    assert all(one.page.startswith("https://") and one.fix and one.resource in str(one) for one in new)


def test_make_check_says_what_is_too_much(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (template,) = [one for one in templates() if str(one) == "default/spot_asg"]
    cases: list[tuple[Change, int]] = [(lambda _: None, 0), (allows("iam:PutRolePolicy"), 1)]
    for change, status in cases:
        monkeypatch.setattr(command, "all_templates", [broken(template, change)].copy)
        assert command.main() == status
    said = capsys.readouterr().err
    assert "iam:PutRolePolicy writes permissions" in said and "https://" in said


@pytest.mark.parametrize(
    ("action", "resource", "condition"),
    [
        ("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:111122223333:instance/*", {"aws:ResourceTag/a": "b"}),
        ("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i-1", None),
        ("ec2:CreateSnapshot", "arn:aws:ec2:us-east-1::snapshot/*", None),
        ("logs:PutLogEvents", "arn:aws:logs:us-east-1:111122223333:log-group:ours-*", None),
        (
            "autoscaling:SetDesiredCapacity",
            "arn:aws:autoscaling:us-east-1:1:autoScalingGroup:*:autoScalingGroupName/a*",
            None,
        ),
        ("ec2:DescribeInstances", "*", None),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "ours"}),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:us-east-1:111122223333:function:ours", None),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/ours", {"iam:PassedToService": "ec2.amazonaws.com"}),
        ("ec2:ModifyAvailabilityZoneGroup", "*", None),
    ],
)
def test_what_is_named_or_made_or_read_is_no_finding(action: str, resource: str, condition: Json | None) -> None:
    (template,) = [one for one in templates() if str(one) == "default/spot_asg"]
    equal = {"StringEquals": condition} if condition else None
    assert list(reach(broken(template, allows(action, resource, equal)))) == []


def test_what_the_capacity_planner_may_never_do_is_known_to_buy() -> None:
    assert {one for one in DENIED if one not in BUYS} == set(BUYS_NOTHING)


@pytest.mark.parametrize("action", [*NEVER, *ONLY_ON_OWN, *BUYS])
def test_the_lists_name_actions_that_there_are(action: str) -> None:
    assert expand(action) == (action,)
