"""A role that may make grants on a key makes them for services of AWS only, or it could give the key to anybody."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule

PAGE = "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html"
GRANTS = {"kms:CreateGrant", "kms:Create*", "kms:*", "*"}

Json = dict[str, Any]


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Statements of roles' and people's policies that allow grants without ``kms:GrantIsForAWSResource``.

    A policy of the key itself is not looked at: its statements for administrators may allow every grant.
    """
    return [
        Finding(
            where,
            name,
            "key-grants",
            "fails",
            "kms:CreateGrant is allowed for anybody's use",
            PAGE,
            "allow it by allow_grants_to_aws or allow_volumes_under",
        )
        for name, resource in resources.items()
        for statement in _statements(resource)
        if statement["Effect"] == "Allow" and GRANTS & set(_many(statement.get("Action", []))) and _is_open(statement)
    ]


def _statements(resource: Json) -> Iterator[Json]:
    properties = resource.get("Properties", {})
    if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        yield from _many(properties["PolicyDocument"]["Statement"])
    if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        for policy in properties.get("Policies", []):
            yield from _many(policy["PolicyDocument"]["Statement"])


def _is_open(statement: Json) -> bool:
    """Whether no condition holds the grants to AWS's services: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html."""
    return str(statement.get("Condition", {}).get("Bool", {}).get("kms:GrantIsForAWSResource")).lower() != "true"


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


RULES = (Rule("authorization", "key grants", PAGE, ("a grant on a key for anybody's use", "every action of KMS")),)
