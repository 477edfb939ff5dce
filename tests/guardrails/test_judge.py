"""The judge of the guardrails, and ministack's IAM engine beside it: AWS's own examples first, then each other."""

import os
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks.guardrails.judge import UNKNOWN, Json, OneOf, Request, Value, beyond_reach, judge
from stacks.guardrails.table import columns, decisions, examples
from tests.variants import ROOT

# ministack would start its schedulers when it is imported.
os.environ.setdefault("MINISTACK_TEST_NO_AUTOSTART", "1")
denies: Any = import_module("emulator.core.iam").denies

ROLE = "arn:aws:iam::111122223333:role/developer"
SNAPSHOT = "arn:aws:ec2:us-west-2::snapshot/snap-0123456789abcdef0"


def deny(action: str | list[str], condition: Json, resource: str = "*") -> Json:
    statement = {"Sid": "D", "Effect": "Deny", "Action": action, "Resource": resource, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def both_say(documents: list[Json], request: Request) -> bool:
    """Whether both judges deny a request; they must agree."""
    ours = judge(documents, request).decision == "denied"
    its = not beyond_reach(request.principal) and any(
        denies(documents, request.action, request.principal, arn, {k: _listed(v) for k, v in keys.items()})
        for arn, keys in request.resources.items()
    )
    assert ours == its, f"ours {ours}, ministack's {its}: {request}"
    return ours


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


# AWS's own examples: (policy, condition keys of the request, whether the Deny matches)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html
ONE_PREFIX = deny(["iam:Tag*", "iam:UnTag*"], {"ForAllValues:StringNotLike": {"aws:TagKeys": "key1*"}})
TWO_PREFIXES = deny(["iam:Tag*", "iam:UnTag*"], {"ForAllValues:StringNotLike": {"aws:TagKeys": ["key1*", "key2*"]}})
ANY_TAG = deny(["ec2:CreateSnapshot"], {"ForAnyValue:StringEquals": {"aws:TagKeys": "webserver"}})
ANY_CASE = deny(["ec2:CreateSnapshot"], {"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": "webserver"}})
MULTIVALUED = [
    (ONE_PREFIX, ("key1:legal",), False),
    (ONE_PREFIX, ("key1:hr", "key1:personnel"), False),
    (ONE_PREFIX, ("key2:audit",), True),
    (ONE_PREFIX, None, True),
    (TWO_PREFIXES, ("key1:legal",), False),
    (TWO_PREFIXES, ("key1:hr", "key1:personnel"), False),
    (TWO_PREFIXES, ("key1:hr", "key2:audit"), False),
    (TWO_PREFIXES, ("key3:legal",), True),
    (TWO_PREFIXES, None, True),
    (ANY_TAG, ("webserver",), True),
    (ANY_TAG, ("environment", "webserver", "test"), True),
    (ANY_TAG, ("environment", "test"), False),
    (ANY_TAG, None, False),
    (ANY_TAG, ("WebServer",), False),
    (ANY_CASE, ("environment", "WebServer"), True),
    (ANY_CASE, ("environment",), False),
    (ANY_CASE, None, False),
]


@pytest.mark.parametrize(("document", "tags", "denied"), MULTIVALUED)
def test_multivalued_keys_as_in_the_tables_of_the_iam_guide(
    document: Json, tags: tuple[str, ...] | None, denied: bool
) -> None:
    action = "ec2:CreateSnapshot" if document in (ANY_TAG, ANY_CASE) else "iam:TagRole"
    keys = {} if tags is None else {"aws:TagKeys": tags}
    assert both_say([document], Request(action, ROLE, {"*": keys})) is denied


# "If the key that you specify in a policy condition is not present in the request context, the values do not match and
# the condition is false. If the policy condition requires that the key is not matched, such as StringNotLike or
# ArnNotLike, and the right key is not present, the condition is true."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
@pytest.mark.parametrize(
    ("operator", "denied"),
    [
        ("StringEquals", False), ("StringLike", False), ("ArnEquals", False), ("ArnLike", False),
        ("StringNotEquals", True), ("StringNotLike", True), ("ArnNotEquals", True), ("ArnNotLike", True),
        ("ForAllValues:ArnNotEquals", True), ("ForAnyValue:StringEquals", False),
    ],
)  # fmt: skip
def test_an_absent_key_is_no_match_and_a_match_of_negated_operators(operator: str, denied: bool) -> None:
    document = deny("ec2:RunInstances", {operator: {"ec2:Subnet": "arn:aws:ec2:us-west-2:1:subnet/a"}})
    assert both_say([document], Request("ec2:RunInstances", ROLE)) is denied


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null
@pytest.mark.parametrize(
    ("wanted", "keys", "denied"),
    [("true", {}, True), ("true", {"a:b": "c"}, False), ("false", {}, False), ("false", {"a:b": "c"}, True)],
)
def test_null_asks_whether_a_key_is_there(wanted: str, keys: Json, denied: bool) -> None:
    assert both_say([deny("a:B", {"Null": {"a:b": wanted}})], Request("a:B", ROLE, {"*": keys})) is denied


# "Case-sensitive matching of the ARN. Each of the six colon-delimited components of the ARN is checked separately and
# each can include multi-character match wildcards (*) or single-character match wildcards (?)."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("arn:*:iam::*:role/dev*", True),
        ("arn:aws:iam::111122223333:role/developer", True),
        ("arn:aws:iam::11112222333?:role/developer", True),
        ("arn:aws:iam::111122223333:role/Developer", False),
        ("arn:aws:iam::444455556666:role/*", False),
    ],
)
def test_arns_match_part_by_part(pattern: str, matches: bool) -> None:
    assert both_say([deny("a:B", {"ArnLike": {"aws:PrincipalArn": pattern}})], Request("a:B", ROLE)) is matches


def test_a_wildcard_stays_in_its_part_of_an_arn_which_ministack_does_not_know() -> None:
    document = deny("a:B", {"ArnLike": {"aws:PrincipalArn": "arn:aws:*:role/developer"}})
    assert judge([document], Request("a:B", ROLE)).decision == "passes"
    assert denies([document], "a:B", ROLE, "*", {})


# What policies of others say and ours do not.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html,
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html, IfExists:
# "If the key is not present, evaluate the condition element as true."
@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        ({"NotAction": ["iam:*", "A:*"]}, "passes"),
        ({"NotAction": "iam:*"}, "denied"),
        ({"Condition": {"StringEqualsIfExists": {"a:Absent": "x"}}}, "denied"),
        ({"Condition": {"StringEqualsIfExists": {"a:Key": "x"}}}, "passes"),
        ({"Condition": {"StringNotEqualsIgnoreCase": {"A:KEY": "Value"}}}, "passes"),
        ({"Condition": {"BoolIfExists": {"a:True": "True"}}}, "denied"),
        ({"Condition": {"Bool": {"a:Absent": "true"}}}, "passes"),
        ({"Condition": {"IpAddress": {"a:Absent": "192.0.2.0/24"}}}, "may be denied"),
        ({"Condition": {"StringEquals": {"a:Key": "${a:Key}"}}}, "denied"),
        ({"Condition": {"StringEquals": {"a:Key": ["${a:Absent}", "x"]}}}, "may be denied"),
        ({"Resource": "arn:${a:Key}:*"}, "denied"),
        ({"Resource": "arn:${a:True}:*"}, "passes"),
        ({"Resource": "arn:${a:Absent}:*"}, "may be denied"),
        ({"NotResource": "arn:${a:Key}:*"}, "passes"),
        ({"NotResource": ["arn:${a:Absent}:*", "arn:value:*"]}, "passes"),
    ],
)
def test_what_only_policies_of_others_say_is_judged_too(statement: Json, decision: str) -> None:
    action = {} if "NotAction" in statement else {"Action": "a:B"}
    resource = {} if {"Resource", "NotResource"} & set(statement) else {"Resource": "*"}
    request = Request("a:B", ROLE, {"arn:value:s3:::x": {"a:Key": "value", "a:True": "true"}})
    document = {"Statement": [{"Effect": "Deny", **action, **resource, **statement}]}
    assert judge([document], request).decision == decision


def test_of_keys_that_are_not_named_nothing_is_known_where_a_request_says_so() -> None:
    document = deny("a:B", {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})
    assert judge([document], Request("a:B", ROLE, {"*": {"*": UNKNOWN}})).missing == ("aws:SourceVpc",)
    assert judge([document], Request("a:B", ROLE, {"*": {"*": UNKNOWN, "aws:sourcevpc": "vpc-1"}})).decision == "passes"


# https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-localzones.html#dlz-enforce-residency-snapshot
AWS_LOCAL = [
    deny(
        ["ec2:CreateSnapshot", "ec2:CreateSnapshots"],
        {"StringEquals": {"ec2:Location": "regional", "ec2:SourceAvailabilityZone": "us-west-2-lax-1a"}},
    ),
    deny(
        ["ec2:CreateSnapshot", "ec2:CreateSnapshots"],
        {"StringEquals": {"ec2:SourceAvailabilityZone": "us-west-2-lax-1a"}, "Null": {"ec2:Location": "true"}},
    ),
]
LOCATIONS = (None, "local", "regional")
ZONES = (None, "us-west-2-lax-1a", "us-west-2a")


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("action", ["ec2:CreateSnapshot", "ec2:CreateSnapshots"])
def test_snapshots_leaving_the_zone_are_those_of_the_two_statements_in_the_ebs_guide(
    location: str | None, zone: str | None, action: str
) -> None:
    found = {"ec2:Location": location, "ec2:SourceAvailabilityZone": zone}
    request = Request(action, ROLE, {SNAPSHOT: {key: value for key, value in found.items() if value}})
    ours = columns("local_zone_guardrails")[1].documents
    assert both_say(ours, request) == both_say(AWS_LOCAL, request) == (zone == ZONES[1] and location != "local")


def test_a_call_is_denied_with_one_of_its_resources_and_actions_match_in_any_case() -> None:
    document = deny("EC2:runinstances", {"StringEquals": {"ec2:Subnet": "b"}})
    assert both_say([document], Request("ec2:RunInstances", ROLE, {"x": {"ec2:Subnet": "a"}, "y": {"ec2:Subnet": "b"}}))
    assert not both_say([document], Request("ec2:RunInstances", ROLE, {"x": {"ec2:Subnet": "a"}}))


# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
def test_service_linked_roles_and_the_management_account_are_beyond_reach() -> None:
    documents = [deny("*", {})]
    linked = "arn:aws:iam::111122223333:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
    assert judge(documents, Request("a:B", linked)).decision == "passes"
    assert judge(documents, Request("a:B", ROLE), management_account="111122223333").decision == "passes"
    assert judge(documents, Request("a:B", ROLE), management_account="444455556666").decision == "denied"
    assert judge(documents, Request("a:B", "arn:aws:iam::111122223333:root")).decision == "denied"


# What is not known


def test_what_is_not_known_may_be_denied_and_is_named() -> None:
    document = deny("a:B", {"ArnLike": {"ec2:SourceOutpostArn": "arn:*"}, "Null": {"ec2:OutpostArn": "true"}})
    unknown: dict[str, Value] = {"ec2:SourceOutpostArn": UNKNOWN}
    verdict = judge([document], Request("a:B", ROLE, {"*": unknown}))
    assert (verdict.decision, verdict.sids, verdict.missing) == ("may be denied", ("D",), ("ec2:SourceOutpostArn",))
    there: dict[str, Value] = {**unknown, "ec2:OutpostArn": "arn:aws:outposts:a:1:outpost/op"}
    assert judge([document], Request("a:B", ROLE, {"*": there})).decision == "passes"


def test_of_several_possible_values_only_a_difference_matters() -> None:
    document = deny("a:B", {"StringNotEquals": {"a:b": "c"}})
    assert judge([document], Request("a:B", ROLE, {"*": {"a:b": OneOf((None, "d"))}})).decision == "denied"
    assert judge([document], Request("a:B", ROLE, {"*": {"a:b": OneOf((None, "c"))}})).decision == "may be denied"
    assert judge([document], Request("a:B", None)).decision == "denied"
    exempting = deny("a:B", {"ArnNotLike": {"aws:PrincipalArn": "arn:*:iam::*:role/cdk-*"}})
    assert judge([exempting], Request("a:B", None)).missing == ("aws:PrincipalArn",)


# The tables of the READMEs

SOLUTIONS = ("local_zone_guardrails", "outposts_guardrails")
EXAMPLES = list(examples())


def test_the_tables_have_forty_requests_or_more() -> None:
    assert len(EXAMPLES) >= 40
    assert len({example.says for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.says)
@pytest.mark.parametrize("slug", SOLUTIONS)
def test_ministack_decides_each_request_of_the_tables_as_they_say(slug: str, example: Any) -> None:
    for column in columns(slug):
        both_say(column.documents, example.request)


@pytest.mark.parametrize("slug", SOLUTIONS)
def test_the_readme_has_the_table(slug: str) -> None:
    assert decisions(slug) in (ROOT / f"stacks/{slug}/README.md").read_text(encoding="utf-8")


# Any request

ARNS = (SNAPSHOT, "arn:aws:ec2:us-west-2:1:network-interface/eni-1", "arn:aws:ec2:us-west-2:1:subnet/subnet-1", "*")
VALUES = {
    "ec2:Subnet": ("arn:aws:ec2:us-west-2:111122223333:subnet/subnet-0123456789abcdef0", "arn:aws:ec2:a:1:subnet/b"),
    "ec2:SubnetID": ("subnet-0123456789abcdef0", "subnet-1"),
    "ec2:AvailabilityZone": ("us-west-2-lax-1a", "us-west-2a"),
    "ec2:SourceAvailabilityZone": ("us-west-2-lax-1a", "us-west-2a"),
    "ec2:Location": ("local", "regional"),
    "ec2:OutpostArn": ("arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0",),
    "ec2:SourceOutpostArn": ("arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0",),
}
PRINCIPALS = (ROLE, "arn:aws:iam::111122223333:role/cdk-a", "arn:aws:iam::111122223333:root")
ACTIONS = sorted({example.request.action for example in EXAMPLES})
keys = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in VALUES.items()})
requests = st.builds(
    Request,
    st.sampled_from(ACTIONS),
    st.sampled_from(PRINCIPALS),
    st.dictionaries(st.sampled_from(ARNS), keys, min_size=1, max_size=3),
)
DOCUMENTS = [column.documents for slug in SOLUTIONS for column in columns(slug)]


@settings(max_examples=100)
@given(st.sampled_from(DOCUMENTS), requests)
def test_both_judges_agree_on_any_request(documents: list[Json], request: Request) -> None:
    both_say(documents, request)
