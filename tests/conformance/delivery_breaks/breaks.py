"""Templates broken on purpose: what each break must turn into a denial, so that a rule is seen to catch its fault."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tests.conformance.deliveries.judge import Delivery, Judge
from tests.conformance.deliveries.rule import Look, deliveries
from tests.conformance.policies.references import places_of
from tests.conformance.templates import Json, Template

_ELSEWHERE = "999999999999"
_OTHER = "arn:aws:sqs:us-east-1:111122223333:another"


@dataclass(frozen=True)
class Break:
    """A change to the resources of a template; ``caught.CAUGHT`` has the kinds of delivery that AWS then denies."""

    name: str
    change: Callable[[dict[str, Json]], None]


def broken(template: Template, change: Callable[[dict[str, Json]], object]) -> Template:
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


def _deny_everybody(properties: Json) -> None:
    for statement in properties["PolicyDocument"]["Statement"]:
        statement.pop("Condition", None)
        statement["Effect"] = "Deny"
        statement["Principal"] = "*"


def _misspelt_services(resources: dict[str, Json]) -> None:
    for logical_id, resource in resources.items():
        if resource["Type"].endswith(("Policy", "::Role")):
            resources[logical_id] = json.loads(json.dumps(resource).replace(".amazonaws.com", ".amazon.com"))


def _own_keys(resources: dict[str, Json]) -> None:
    for resource in resources.values():
        service = {"AWS::SQS::Queue": "sqs", "AWS::SNS::Topic": "sns"}.get(resource["Type"])
        if service:
            resource.setdefault("Properties", {})["KmsMasterKeyId"] = f"alias/aws/{service}"


BREAKS: tuple[Break, ...] = (
    Break("permissions of functions removed", _remove("AWS::Lambda::Permission")),
    Break("policies of queues removed", _remove("AWS::SQS::QueuePolicy")),
    Break("policies of buckets removed", _remove("AWS::S3::BucketPolicy")),
    Break("policies of CloudWatch Logs removed", _remove("AWS::Logs::ResourcePolicy")),
    Break("policies of topics reduced to their Deny", _each("AWS::SNS::TopicPolicy", _only_denies)),
    Break("every trust given to another service", _each("AWS::IAM::Role", _trust_another_service)),
    Break("every trust given to another account", _each("AWS::IAM::Role", _trust_another_account)),
    Break(
        "every role emptied",
        _both(_remove("AWS::IAM::Policy"), _each("AWS::IAM::Role", lambda role: role.pop("ManagedPolicyArns", None))),
    ),
    Break("every permission pointed at another resource", _each("AWS::IAM::Policy", _point_elsewhere)),
    Break("AWS's own keys on queues and topics", _own_keys),
    Break(
        "another rule in aws:SourceArn",
        _both(
            _each("AWS::Lambda::Permission", lambda one: one.update(SourceArn=_OTHER)),
            _each("AWS::SQS::QueuePolicy", _another_source),
        ),
    ),
    Break("messages hidden for 1 s", _each("AWS::SQS::Queue", lambda one: one.update(VisibilityTimeout=1))),
    Break("FIFO dead-letter queues", _each("AWS::SQS::Queue", _fifo)),
    Break(
        "a bucket that sends no events",
        _each("AWS::S3::Bucket", lambda one: one.pop("NotificationConfiguration", None)),
    ),
    Break("every DependsOn removed", _without_dependencies),
    Break(
        "Image Builder without an execution role, its log groups renamed",
        _each("AWS::ImageBuilder::ImagePipeline", _image_builder),
    ),
    Break("policies of topics that deny everybody", _each("AWS::SNS::TopicPolicy", _deny_everybody)),
    Break("policies that allow a service that does not exist", _misspelt_services),
    Break("alarms removed", _remove("AWS::CloudWatch::Alarm")),
    Break("targets removed", _remove("AWS::Lambda::Function", "AWS::AutoScaling::ScalingPolicy")),
    Break("another key everywhere", _another_key),
)


def chosen(looks: Iterable[Look]) -> list[Template]:
    """A few templates that hold every kind of delivery between them, those with a customer key first."""
    rest = sorted(
        looks, key=lambda one: (one.template.common.kms_key_arn is None, one.template.variant == "enterprise")
    )
    missing = {delivery.kind for one in rest for delivery in one.deliveries}
    found: list[Template] = []
    for with_key in (True, False):
        pool = [one for one in rest if (one.template.common.kms_key_arn is not None) is with_key]
        while pool:
            best = max(pool, key=lambda one: len(missing & {delivery.kind for delivery in one.deliveries}))
            kinds = missing & {delivery.kind for delivery in best.deliveries}
            if not kinds:
                break
            missing -= kinds
            found.append(best.template)
    return found


def denied(templates: Iterable[Template], change: Callable[[dict[str, Json]], None]) -> set[str]:
    """The kinds of which a change makes deliveries fail that did not fail before."""
    found: set[str] = set()
    for template in templates:
        before = _before(str(template), template)
        for kind, source, target, verdict in _verdicts(broken(template, change)):
            if verdict == "fails" and before.get((kind, source, target)) != "fails":
                found.add(kind)
    return found


_BEFORE: dict[str, dict[tuple[str, str, str], str]] = {}


def _before(name: str, template: Template) -> dict[tuple[str, str, str], str]:
    if name not in _BEFORE:
        _BEFORE[name] = {one[:3]: one[3] for one in _verdicts(template)}
    return _BEFORE[name]


def _verdicts(template: Template) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.source, one.target, one.outcome.verdict) for one in _looked_at(template)]


def _looked_at(template: Template) -> list[Delivery]:
    return list(deliveries(Judge(template, places_of(template)[0])))
