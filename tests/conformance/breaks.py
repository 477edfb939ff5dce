"""Templates broken on purpose: what each break must turn into a denial, so that a rule is seen to catch its fault."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.conformance.templates import Json, Template

_ELSEWHERE = "999999999999"
_OTHER = "arn:aws:sqs:us-east-1:111122223333:another"


@dataclass(frozen=True)
class Break:
    """A change to the resources of a template, and the kinds of delivery that AWS then denies."""

    name: str
    change: Callable[[dict[str, Json]], None]
    catches: frozenset[str]


def broken(template: Template, change: Callable[[dict[str, Json]], None]) -> Template:
    """A copy of a template with a change made to its resources."""
    body: Json = json.loads(json.dumps(template.body))
    change(body["Resources"])
    return replace(template, body=body)


def _remove(*types: str) -> Callable[[dict[str, Json]], None]:
    def change(resources: dict[str, Json]) -> None:
        for logical_id in [one for one, resource in resources.items() if resource["Type"] in types]:
            del resources[logical_id]

    return change


def _each(kind: str, change: Callable[[Json], object]) -> Callable[[dict[str, Json]], None]:
    def every(resources: dict[str, Json]) -> None:
        for resource in resources.values():
            if resource["Type"] == kind:
                change(resource.setdefault("Properties", {}))

    return every


def _both(*changes: Callable[[dict[str, Json]], None]) -> Callable[[dict[str, Json]], None]:
    def change(resources: dict[str, Json]) -> None:
        for one in changes:
            one(resources)

    return change


def _only_denies(properties: Json) -> None:
    document = properties["PolicyDocument"]
    document["Statement"] = [one for one in document["Statement"] if one["Effect"] == "Deny"]


def _trust_another_service(properties: Json) -> None:
    for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
        statement["Principal"] = {"Service": "rds.amazonaws.com"}


def _trust_another_account(properties: Json) -> None:
    for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": _ELSEWHERE}}


def _point_elsewhere(properties: Json) -> None:
    for statement in properties["PolicyDocument"]["Statement"]:
        statement.pop("NotResource", None)
        statement["Resource"] = _OTHER


def _another_source(properties: Json) -> None:
    for statement in properties["PolicyDocument"]["Statement"]:
        for keys in statement.get("Condition", {}).values():
            if "aws:SourceArn" in keys:
                keys["aws:SourceArn"] = _OTHER


def _fifo(properties: Json) -> None:
    if "RedrivePolicy" not in properties:
        properties["FifoQueue"] = True


def _without_dependencies(resources: dict[str, Json]) -> None:
    for resource in resources.values():
        resource.pop("DependsOn", None)


def _image_builder(properties: Json) -> None:
    properties.pop("ExecutionRole", None)
    properties["LoggingConfiguration"] = {"ImageLogGroupName": "images", "PipelineLogGroupName": "pipelines"}


def _another_key(resources: dict[str, Json]) -> None:
    for logical_id, resource in resources.items():
        if not resource["Type"].startswith("AWS::IAM::"):
            text = json.dumps(resource).replace(":key/1111", ":key/9999")
            resources[logical_id] = json.loads(text)


def _own_keys(resources: dict[str, Json]) -> None:
    for resource in resources.values():
        service = {"AWS::SQS::Queue": "sqs", "AWS::SNS::Topic": "sns"}.get(resource["Type"])
        if service:
            resource.setdefault("Properties", {})["KmsMasterKeyId"] = f"alias/aws/{service}"


BREAKS: tuple[Break, ...] = (
    Break("permissions of functions removed", _remove("AWS::Lambda::Permission"), frozenset()),
    Break("policies of queues removed", _remove("AWS::SQS::QueuePolicy"), frozenset()),
    Break("policies of buckets removed", _remove("AWS::S3::BucketPolicy"), frozenset()),
    Break("policies of CloudWatch Logs removed", _remove("AWS::Logs::ResourcePolicy"), frozenset()),
    Break("policies of topics reduced to their Deny", _each("AWS::SNS::TopicPolicy", _only_denies), frozenset()),
    Break("every trust given to another service", _each("AWS::IAM::Role", _trust_another_service), frozenset()),
    Break("every trust given to another account", _each("AWS::IAM::Role", _trust_another_account), frozenset()),
    Break(
        "every role emptied",
        _both(_remove("AWS::IAM::Policy"), _each("AWS::IAM::Role", lambda role: role.pop("ManagedPolicyArns", None))),
        frozenset(),
    ),
    Break("every permission pointed at another resource", _each("AWS::IAM::Policy", _point_elsewhere), frozenset()),
    Break("AWS's own keys on queues and topics", _own_keys, frozenset()),
    Break(
        "another rule in aws:SourceArn",
        _both(
            _each("AWS::Lambda::Permission", lambda one: one.update(SourceArn=_OTHER)),
            _each("AWS::SQS::QueuePolicy", _another_source),
        ),
        frozenset(),
    ),
    Break(
        "messages hidden for 1 s", _each("AWS::SQS::Queue", lambda one: one.update(VisibilityTimeout=1)), frozenset()
    ),
    Break("FIFO dead-letter queues", _each("AWS::SQS::Queue", _fifo), frozenset()),
    Break(
        "a bucket that sends no events",
        _each("AWS::S3::Bucket", lambda one: one.pop("NotificationConfiguration", None)),
        frozenset(),
    ),
    Break("every DependsOn removed", _without_dependencies, frozenset()),
    Break(
        "Image Builder without an execution role, its log groups renamed",
        _each("AWS::ImageBuilder::ImagePipeline", _image_builder),
        frozenset(),
    ),
    Break("targets removed", _remove("AWS::Lambda::Function", "AWS::AutoScaling::ScalingPolicy"), frozenset()),
    Break("another key everywhere", _another_key, frozenset()),
)
