"""AWS::Organizations::Policy, by ministack's Organizations. Policies are stored and attached, and nothing is denied.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-organizations-policy.html
"""

import json

from emulator.core.resource import Properties, ResourceType
from emulator.services.organizations.patches import organizations


def _known(properties: Properties) -> Properties:
    content = properties["Content"]
    text = content if isinstance(content, str) else json.dumps(content)
    return {"Name": properties["Name"], "Description": properties.get("Description", ""), "Content": text}


def _targets(properties: Properties) -> set[str]:
    return set(properties.get("TargetIds") or [])


def _attach(policy_id: str, targets: set[str]) -> None:
    for target in sorted(targets):
        organizations("AttachPolicy", PolicyId=policy_id, TargetId=target)


def _create(properties: Properties) -> str:
    tags = properties.get("Tags") or []
    made = organizations("CreatePolicy", **_known(properties), Type=properties["Type"], Tags=tags)
    policy_id = str(made["Policy"]["PolicySummary"]["Id"])
    _attach(policy_id, _targets(properties))
    return policy_id


def _attached(policy_id: str) -> set[str]:
    return {item["TargetId"] for item in organizations("ListTargetsForPolicy", PolicyId=policy_id)["Targets"]}


def _detach(policy_id: str, targets: set[str]) -> None:
    for target in sorted(targets & _attached(policy_id)):
        organizations("DetachPolicy", PolicyId=policy_id, TargetId=target)


def _update(policy_id: str, old: Properties, new: Properties) -> None:
    """Only what the template says is attached and detached; what somebody else has attached stays."""
    organizations("UpdatePolicy", PolicyId=policy_id, **_known(new))
    _detach(policy_id, _targets(old) - _targets(new))
    _attach(policy_id, _targets(new) - _targets(old) - _attached(policy_id))


def _delete(policy_id: str, properties: Properties) -> None:
    """Detaches what the template says, as the type's handler does; what somebody else has attached stops the deletion.

    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-organizations (DeleteHandler of Policy)
    """
    _detach(policy_id, _targets(properties))
    organizations("DeletePolicy", PolicyId=policy_id)


def _attributes(policy_id: str, _properties: Properties) -> Properties:
    summary = organizations("DescribePolicy", PolicyId=policy_id)["Policy"]["PolicySummary"]
    return {"Id": policy_id, "Arn": summary["Arn"], "AwsManaged": summary["AwsManaged"]}


TYPES = {
    "AWS::Organizations::Policy": ResourceType(
        create=_create,
        update=_update,
        replaced_by=frozenset({"Type"}),
        delete=_delete,
        attributes=_attributes,
    ),
}
