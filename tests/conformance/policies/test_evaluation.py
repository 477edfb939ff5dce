"""The judge of one permission, against AWS's pages on how policies are evaluated."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.delivery_breaks.small import arn, ref, resource, small
from tests.conformance.policies.evaluation import Call, Tri, all_of, allows, any_of, equal, judge, matches
from tests.conformance.policies.references import PLACES, Resolved

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/one"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"


def allow(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE, **more}


def by(principal: str, **sent: str) -> Call:
    keys = {key.replace("_", ":"): (value,) for key, value in sent.items()}
    absent = frozenset(("aws:sourcearn", "aws:sourceaccount")) - set(keys)
    return Call(principal, "sqs:SendMessage", QUEUE, keys, absent)


SERVICE = by("events.amazonaws.com", aws_sourcearn="arn:aws:events:us-east-1:111122223333:rule/one")


@pytest.mark.parametrize(
    "statement, call, allowed",
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
        (allow(Principal={"Service": "events.amazonaws.com"}), SERVICE, True),
        (allow(Principal={"Service": "sns.amazonaws.com"}), SERVICE, False),
        (allow(Principal="*"), SERVICE, True),
        (allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), SERVICE, False),
        (allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), by(ROLE), True),
        (allow(Principal={"AWS": ACCOUNT}), by(ROLE), True),
        (allow(Principal={"AWS": ROLE}), by(ROLE), True),
        (allow(Principal={"AWS": f"{ROLE}s"}), by(ROLE), False),
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
        (allow(Principal="*", Action="SQS:sendmessage"), SERVICE, True),
        (allow(Principal="*", Action="sqs:Send*"), SERVICE, True),
        (allow(Principal="*", Action=None, NotAction="sqs:DeleteMessage"), SERVICE, False),
        (allow(Principal="*", Resource=f"{QUEUE}s"), SERVICE, False),
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
        (allow(Principal="*", Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:*:rule/*"}}), SERVICE, True),
        (allow(Principal="*", Condition={"StringEquals": {"aws:SourceArn": "arn:aws:events:*"}}), SERVICE, False),
        (allow(Principal="*", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}), SERVICE, False),
        (allow(Principal="*", Condition={"StringEqualsIfExists": {"aws:SourceAccount": "9"}}), SERVICE, True),
        (allow(Principal="*", Condition={"StringNotEquals": {"aws:SourceAccount": "9"}}), SERVICE, True),
        (allow(Principal="*", Condition={"ForAllValues:StringEquals": {"aws:SourceAccount": "9"}}), SERVICE, True),
        (allow(Principal="*", Condition={"Null": {"aws:SourceAccount": "true"}}), SERVICE, True),
        (allow(Principal="*", Condition={"Null": {"aws:SourceArn": "true"}}), SERVICE, False),
        (allow(Principal="*", Condition={"StringEquals": {"aws:ResourceTag/a": "b"}}), SERVICE, None),
    ],
)
def test_a_statement_applies_or_not_or_nobody_knows(statement: dict[str, Any], call: Call, allowed: Tri) -> None:
    assert allows([], [statement], call, ACCOUNT) is allowed


def test_a_deny_wins_and_not_resource_is_all_the_others() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "NotResource": QUEUE}
    wide = allow(Principal="*", Resource="*")
    assert allows([], [wide, deny], SERVICE, ACCOUNT) is True
    other = Call(SERVICE.principal, SERVICE.action, f"{QUEUE}s", SERVICE.sent)
    assert allows([], [wide, deny], other, ACCOUNT) is False


def test_not_action_is_every_other_action() -> None:
    others = {"Effect": "Allow", "NotAction": "sqs:DeleteMessage", "Resource": "*"}
    assert judge([others], SERVICE, ACCOUNT, resource_policy=False) == (True, False)


def test_a_role_may_by_its_own_policies_or_by_those_of_the_resource() -> None:
    assert allows([allow()], [], by(ROLE), ACCOUNT) is True
    assert allows([], [allow(Principal={"AWS": ROLE})], by(ROLE), ACCOUNT) is True
    assert allows([allow()], [allow(Effect="Deny", Principal="*")], by(ROLE), ACCOUNT) is False


PLAIN = st.text("ab", max_size=8)


@given(PLAIN, PLAIN, PLAIN)
def test_what_is_unknown_may_be_anything(begin: str, middle: str, end: str) -> None:
    value = begin + middle + end
    assert matches(f"{begin}*{end}", value) is True
    assert matches(value, f"{begin}«x»{end}") is not False
    assert equal(value, f"{begin}«x»{end}") is not False
    assert matches(f"{begin}«x»*", f"{value}«y»") is not False


@given(PLAIN, PLAIN)
def test_what_is_known_is_never_unknown(one: str, other: str) -> None:
    assert equal(one, other) is (one == other)
    assert matches(one, other) is (one == other)


@given(st.lists(st.sampled_from([True, False, None])))
def test_and_and_or_are_those_of_three_values(values: list[Tri]) -> None:
    assert all_of(values) is (False if False in values else None if None in values else True)
    assert any_of(values) is (True if True in values else None if None in values else False)


def test_an_unknown_part_that_cannot_fit_is_a_mismatch() -> None:
    assert matches("arn:aws:sqs:*", "arn:aws:sns:«x»") is False
    assert matches("arn:aws:sns:us-east-1:1:a*", "arn:aws:sns:us-east-1:1:«x»") is None
    assert equal("«x»-one", "two") is False


@pytest.mark.parametrize("place", PLACES)
def test_references_become_arns_of_the_stack_s_own_partition_and_region(place: Any) -> None:
    template = small(
        {
            "Topic": resource("AWS::SNS::Topic"),
            "Named": resource("AWS::SQS::Queue", QueueName={"Fn::Join": ["-", ["a", ref("AWS::StackName")]]}),
            "Group": resource("AWS::Logs::LogGroup"),
            "Text": resource("Custom::Text", One={"Fn::Sub": ["${Topic}/${x}/${Named.Arn}", {"x": {"Ref": "P"}}]}),
        }
    )
    found = Resolved(template, place)
    begin = f"arn:{place.partition}"
    assert found.ref("Topic") == f"{begin}:sns:{place.region}:{ACCOUNT}:sqs-target-scaling-Topic-<Topic>"
    assert found.get_att("Named", "Arn") == f"{begin}:sqs:{place.region}:{ACCOUNT}:a-sqs-target-scaling"
    assert found.ref("Named").startswith(f"https://sqs.{place.region}.{place.suffix}/")
    assert found.get_att("Group", "Arn").endswith(":*")
    assert found.properties("Text")["One"] == f"{found.ref('Topic')}/«P»/{found.get_att('Named', 'Arn')}"
    assert found.owner(found.resolve(arn("Named"))) == "Named"
    assert found.owner(found.arn_of("Group").removesuffix(":*")) == "Group"
