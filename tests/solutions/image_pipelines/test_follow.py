"""The rules that start what builds on a pipeline."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.template import Template


@dataclass
class Pipeline:
    """One that builds on gold, or gold."""

    name: str
    recipe_name: str
    pipeline: Any


@pytest.mark.parametrize(
    ("number", "rules"),
    [
        (0, []),
        (6, [["w0", "w1", "w2", "w3", "w4"], ["w5"]]),
        (7, [["w0", "w1", "w2", "w3", "w4"], ["w5", "w6"]]),  # one more moves no other
    ],
)
def test_a_rule_has_five_targets_at_most(number: int, rules: list[list[str]]) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html."""
    import aws_cdk as cdk
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_imagebuilder as imagebuilder
    from aws_cdk import aws_sqs as sqs

    from stacks.image_pipelines.follow import follow

    stack = cdk.Stack()
    names = ["gold", *(f"w{n}" for n in range(number))]
    made = [
        imagebuilder.CfnImagePipeline(stack, name, name=name, infrastructure_configuration_arn="i") for name in names
    ]
    gold, *children = [Pipeline(name, f"tried-{name}", one) for name, one in zip(names, made, strict=True)]
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
    follow(stack, gold, children, role=role, undelivered=sqs.Queue(stack, "Queue"))
    found = Template.from_stack(stack).find_resources("AWS::Events::Rule").values()
    assert [[target["Id"] for target in rule["Properties"]["Targets"]] for rule in found] == rules
