"""AWS::Organizations::Policy is made, changed, attached and removed by a stack, and Organizations sees it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from emulator.settings import DEFAULT_ACCOUNT
from tests.embedded_aws import Stack
from tryout.account.inventory import inventory

KIND = "SERVICE_CONTROL_POLICY"


def _text(action: str) -> str:
    statement = {"Sid": "Deny", "Effect": "Deny", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _policy(action: str = "s3:PutObject", **more: Any) -> dict[str, Any]:
    content = {"Fn::Join": ["", [_text(action)]]}
    properties = {"Name": "tried", "Description": "Tried", "Type": KIND, "Content": content, **more}
    return {"Policy": {"Type": "AWS::Organizations::Policy", "Properties": properties}}


def _targets(organizations: Any, policy_id: str) -> list[str]:
    return [item["TargetId"] for item in organizations.list_targets_for_policy(PolicyId=policy_id)["Targets"]]


def test_a_policy_is_made_changed_in_place_and_removed(aws: EmbeddedAws, stack: Stack) -> None:
    organizations = aws.client("organizations")
    before = inventory(aws.client)
    made = stack.create(_policy(), Outputs={"Id": {"Value": {"Fn::GetAtt": ["Policy", "Id"]}}})
    policy_id = made["Policy"]
    assert stack.outputs()["Id"] == policy_id
    found = organizations.describe_policy(PolicyId=policy_id)["Policy"]
    assert (found["Content"], found["PolicySummary"]["Type"]) == (_text("s3:PutObject"), KIND)
    assert _targets(organizations, policy_id) == []
    assert "organizations Policies tried" in inventory(aws.client) - before

    assert stack.update(_policy("s3:*", TargetIds=[DEFAULT_ACCOUNT])) == made, "in place"
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"] == _text("s3:*")
    assert _targets(organizations, policy_id) == [DEFAULT_ACCOUNT]
    stack.update(_policy("s3:*"))
    assert _targets(organizations, policy_id) == []

    stack.delete()
    assert inventory(aws.client) == before


def test_what_somebody_else_has_attached_stops_the_deletion(aws: EmbeddedAws, stack: Stack) -> None:
    organizations = aws.client("organizations")
    policy_id = stack.create(_policy())["Policy"]
    organizations.attach_policy(PolicyId=policy_id, TargetId=DEFAULT_ACCOUNT)
    with pytest.raises(AssertionError, match=r"DELETE_FAILED.*PolicyInUse"):
        stack.delete()
    organizations.detach_policy(PolicyId=policy_id, TargetId=DEFAULT_ACCOUNT)
    stack.delete()


def test_what_somebody_else_has_attached_is_kept_by_updates_and_detached_when_the_template_names_it(
    aws: EmbeddedAws, stack: Stack
) -> None:
    organizations = aws.client("organizations")
    (root,) = organizations.list_roots()["Roots"]
    policy_id = stack.create(_policy())["Policy"]
    organizations.attach_policy(PolicyId=policy_id, TargetId=root["Id"])
    stack.update(_policy("s3:*", TargetIds=[root["Id"], DEFAULT_ACCOUNT]))
    assert sorted(_targets(organizations, policy_id)) == sorted([root["Id"], DEFAULT_ACCOUNT])
    stack.delete()
    policies = organizations.list_policies_for_target(TargetId=root["Id"], Filter=KIND)["Policies"]
    assert [item["Name"] for item in policies] == ["FullAWSAccess"]


def test_an_unknown_target_fails_the_deployment(aws: EmbeddedAws, stack: Stack) -> None:
    with pytest.raises(AssertionError, match="TargetNotFoundException"):
        stack.create(_policy(TargetIds=["ou-ab12-cdefgh34"]))


def test_a_policy_in_use_is_not_deleted_by_its_api(aws: EmbeddedAws, stack: Stack) -> None:
    policy_id = stack.create(_policy(TargetIds=[DEFAULT_ACCOUNT]))["Policy"]
    with pytest.raises(ClientError, match="PolicyInUseException"):
        aws.client("organizations").delete_policy(PolicyId=policy_id)
