"""Key policies as they are rendered, with every reference resolved: what the evaluator judges is what is deployed."""

from collections.abc import Mapping
from typing import Any

from stacks.nitro_attestation.proof import Cast
from tests import variants
from tests.variants import Json

SLUG = "nitro_attestation"
ACCOUNT, REGION = "123456789012", "eu-central-1"
PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::StackName": "stack"}


def role(logical_id: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{logical_id}"


def resolved(value: Any) -> Any:
    """The value that CloudFormation would put in; roles have their logical ids for names."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "Ref" in value:
        return PSEUDO[value["Ref"]]
    if "Fn::GetAtt" in value:
        return role(value["Fn::GetAtt"][0])
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return separator.join(resolved(parts))
    return {key: resolved(item) for key, item in value.items()}


def key(variant: str, name: str) -> Json:
    """Properties of an attested key."""
    found = variants.template(variant, SLUG)["Resources"]
    (properties,) = (
        one["Properties"]
        for logical_id, one in found.items()
        if one["Type"] == "AWS::KMS::Key" and logical_id.startswith(f"{name}Key")
    )
    return dict(properties)


def policy(variant: str, name: str) -> Json:
    """Its policy."""
    return dict(resolved(key(variant, name)["KeyPolicy"]))


def cast(variant: str, name: str) -> Cast:
    """Who is who by the settings: the administrator is the role that deploys."""
    config = variants.configuration(variant)
    settings = config.solutions[SLUG].keys[name.lower()]  # type: ignore[attr-defined]
    use = next(one for one in policy(variant, name)["Statement"] if one["Sid"] == "AttestedUse")
    return Cast(
        workloads=(use["Principal"]["AWS"], *settings.workload_arns),
        administrators=(
            role(f"cdk-{config.common.bootstrap_qualifier or 'hnb659fds'}-cfn-exec-role-{ACCOUNT}-{REGION}"),
            *settings.administrator_arns,
        ),
        producers=settings.producer_arns,
        outsider=role("outsider"),
        root=f"arn:aws:iam::{ACCOUNT}:root",
        foreigner="arn:aws:iam::000000000000:role/foreigner",
    )
