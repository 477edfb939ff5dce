"""What make mutate says of small stacks: what a role needs, what it does not, and what only a reason keeps."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.mutation import judgement
from tests.mutation.__main__ import is_current
from tests.mutation.handlers import action_of, modules_of
from tests.mutation.judgement import NEEDED, NOT_NEEDED, NOT_SHOWN, Judgement, judged, needless
from tests.mutation.mutants import mutants, mutated, without
from tests.mutation.reasons import BY_SERVICE
from tests.mutation.scripts import actions, calls_of
from tryout.judged.calls import Kept, Role, read
from tryout.judged.sources import made_of

Json = dict[str, Any]
SLUG = "sqs_target_scaling"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/t"


def allow(*names: str, **more: Any) -> Json:
    return {"Effect": "Allow", "Action": list(names), "Resource": TABLE, **more}


def template(*statements: Json, service: str = "lambda.amazonaws.com") -> Json:
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}]}
    policy = {
        "PolicyName": "Policy",
        "PolicyDocument": {"Statement": list(statements)},
        "Roles": [{"Ref": "Role0A1B2C3D"}],
    }
    return {
        "Resources": {
            "Role0A1B2C3D": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy},
        }
    }


def call(action: str, resource: str = TABLE, *, by: str = "role", **more: Any) -> Json:
    return {
        "principal_arn": f"arn:aws:sts::123456789012:assumed-role/{by}/session",
        "principal_type": "AssumedRole",
        "principal_account": "123456789012",
        "action": action,
        "resource_arn": resource,
        "region": "us-east-1",
        "allowed_by_resource": False,
        **more,
    }


def kept(body: Json, *calls: Json, others: tuple[Json, ...] = (), states: int = 1) -> Kept:
    document = body["Resources"]["Policy"]["Properties"]["PolicyDocument"]
    role = Role("Role0A1B2C3D", "role", {"Policy": document}, list(others))
    return Kept(SLUG, "demand", made_of(SLUG), "{}", True, body, [[role]] * states, list(calls))


def verdicts(*trials: Kept, paths: Any = None) -> dict[str, str]:
    return {one.action: one.verdict for one in judged(SLUG, trials, paths or {})}


def test_an_action_is_needed_if_a_recorded_call_fails_without_it() -> None:
    body = template(allow("dynamodb:GetItem", "dynamodb:Scan"))
    (needed, other) = judged(SLUG, [kept(body, call("dynamodb:GetItem"))], {})
    assert needed == Judgement(SLUG, "Role", "dynamodb:GetItem", NEEDED, "a call on table/t")
    assert (other.action, other.verdict) == ("dynamodb:Scan", NOT_NEEDED)


def test_one_variant_that_needs_it_is_enough() -> None:
    body = template(allow("dynamodb:GetItem"))
    assert verdicts(kept(body), kept(body, call("dynamodb:GetItem"))) == {"dynamodb:GetItem": NEEDED}


@pytest.mark.parametrize(
    "made",
    [
        call("dynamodb:GetItem", by="another"),
        call("dynamodb:GetItem", f"{TABLE}-of-others"),
        call("dynamodb:GetItem", allowed_by_resource=True),
        call("dynamodb:PutItem"),
    ],
    ids=["of another role", "that was denied", "that the resource allows by itself", "of another action"],
)
def test_a_call_shows_nothing(made: Json) -> None:
    assert verdicts(kept(template(allow("dynamodb:GetItem")), made)) == {"dynamodb:GetItem": NOT_NEEDED}


def test_what_two_statements_allow_neither_of_them_needs() -> None:
    wide = {"Statement": [allow("dynamodb:GetItem", Resource="*")]}
    body = template(allow("dynamodb:GetItem"), allow("dynamodb:GetItem", Resource="*"))
    twice = judged(SLUG, [kept(body, call("dynamodb:GetItem"))], {})
    assert [one.verdict for one in twice] == [NOT_NEEDED, NOT_NEEDED]
    one = kept(template(allow("dynamodb:GetItem")), call("dynamodb:GetItem"), others=(wide,))
    assert verdicts(one) == {"dynamodb:GetItem": NOT_NEEDED}


def test_a_wildcard_is_needed_by_any_of_its_actions_and_conditions_count() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/a": "b"}}
    body = template(allow("dynamodb:Get*", Condition=condition))
    tagged = call("dynamodb:GetItem", service_context={"aws:resourcetag/a": "b"})
    assert verdicts(kept(body, tagged)) == {"dynamodb:Get*": NEEDED}
    assert verdicts(kept(body, call("dynamodb:GetItem"))) == {"dynamodb:Get*": NOT_NEEDED}


def test_aws_s_rules_need_what_they_deny_without_it() -> None:
    body = template(allow("ec2:RunInstances", "ec2:CreateTags", "ec2:DescribeImages", Resource="*"))
    assert verdicts(kept(body))["ec2:CreateTags"] == NEEDED
    assert verdicts(kept(body))["ec2:DescribeImages"] == NOT_NEEDED


def test_a_happy_path_needs_what_it_calls_unless_two_statements_have_it() -> None:
    function = {"Handler": "a.b.handler.lambda_handler", "Role": {"Fn::GetAtt": ["Role0A1B2C3D", "Arn"]}}
    paths = {"a.b.handler": {"dynamodb:GetItem": "a.b"}}
    for statements, verdict in ((1, NEEDED), (2, NOT_NEEDED)):
        body = template(*(allow("dynamodb:GetItem", Resource=f"{TABLE}{number}") for number in range(statements)))
        body["Resources"]["Function"] = {"Type": "AWS::Lambda::Function", "Properties": function}
        assert modules_of(body) == {"Role0A1B2C3D": {"a.b.handler"}}
        assert {one.verdict for one in judged(SLUG, [kept(body)], paths)} == {verdict}


def test_reasons_are_those_of_the_solution_and_of_services(monkeypatch: pytest.MonkeyPatch) -> None:
    body = template(allow("dynamodb:Scan", "s3:GetBucketAcl"), service="codebuild.amazonaws.com")
    reasons = {"Role dynamodb:S*": "a retry", "Role dynamodb:Query": "nothing"}
    monkeypatch.setattr(judgement, "told", lambda slug, name, otherwise: reasons)
    found = {one.action: (one.verdict, one.why) for one in judged(SLUG, [kept(body)], {})}
    assert found["dynamodb:Scan"] == (NOT_SHOWN, "a retry")
    assert found["s3:GetBucketAcl"] == (NOT_SHOWN, BY_SERVICE["codebuild.amazonaws.com"]["s3:GetBucketAcl"])
    assert needless(SLUG, [kept(body)]) == ["Role dynamodb:Query"]


def test_each_action_is_taken_away_alone() -> None:
    body = template(allow("a:One", "a:Two"), {"Effect": "Deny", "Action": "a:Three", "Resource": "*"})
    one, two = mutants(body)
    left = mutated(mutated(body, one), two)["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [statement["Effect"] for statement in left] == ["Deny"]
    assert json.dumps(body) == json.dumps(template(allow("a:One", "a:Two"), left[0])), "the template stays as it is"
    assert without({"Statement": [allow("a:One")]}, 0, "a:One") == {"Statement": []}


def test_inline_policies_of_a_role_are_mutated_too() -> None:
    body = template()
    policies = [{"PolicyName": "inline", "PolicyDocument": {"Statement": [allow("a:One")]}}]
    body["Resources"]["Role0A1B2C3D"]["Properties"]["Policies"] = policies
    assert [(one.role, one.policy, one.action) for one in mutants(body)] == [("Role0A1B2C3D", "inline", "a:One")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("aws ec2 attach-volume --volume-id v", {"ec2:AttachVolume"}),
        ("x=$(aws --region eu-west-1 secretsmanager get-secret-value --x)", {"secretsmanager:GetSecretValue"}),
        ("aws s3 cp s3://b/k f; cfn-signal -e 0", {"s3:GetObject", "cloudformation:SignalResource"}),
        ("aws ec2 no-such-thing; the aws cli is there", set()),
    ],
)
def test_calls_of_the_cli_are_read_from_scripts(text: str, found: set[str]) -> None:
    assert actions(text) == found


def test_a_script_speaks_for_the_role_of_its_instances_alone() -> None:
    def instance(profile: str, data: str) -> Json:
        return {"Type": "AWS::EC2::Instance", "Properties": {"IamInstanceProfile": {"Ref": profile}, "UserData": data}}

    def profile(role: str) -> Json:
        return {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": role}]}}

    resources = {
        "P1": profile("One"),
        "P2": profile("Two"),
        "I1": instance("P1", "aws ec2 describe-tags"),
        "I2": instance("P2", "aws ec2 describe-volumes"),
    }
    assert calls_of({"Resources": resources}) == {"One": {"ec2:DescribeTags"}, "Two": {"ec2:DescribeVolumes"}}


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("elbv2", "DescribeTags", "elasticloadbalancing:DescribeTags"),
        ("s3", "ListObjectsV2", "s3:ListBucket"),
        ("sqs", "SendMessageBatch", "sqs:SendMessage"),
        ("ec2", "RunInstances", "ec2:RunInstances"),
    ],
)
def test_operations_are_judged_by_their_actions(service: str, operation: str, action: str) -> None:
    assert action_of(service, operation) == action


def test_what_was_kept_is_read_back_and_old_when_its_sources_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutation.__main__.CALLS", tmp_path)
    one = kept(template(allow("dynamodb:GetItem")), call("dynamodb:GetItem"))
    assert not is_current(SLUG)
    for variant in ("dynamic-target", "metric-math", "demand"):
        replace(one, variant=variant).write(tmp_path)
    assert read(tmp_path / f"{SLUG}-demand.json") == one
    assert is_current(SLUG)
    replace(one, made_of="other").write(tmp_path)
    assert not is_current(SLUG)
    replace(one, complete=False).write(tmp_path)
    assert not is_current(SLUG)
