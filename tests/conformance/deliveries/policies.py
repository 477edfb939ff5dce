"""Rules on the policies themselves: keys that a role needs besides, principals and conditions that can hold."""

from collections.abc import Callable, Iterator

from tests.conformance.deliveries.judge import OK, Delivery, Judge, Outcome, fails, together, unsure
from tests.conformance.policies.evaluation import Call, as_list
from tests.conformance.policies.evaluation import judge as decide
from tests.conformance.templates import Json

_READ, _WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey", "kms:Decrypt")
# What touches the encrypted content of a resource: the action, where below the ARN, and what it asks of the key.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
# sns/latest/dg/sns-key-management.html, amazondynamodb/latest/developerguide/encryption.usagenotes.html,
# AmazonS3/latest/userguide/UsingKMSEncryption.html, secretsmanager/latest/userguide/security-encryption.html
_CONTENT: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "AWS::SQS::Queue": (("sqs:SendMessage", "", _WRITE), ("sqs:ReceiveMessage", "", _READ)),
    "AWS::SNS::Topic": (("sns:Publish", "", _WRITE),),
    "AWS::DynamoDB::GlobalTable": tuple(
        (f"dynamodb:{action}", "", _READ)
        for action in (
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
            "BatchGetItem",
            "BatchWriteItem",
        )
    ),
    "AWS::S3::Bucket": (("s3:GetObject", "/«object»", _READ), ("s3:PutObject", "/«object»", ("kms:GenerateDataKey",))),
    "AWS::SecretsManager::Secret": (
        ("secretsmanager:GetSecretValue", "", _READ),
        ("secretsmanager:PutSecretValue", "", _WRITE),
    ),
}
_CONTENT["AWS::DynamoDB::Table"] = _CONTENT["AWS::DynamoDB::GlobalTable"]


def encrypted_resources(judge: Judge) -> Iterator[Delivery]:
    """A role that may read or write a resource must have the key, too; nothing is needed for AWS's own keys."""
    for role, _ in judge.of_type("AWS::IAM::Role"):
        arn = judge.arn_of(role)
        for kind, touches in _CONTENT.items():
            for resource, _ in judge.of_type(kind):
                needed = [
                    need
                    for action, below, need in touches
                    if _may(judge, role, action, f"{judge.arn_of(resource)}{below}")
                ]
                if not needed:
                    continue
                key = judge.key_of(resource)
                ours = "customer's key" if key and "alias/aws/" not in key else "AWS's own key"
                outcome = together(judge.key_for_role(resource, arn, actions) for actions in needed)
                yield Delivery(f"role → encrypted resource ({ours})", role, resource, outcome)


def _may(judge: Judge, role: str, action: str, resource: str) -> bool:
    """Whether a statement of the role names this resource; one that names everything is of another service."""
    named = [one for one in judge.statements(role) if one.get("Effect") == "Allow" and one.get("Resource") != "*"]
    call = Call(judge.arn_of(role), action, resource)
    return decide(named, call, judge.account, resource_policy=False)[0] is not False


# Services that take roles or act on resources, as their pages name them. One that is not here is a mistake or new.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
SERVICES = {
    "autoscaling", "batch", "cloudformation", "cloudtrail", "cloudwatch", "codebuild", "codepipeline", "delivery.logs",
    "dlm", "ec2", "ecs", "ecs-tasks", "events", "firehose", "fis", "imagebuilder", "lambda", "lambda.alarms.cloudwatch",
    "logdelivery.elasticloadbalancing", "logging.s3", "logs", "pipes", "rds", "resource-groups", "s3", "scheduler",
    "sns", "sqs", "ssm", "states", "vpc-flow-logs",
}  # fmt: skip
_SUFFIX = ".amazonaws.com"


def trusts(judge: Judge) -> Iterator[Delivery]:
    """Every trust policy, and whether anything that it trusts uses the role."""
    used = _used_roles(judge)
    for role, properties in judge.of_type("AWS::IAM::Role"):
        statements = as_list(properties["AssumeRolePolicyDocument"]["Statement"])
        yield Delivery("trust policy: principal and condition", role, "trust", _sound(judge, statements))
        outcome = OK if role in used else unsure("nothing in the template uses this role")
        yield Delivery("role: does anything that it trusts use it?", role, "trust", outcome)


def resource_policies(judge: Judge) -> Iterator[Delivery]:
    """Principals and conditions of topics, queues, buckets and log groups."""
    for owner, statements in judge.resource_policies.items():
        kind = judge.types[owner].split("::")[1]
        if kind in ("SNS", "SQS", "S3", "Logs"):
            for statement in statements:
                if statement.get("Effect") == "Allow" and _names(owner, judge, statement):
                    sound = _sound(judge, [statement])
                    yield Delivery(f"{kind} policy: principal and condition", owner, "policy", sound)


def _names(owner: str, judge: Judge, statement: Json) -> bool:
    return any(judge.arn_of(owner).split(":*")[0] in str(one) for one in as_list(statement.get("Resource")))


def _sound(judge: Judge, statements: list[Json]) -> Outcome:
    outcome = OK
    for statement in statements:
        named = statement.get("Principal")
        for service in as_list(named.get("Service")) if isinstance(named, dict) else []:
            outcome &= OK if _exists(service, judge.place.region) else fails(f"there is no service {service}")
        for operator, keys in statement.get("Condition", {}).items():
            for key, values in keys.items():
                outcome &= together(_can_match(judge, operator, key.lower(), str(one)) for one in as_list(values))
    return outcome


def _exists(principal: str, region: str) -> bool:
    name = principal.removesuffix(".cn").removesuffix(_SUFFIX).removesuffix(f".{region}")
    return _SUFFIX in principal and name in SERVICES


def _can_match(judge: Judge, operator: str, key: str, value: str) -> Outcome:
    exact = "Equals" in operator and not operator.endswith(("ArnEquals", "ArnEqualsIfExists")) and "Arn" not in operator
    if exact and operator.startswith("String") and ("*" in value or "?" in value):
        return fails(f"{operator} takes {value} literally: no wildcard works in it")
    if key == "aws:sourceaccount" and value != judge.account and "*" not in value:
        return fails(f"the account {value} is not that of the stack")
    if key == "aws:sourcearn":
        partition, _, region, account = [*value.split(":"), "", "", "", "", ""][1:5]
        if partition not in (judge.place.partition, "*"):
            return fails(f"{value} is in another partition")
        if region not in (judge.place.region, "*", "") or account not in (judge.account, "*", ""):
            return fails(f"{value} is in another Region or account")
    return OK


def _used_roles(judge: Judge) -> set[str]:
    texts = []
    for logical_id, kind in judge.types.items():
        if kind not in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
            texts.append(str(judge.properties(logical_id)))
    everything = "\n".join(texts)
    named = {
        role
        for role, _ in judge.of_type("AWS::IAM::Role")
        if judge.arn_of(role) in everything or f"'{judge.name_of(role)}'" in everything
    }
    return named | {role for role, _ in judge.of_type("AWS::IAM::Role") if _assumed_by(judge, role, named)}


def _assumed_by(judge: Judge, role: str, others: set[str]) -> bool:
    """Whether a role trusts one of the others, which may assume it: both policies must say so."""
    statements = as_list(judge.properties(role)["AssumeRolePolicyDocument"]["Statement"])
    principals = [each["Principal"] for each in statements if isinstance(each.get("Principal"), dict)]
    trusted = [one for each in principals for one in as_list(each.get("AWS", []))]
    return any(
        judge.arn_of(other) in trusted and _may(judge, other, "sts:AssumeRole", judge.arn_of(role)) for other in others
    )


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (encrypted_resources, trusts, resource_policies)
