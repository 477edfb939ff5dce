"""READMEs say what the policies of a key and a topic of yours must allow; the templates say what is needed."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest

from stacks.documents import own_key_and_topic
from stacks.series import SOLUTIONS
from tests import variants
from tests.variants import ROOT, Json

SLUGS = [solution.slug for solution in SOLUTIONS]
WITH_KEY = ("account", "enterprise")  # the variants with a key: with topics of the stacks, and with one of yours
SECTION = (ROOT / "docs" / "guide" / "key_and_topic.md").read_text(encoding="utf-8")


def references(value: Any) -> Iterator[str]:
    """Logical ids that a value names."""
    if isinstance(value, dict):
        if "Ref" in value:
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from references(item)


def needs(template: Json) -> tuple[set[str], set[str]]:
    """Who must be allowed to use the key, and to publish to a topic that is not of the stack; by statement."""
    resources: dict[str, Json] = template["Resources"]
    key: set[str] = set()
    topic: set[str] = set()

    def under_key(value: Any) -> bool:
        named = [resources[name] for name in references(value) if name in resources]
        return any("KmsMasterKeyId" in one["Properties"] for one in named if one["Type"] in ENCRYPTED)

    for resource in resources.values():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Logs::LogGroup" if "KmsKeyId" in properties:
                key.add("Logs")
            case "AWS::CloudWatch::Alarm":
                if under_key(properties.get("AlarmActions")):
                    key.add("Alarms")
                if ":sns:" in json.dumps(properties.get("AlarmActions")):
                    topic.add("Alarms")
            case "AWS::Events::Rule":
                for target in properties.get("Targets", []):
                    if under_key(target["Arn"]) or under_key(target.get("DeadLetterConfig")):
                        key.add("Events")
                    if ":sns:" in json.dumps(target["Arn"]):
                        topic.add("Events")
            case "AWS::AutoScaling::AutoScalingGroup":
                launched = [resources[name] for name in references(properties) if name in resources]
                templates = [one for one in launched if one["Type"] == "AWS::EC2::LaunchTemplate"]
                if any("KmsKeyId" in json.dumps(one) for one in templates):
                    key.add("AutoScaling")
            case "AWS::ImageBuilder::InfrastructureConfiguration" if under_key(properties.get("SnsTopicArn")):
                key.add("ImageBuilder")
            case "AWS::CloudTrail::Trail" if "KMSKeyId" in properties:
                key.add("Trail")
    return key, topic


ENCRYPTED = ("AWS::SNS::Topic", "AWS::SQS::Queue")


def written(slug: str) -> tuple[set[str], set[str]]:
    """What the solution's README says."""
    of_key, of_topic = (set(re.findall(r"`([A-Z]\w+)`", said)) for said in own_key_and_topic(slug))
    return of_key, of_topic


def policy(of: str) -> dict[str, Json]:
    """The statements that the README gives, by Sid."""
    found = re.search(rf"```json {of} policy\n(.*?)```", SECTION, re.DOTALL)
    assert found
    return {statement["Sid"]: statement for statement in json.loads(found[1])}


@pytest.mark.parametrize("slug", SLUGS)
def test_the_readme_names_exactly_what_the_templates_need(slug: str) -> None:
    of_key: set[str] = set()
    of_topic: set[str] = set()
    for variant in WITH_KEY:
        key, topic = needs(variants.templates(variant)[slug])
        of_key |= key
        of_topic |= topic
    assert written(slug) == (of_key, of_topic)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_solution_with_needs_links_to_them_and_names_no_principal_itself(slug: str) -> None:
    text = (ROOT / f"stacks/{slug}/README.md").read_text(encoding="utf-8")
    assert ("(../../docs/guide/key_and_topic.md)" in text) == (written(slug) != (set(), set()))
    assert "key's policy must let" not in text


def test_the_functions_that_publish_by_themselves_are_named_with_what_their_roles_lack() -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: who publishes uses the topic's key."""
    publishing = {slug for slug in SLUGS if publishes(variants.templates("topic")[slug])}
    found = re.search(r"A function of (.*?) itself publishes to", SECTION, re.DOTALL)
    assert found and set(re.findall(r"`(\w+)`", found[1])) == publishing


def publishes(template: Json) -> bool:
    """Whether a role may publish to a topic that is not of the stack."""
    policies = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    return any(
        statement["Effect"] == "Allow" and "sns:Publish" in statement["Action"] and ":sns:" in json.dumps(statement)
        for properties in policies
        for statement in properties["PolicyDocument"]["Statement"]
    )


def test_every_statement_that_the_table_asks_for_is_given() -> None:
    asked = [written(slug) for slug in SLUGS]
    assert {"AutoScalingGrants"}.union(*(key for key, _ in asked)) == set(policy("key"))
    assert set().union(*(topic for _, topic in asked)) == set(policy("topic"))


@pytest.mark.parametrize("of, service", [("key", "kms"), ("topic", "sns")])
def test_the_statements_allow_actions_that_exist(of: str, service: str) -> None:
    operations = boto3.client(service, region_name="us-east-1").meta.service_model.operation_names
    for sid, statement in policy(of).items():
        for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
            assert action.startswith(f"{service}:"), sid
            assert any(fnmatchcase(name, action.partition(":")[2]) for name in operations), (sid, action)


def test_eventbridge_is_allowed_without_a_condition_because_it_tells_nothing_about_itself() -> None:
    assert "Condition" not in policy("key")["Events"] and "Condition" not in policy("topic")["Events"]
