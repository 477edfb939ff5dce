"""What the happy paths of tests/solutions/<slug>/faults.py call, as the actions that IAM asks for.

They know no resources: they show that a role needs an action, and not on what, so that they speak only of an action
that its role has in one statement.
"""

from collections import defaultdict
from collections.abc import Mapping

from tests.mutation.mutants import Json

_SERVICES = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html,
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html and
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
_ACTIONS = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObjects": "s3:DeleteObject",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "lambda:Invoke": "lambda:InvokeFunction",
}


def action_of(service: str, operation: str) -> str:
    """The action of an operation of botocore's."""
    action = f"{_SERVICES.get(service, service)}:{operation}"
    return _ACTIONS.get(action, action)


def happy_paths(slugs: set[str]) -> dict[str, dict[str, str]]:
    """By the module of each handler: the actions that its happy paths need, with the path that does."""
    from tests.faults.running import record
    from tests.faults.subject import registered
    from tests.faults.world.wire import laboratory

    found: dict[str, dict[str, str]] = defaultdict(dict)
    with laboratory():
        for subject in registered():
            if subject.module and subject.module.split(".")[0] in {*slugs, "shared"}:
                for call in record(subject)[0]:
                    found[subject.module].setdefault(action_of(call.service, call.operation), subject.name)
    return dict(found)


def modules_of(template: Json) -> dict[str, set[str]]:
    """The modules of the functions that run with each role, by the role's logical id."""
    found: dict[str, set[str]] = defaultdict(set)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            role = resource["Properties"]["Role"]
            handler = str(resource["Properties"].get("Handler", ""))
            if isinstance(role, Mapping) and "Fn::GetAtt" in role:
                found[role["Fn::GetAtt"][0]].add(handler.rpartition(".")[0])
    return dict(found)
