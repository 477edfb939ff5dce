"""The rule of grants on keys over every template, and that it catches what it is for."""

from typing import Any

import pytest

from tests.conformance.authorization.grants import findings
from tests.conformance.templates import every_template, found

Json = dict[str, Any]


@every_template
def test_grants_on_keys_are_for_services_of_aws(variant: str, slug: str) -> None:
    template = found(variant, slug)
    assert [str(one) for one in findings(template.resources, str(template))] == []


def role(action: Any, **more: Any) -> dict[str, Json]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:kms:eu-west-1:123456789012:key/k", **more}
    policy = {"PolicyName": "own", "PolicyDocument": {"Statement": [statement]}}
    return {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}}


@pytest.mark.parametrize("action", ["kms:CreateGrant", ["kms:Decrypt", "kms:CreateGrant"], "kms:*"])
def test_a_grant_for_anybody_s_use_is_found(action: Any) -> None:
    (one,) = findings(role(action), "here")
    assert (one.rule, one.resource, one.verdict) == ("key-grants", "Role", "fails")


def test_a_grant_for_a_service_of_aws_is_none_and_neither_is_a_denial() -> None:
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert findings(role("kms:CreateGrant", Condition=condition), "here") == []
    assert findings(role("kms:CreateGrant", Effect="Deny"), "here") == []
    assert findings(role("kms:Decrypt"), "here") == []
