"""The rules on quotas over every template, at the largest legal settings, and that they catch what they are for."""

import json
from typing import Any

import pytest

from stacks.series import SOLUTIONS
from tests.conformance.limits.rule import findings
from tests.conformance.templates import every_template, found
from tests.conformance.updates.states import State, legal
from tests.prepared import largest, template

Json = dict[str, Any]
LARGEST: dict[str, list[State]] = {solution.slug: largest(solution.slug) for solution in SOLUTIONS}


@every_template
def test_every_template_fits(variant: str, slug: str) -> None:
    assert [str(one) for one in findings(found(variant, slug).body, f"{variant}/{slug}")] == []


@pytest.mark.parametrize("slug", LARGEST)
def test_every_solution_names_its_largest_legal_settings(slug: str) -> None:
    assert LARGEST[slug], f"tests/solutions/{slug}/conformance.py has no LARGEST: name the largest that AWS must take"


@pytest.mark.parametrize(
    ("slug", "number"), [(slug, n) for slug, sections in LARGEST.items() for n in range(len(sections))]
)
def test_the_largest_legal_settings_fit(slug: str, number: int) -> None:
    state = LARGEST[slug][number]
    assert legal(state), "the settings refuse it: name the largest that they take"
    assert [str(one) for one in findings(template(state), str(number))] == []


def document(line: str, timeout: int = 60, **more: Any) -> Json:
    inputs = {"timeoutSeconds": str(timeout), "runCommand": [line]}
    step = {"name": "Try", "action": "aws:runPowerShellScript", "inputs": inputs}
    content = {"schemaVersion": "2.2", "mainSteps": [step], **more}
    return stack("AWS::SSM::Document", DocumentType="Command", Content=content)


def stack(kind: str, **properties: Any) -> Json:
    return {"Resources": {"One": {"Type": kind, "Properties": properties}}}


def policy(actions: int) -> Json:
    return {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"] * actions, "Resource": "*"}]}


def on_long_arns(resources: int) -> Json:
    """Of resources with logical ids of 80 characters: their ARNs have more than 150."""
    arns = [{"Fn::GetAtt": [f"{'L' * 78}{n:02}", "Arn"]} for n in range(resources)]
    return {"Statement": [{"Effect": "Allow", "Action": "codebuild:StartBuild", "Resource": arns}]}


def group(inside: int, beside: int) -> Json:
    """A security group with rules in it, and with rules that are resources of their own."""
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "192.0.2.0/24"}
    body = stack("AWS::EC2::SecurityGroup", SecurityGroupIngress=[rule] * inside)
    for number in range(beside):
        rule_of = {**rule, "GroupId": {"Fn::GetAtt": ["One", "GroupId"]}}
        body["Resources"][f"Rule{number}"] = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": rule_of}
    return body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (stack("AWS::Events::Rule", EventPattern={"source": ["s" * 2_100]}), "pattern"),
        (stack("AWS::Events::Rule", Targets=[{"Id": str(number)} for number in range(6)]), "targets"),
        (stack("AWS::Lambda::Function", Environment={"Variables": {"NAME": "v" * 4_100}}), "environment"),
        (
            stack(
                "AWS::CodeBuild::Project",
                Environment={"EnvironmentVariables": [{"Name": "V", "Value": {"Fn::Join": ["", ["v" * 4_100]]}}]},
            ),
            "build-variable",
        ),
        (stack("AWS::EC2::LaunchTemplate", LaunchTemplateData={"UserData": {"Fn::Base64": "u" * 16_400}}), "user-data"),
        (
            stack("AWS::EC2::Instance", UserData={"Fn::Base64": {"Fn::Join": ["", ["u" * 16_350, {"Ref": "X"}]]}}),
            "user-data",
        ),
        (stack("AWS::IAM::Policy", Roles=["r"], PolicyDocument=policy(700)), "role-policies"),
        (stack("AWS::IAM::ManagedPolicy", PolicyDocument=policy(450)), "managed-policy"),
        (stack("AWS::IAM::ManagedPolicy", PolicyDocument=on_long_arns(40)), "managed-policy"),
        (stack("AWS::IAM::Role", AssumeRolePolicyDocument=policy(150)), "trust-policy"),
        (stack("AWS::SQS::QueuePolicy", PolicyDocument=policy(600)), "queue-policy"),
        (stack("AWS::SNS::TopicPolicy", PolicyDocument=policy(2_100)), "topic-policy"),
        (stack("AWS::S3::BucketPolicy", PolicyDocument=policy(1_400)), "bucket-policy"),
        (stack("AWS::KMS::Key", KeyPolicy=policy(2_300)), "key-policy"),
        (stack("AWS::Organizations::Policy", Name="n", Content="c" * 10_300), "organization-policy"),
        (stack("AWS::Organizations::Policy", Name="n" * 129, Content="c"), "organization-policy-name"),
        (
            stack("AWS::Organizations::Policy", Name="n", Content="c", Description="d" * 513),
            "organization-policy-description",
        ),
        (group(61, 0), "security-group"),
        (group(60, 1), "security-group"),
        (document("x" * 66_000), "document"),
        (document("exit 0", timeout=4), "step-timeout"),
        (document("exit 0", timeout=172_801), "step-timeout"),
        (document("Write-Output '{{ Lock }}'", parameters={"Other": {"type": "String"}}), "step-parameter"),
        (stack("AWS::CloudWatch::Alarm", Period=60, EvaluationPeriods=2_880), "alarm-span"),
        ({"Resources": {f"R{n}": {"Type": "AWS::SNS::Topic"} for n in range(501)}}, "resources"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_large_is_told(body: Json, told: str) -> None:
    assert [found.rule for found in findings(json.loads(json.dumps(body)), "here")] == [told]
