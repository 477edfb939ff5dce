"""Diagrams agree with templates: generated ones have every part, those drawn by hand name no type that is not there."""

import re
from collections.abc import Iterator

import pytest

from stacks.series import SOLUTIONS
from website import facts
from website.architecture import diagram
from website.page import ROOT
from website.reference import settings

every_solution = pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])

# A word of a diagram, and the types of which a template of the solution has one.
NAMES = {
    r"alarms?\b": "AWS::CloudWatch::Alarm",
    r"application load balancer": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    r"auto scaling group": "AWS::AutoScaling::AutoScalingGroup",
    r"automation documents|documents of": "AWS::SSM::Document",
    r"\bbucket": "AWS::S3::Bucket",
    r"^(a )?build\b": "AWS::CodeBuild::Project",
    r"cloudwatch dashboards?|^/?dashboards?\b": "AWS::CloudWatch::Dashboard Custom::Dashboards AWS::Lambda::Function",
    r"data lifecycle manager": "AWS::DLM::LifecyclePolicy",
    r"elastic address": "AWS::EC2::EIP",
    r"eventbridge|\brule\b": "AWS::Events::Rule",
    r"\bevery (\w+ )?(minutes?|hours?|days?|night)": "AWS::Events::Rule AWS::Scheduler::Schedule",
    r"fis experiment": "AWS::FIS::ExperimentTemplate",
    r"kms key": "AWS::KMS::Key",
    r"launch templates?": "AWS::EC2::LaunchTemplate",
    r"\bledger\b|\btable<br>|newest image": "AWS::DynamoDB::GlobalTable",
    r"log group": "AWS::Logs::LogGroup",
    r"nat gateway": "AWS::EC2::NatGateway",
    r"network interface": "AWS::EC2::NetworkInterface",
    r"organizations policies|service control policy": "AWS::Organizations::Policy",
    r"^pipeline v2": "AWS::CodePipeline::Pipeline",
    r"\bqueue\b": "AWS::SQS::Queue",
    r"resource group": "AWS::ResourceGroups::Group",
    r"secrets manager|^secrets": "AWS::SecretsManager::Secret",
    r"state machine": "AWS::StepFunctions::StateMachine",
    r"\btopic\b": "AWS::SNS::Topic",
    r"warm pool": "AWS::AutoScaling::WarmPool",
}  # fmt: skip
BY_SETTING = {
    ("custom_health_checks", "AWS::AutoScaling::WarmPool"): "warm_pool",
    ("instance_connect_endpoint", "AWS::SNS::Topic"): "trail",
    ("local_zone_wordpress", "AWS::EC2::NatGateway"): "nat",
}
"""Types of a setting that no kept template has, and the setting."""


def drawn_by_hand(slug: str) -> Iterator[str]:
    """The words in the boxes of the README's diagrams."""
    text = (ROOT / "stacks" / slug / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```mermaid\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"[\[({/]+\"?([^\[\](){}|\"]+?)\"?[\])}/]+", block)


def types_of(slug: str) -> set[str]:
    return {
        resource["Type"] for template in facts.templates(slug).values() for resource in template["Resources"].values()
    }


@every_solution
def test_a_diagram_by_hand_names_no_type_that_no_template_has(slug: str) -> None:
    there = types_of(slug)
    labels = list(drawn_by_hand(slug))
    assert labels
    missing = [
        (label, types)
        for label in labels
        for words, types in NAMES.items()
        if re.search(words, label.lower().strip())
        and not there & set(types.split())
        and (slug, types) not in BY_SETTING
    ]
    assert not missing


@every_solution
def test_a_diagram_by_hand_names_every_function_that_is_not_of_a_custom_resource(slug: str) -> None:
    template = next(iter(facts.templates(slug).values()))
    labels = re.sub(r"[^a-z]", "", " ".join(drawn_by_hand(slug)).lower())
    named = re.findall(r'\w+\[\["(.*?)<br>function"\]\]', diagram(template))
    assert [name for name in named if re.sub(r"[^a-z]", "", name.lower()) not in labels] == UNNAMED.get(slug, [])


def test_what_a_setting_adds_is_a_setting() -> None:
    for (slug, _), key in BY_SETTING.items():
        assert any(key in setting.key for setting in settings(slug)), f"{slug}: {key}"


UNNAMED: dict[str, list[str]] = {}
"""Functions that a diagram by hand leaves out on purpose."""


@every_solution
def test_a_diagram_of_a_template_joins_boxes_that_it_has(slug: str) -> None:
    for template in facts.templates(slug).values():
        text = diagram(template)
        boxes = set(re.findall(r"^ +(\w+)[\[({]", text, re.MULTILINE)) - {"subgraph"}
        joined = set(re.findall(r"^ +(\w+) -\.?-?>(?:\|[^|]*\|)? (\w+)$", text, re.MULTILINE))
        assert {name for pair in joined for name in pair} <= boxes
        assert not text or joined


def test_what_a_template_says_is_in_its_diagram() -> None:
    role = {"Fn::GetAtt": ["Role", "Arn"]}
    statement = {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem"],
        "Resource": {"Fn::GetAtt": ["Table12345678", "Arn"]},
    }
    template = {
        "Resources": {
            "Every": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "ScheduleExpression": "rate(1 minute)",
                    "Targets": [{"Arn": {"Fn::GetAtt": ["Work", "Arn"]}}],
                },
            },
            "Work": {"Type": "AWS::Lambda::Function", "Properties": {"Role": role}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
            "Policy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [statement]}},
            },
            "Table12345678": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": {}},
        }
    }
    text = diagram(template)
    assert 'Every(["every minute"])' in text and '[["Work<br>function"]]' in text and '[("table")]' in text
    assert "  Every --> Work" in text and "  Work -->|changes| Table12345678" in text
    assert "Role[" not in text and "Policy" not in text
