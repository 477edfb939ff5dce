"""Every action, resource type and condition key of our policies exists, fits, and is all that a call needs."""

from typing import NamedTuple

import pytest

from tests.conformance.authorization.breaks import AUTHORIZATION_BREAKS, PolicyBreak
from tests.conformance.authorization.reference import DEPENDENTS, expand, knows_key, resource_patterns
from tests.conformance.authorization.rule import authorization
from tests.conformance.delivery_breaks.breaks import broken
from tests.conformance.delivery_breaks.looks import authorization_findings, templates


class Known(NamedTuple):
    """A finding that stays, by solution, the beginning of the resource, rule and verdict."""

    slug: str
    resource: str
    rule: str
    verdict: str


# Findings that are there, each with the reason for which it stays. A mended one must leave the list.
KNOWN: dict[Known, str] = {}


def test_every_policy_fits_the_reference_but_for_what_is_known() -> None:
    found = {_known(one.where, one.resource, one.rule, one.verdict) for one in authorization_findings()}
    unknown = [
        str(one)
        for one in authorization_findings()
        if _known(one.where, one.resource, one.rule, one.verdict) not in KNOWN
    ]
    assert not unknown, "\n".join(dict.fromkeys(unknown))
    assert found == set(KNOWN), "a known finding is no longer there: take it off the list"


def _known(where: str, resource: str, rule: str, verdict: str) -> Known:
    name, _, sid = resource.partition("/")
    plain = name[:-8] if len(name) > 8 else name  # without the hash of the logical id
    return Known(where.split("/")[-1], f"{plain}/{sid}" if sid else plain, rule, verdict)


@pytest.mark.parametrize("case", AUTHORIZATION_BREAKS, ids=lambda case: case.name)
def test_a_broken_policy_is_caught(case: PolicyBreak) -> None:
    (template,) = [one for one in templates() if str(one) == case.template]
    before = set(authorization(template))
    new = set(authorization(broken(template, case.change))) - before
    assert case.rule in {one.rule for one in new}, [str(one) for one in new]
    for one in new:
        assert one.page.startswith("https://") and one.fix and one.resource in str(one)


def test_the_reference_knows_what_our_policies_name() -> None:
    assert expand("sqs:SendMessage") == ("sqs:SendMessage",)
    assert "sqs:SendMessage" in expand("SQS:send*".replace("SQS", "sqs"))
    assert expand("sqs:Send") == () and expand("nosuch:Thing") == ()
    assert resource_patterns("ec2:DescribeInstances") == ()
    assert ("queue", "arn:*:sqs:*:*:*", True) in resource_patterns("sqs:SendMessage")
    assert knows_key("ec2:DeleteInstanceConnectEndpoint", "ec2:SubnetID")
    assert not knows_key("ec2:ModifyInstanceConnectEndpoint", "ec2:SubnetID")
    assert knows_key("sqs:SendMessage", "aws:SourceArn") and not knows_key("sqs:SendMessage", "aws:RequestTag/a")


@pytest.mark.parametrize("row", DEPENDENTS, ids=lambda row: f"{row.action} {row.needs} {row.on}")
def test_dependent_actions_exist_and_have_a_source(row: object) -> None:
    assert isinstance(row, tuple)
    action, needs, on, when, source = row
    assert expand(action) and expand(needs)
    assert when and source.startswith("https://docs.aws.amazon.com/")
    assert on == "*" or any(on.split("/")[-2].split(":")[-1] in arn for _, arn, _ in resource_patterns(needs))
