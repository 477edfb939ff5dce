"""Quotas that a template can hit: sizes of patterns, environments, user data, policies and documents, counts, spans.

What only a deployment knows has a length that is usual for it (``TYPICAL``), so that a size is what AWS would count.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule

DOCS = "https://docs.aws.amazon.com/"
PATTERN = f"{DOCS}eventbridge/latest/userguide/eb-quota.html"
ENVIRONMENT = f"{DOCS}lambda/latest/dg/gettingstarted-limits.html"
BUILD_VARIABLE = "https://github.com/wolfeidau/buildkite-serverless-agent/issues/35"
USER_DATA = f"{DOCS}AWSEC2/latest/UserGuide/user-data.html"
IAM = f"{DOCS}IAM/latest/UserGuide/reference_iam-quotas.html"
TOPIC = f"{DOCS}sns/latest/api/API_SetTopicAttributes.html"
QUEUE = f"{DOCS}AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"
BUCKET = f"{DOCS}AmazonS3/latest/userguide/example-bucket-policies.html"
KEY = f"{DOCS}kms/latest/developerguide/limits.html"
STACK = f"{DOCS}AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
DOCUMENT = f"{DOCS}general/latest/gr/ssm.html"
STEP = f"{DOCS}systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html"
ORGANIZATION = f"{DOCS}organizations/latest/userguide/orgs_reference_limits.html"
NEW_POLICY = f"{DOCS}organizations/latest/APIReference/API_CreatePolicy.html"
GROUP = f"{DOCS}vpc/latest/userguide/amazon-vpc-limits.html"
ALARM = f"{DOCS}AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"

MOST_PATTERN, MOST_ENVIRONMENT, MOST_USER_DATA, MOST_BUILD_VARIABLE = 2_048, 4_096, 16_384, 4_096
MOST_TARGETS = 5
MOST_IN_ROLE, MOST_MANAGED, MOST_TRUST = 10_240, 6_144, 2_048
MOST_TOPIC_POLICY, MOST_QUEUE_POLICY, MOST_BUCKET_POLICY = 30_720, 8_192, 20_480
MOST_KEY_POLICY, MOST_DOCUMENT, STEP_SECONDS = 32_768, 65_536, range(5, 172_801)
MOST_OF_ORGANIZATION, MOST_NAME, MOST_DESCRIPTION = 10_240, 128, 512
MOST_RESOURCES, MOST_OUTPUTS, MOST_TEMPLATE = 500, 200, 1_000_000
MOST_RULES_OF_GROUP = 60
DAY, WEEK, HOUR = 86_400, 604_800, 3_600

Json = dict[str, Any]

TYPICAL = {
    "AWS::AccountId": "1" * 12,
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-1",
    "AWS::StackName": "n" * 40,
    "AWS::StackId": "i" * 120,
    "AWS::URLSuffix": "amazonaws.com.cn",
}
REFERENCE, GENERATED, BEFORE_NAME = "r" * 64, "g" * 12, "a" * 60
"""A generated name, what CloudFormation adds to a logical id in one, and what an ARN has before it."""


def generated(logical_id: str) -> str:
    """A name as CloudFormation generates it: of the logical id, and longer with it."""
    return max(REFERENCE, f"{logical_id}-{GENERATED}", key=len)


def text(value: Any) -> str:
    """A value as the text of a usual deployment."""
    if not isinstance(value, dict):
        return str(value)
    ((function, inner),) = value.items()
    match function:
        case "Ref":
            return TYPICAL.get(inner, "") or generated(inner)
        case "Fn::GetAtt":
            resource, name = inner if isinstance(inner, list) else inner.split(".", 1)
            return BEFORE_NAME + generated(resource) if name.endswith("Arn") else REFERENCE
        case "Fn::Join":
            return str(inner[0]).join(text(part) for part in inner[1])
        case "Fn::Base64":
            return text(inner)
        case "Fn::Sub":
            return str(inner if isinstance(inner, str) else inner[0])
    return REFERENCE


def written(value: Any) -> str:
    """A document as JSON without blanks, as services count it."""
    return json.dumps(_resolved(value), separators=(",", ":"))


def _resolved(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).split(":")[0] in ("Ref", "Fn"):
            return text(value)
        return {key: _resolved(inner) for key, inner in value.items()}
    return [_resolved(inner) for inner in value] if isinstance(value, list) else value


def findings(template: Json, where: str) -> list[Finding]:
    """What AWS would refuse for its size."""
    resources: dict[str, Json] = template["Resources"]
    found = [
        Finding(
            where, name, rule, "fails", f"{size:,} of {most:,} {unit}", page, "bound the setting, or say it shorter"
        )
        for name, rule, size, most, unit, page in (*_sizes(resources), *_groups(resources), *_counts(template))
        if size > most
    ]
    return sorted([*found, *_alarms(resources, where), *_steps(resources, where)])


Size = tuple[str, str, int, int, str, str]


def _counts(template: Json) -> Iterator[Size]:
    yield "", "resources", len(template["Resources"]), MOST_RESOURCES, "resources", STACK
    yield "", "outputs", len(template.get("Outputs", {})), MOST_OUTPUTS, "outputs", STACK
    yield "", "template", len(json.dumps(template, separators=(",", ":"))), MOST_TEMPLATE, "bytes", STACK


def _sizes(resources: Mapping[str, Json]) -> Iterator[Size]:
    in_role: dict[str, int] = {}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Events::Rule":
                size = len(written(properties["EventPattern"])) if "EventPattern" in properties else 0
                yield name, "pattern", size, MOST_PATTERN, "characters", PATTERN
                yield name, "targets", len(properties.get("Targets", [])), MOST_TARGETS, "targets", PATTERN
            case "AWS::Lambda::Function":
                variables = properties.get("Environment", {}).get("Variables", {})
                size = sum(len(key.encode()) + len(text(value).encode()) for key, value in variables.items())
                yield name, "environment", size, MOST_ENVIRONMENT, "bytes", ENVIRONMENT
            case "AWS::CodeBuild::Project":
                for variable in properties["Environment"].get("EnvironmentVariables", []):
                    size = len(text(variable["Value"]))
                    yield name, "build-variable", size, MOST_BUILD_VARIABLE, "characters", BUILD_VARIABLE
            case "AWS::EC2::LaunchTemplate":
                data = text(properties["LaunchTemplateData"].get("UserData", ""))
                yield name, "user-data", len(data.encode()), MOST_USER_DATA, "bytes", USER_DATA
            case "AWS::EC2::Instance":
                yield (
                    name,
                    "user-data",
                    len(text(properties.get("UserData", "")).encode()),
                    MOST_USER_DATA,
                    "bytes",
                    USER_DATA,
                )
            case "AWS::IAM::Policy":
                for role in properties.get("Roles", []):
                    key = json.dumps(role)
                    in_role[key] = in_role.get(key, 0) + len(written(properties["PolicyDocument"]))
            case "AWS::IAM::Role":
                trust = properties["AssumeRolePolicyDocument"]
                yield name, "trust-policy", len(written(trust)), MOST_TRUST, "characters", IAM
                own = sum(len(written(policy["PolicyDocument"])) for policy in properties.get("Policies", []))
                in_role[json.dumps({"Ref": name})] = in_role.get(json.dumps({"Ref": name}), 0) + own
            case "AWS::IAM::ManagedPolicy":
                yield (
                    name,
                    "managed-policy",
                    len(written(properties["PolicyDocument"])),
                    MOST_MANAGED,
                    "characters",
                    IAM,
                )
            case "AWS::SNS::TopicPolicy":
                yield (
                    name,
                    "topic-policy",
                    len(written(properties["PolicyDocument"])),
                    MOST_TOPIC_POLICY,
                    "characters",
                    TOPIC,
                )
            case "AWS::SQS::QueuePolicy":
                yield (
                    name,
                    "queue-policy",
                    len(written(properties["PolicyDocument"])),
                    MOST_QUEUE_POLICY,
                    "characters",
                    QUEUE,
                )
            case "AWS::Organizations::Policy":
                size = len(text(properties["Content"]))
                yield name, "organization-policy", size, MOST_OF_ORGANIZATION, "characters", ORGANIZATION
                size = len(text(properties["Name"]))
                yield name, "organization-policy-name", size, MOST_NAME, "characters", NEW_POLICY
                size = len(text(properties.get("Description", "")))
                yield name, "organization-policy-description", size, MOST_DESCRIPTION, "characters", NEW_POLICY
            case "AWS::KMS::Key" if "KeyPolicy" in properties:
                size = len(written(properties["KeyPolicy"]))
                yield name, "key-policy", size, MOST_KEY_POLICY, "characters", KEY
            case "AWS::SSM::Document":
                yield name, "document", len(written(properties["Content"]).encode()), MOST_DOCUMENT, "bytes", DOCUMENT
            case "AWS::S3::BucketPolicy":
                yield (
                    name,
                    "bucket-policy",
                    len(written(properties["PolicyDocument"])),
                    MOST_BUCKET_POLICY,
                    "characters",
                    BUCKET,
                )
    for role, size in in_role.items():
        yield (
            json.loads(role).get("Ref", role) if role.startswith("{") else role,
            "role-policies",
            size,
            MOST_IN_ROLE,
            "characters",
            IAM,
        )


def _groups(resources: Mapping[str, Json]) -> Iterator[Size]:
    """Rules of each security group, those in it and those of their own, each way: the quota of an account at first."""
    for way in ("Ingress", "Egress"):
        rules: dict[str, int] = {}
        for name, resource in resources.items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::EC2::SecurityGroup":
                rules[name] = rules.get(name, 0) + len(properties.get(f"SecurityGroup{way}", []))
            elif resource["Type"] == f"AWS::EC2::SecurityGroup{way}":
                group = properties["GroupId"]
                of = group["Fn::GetAtt"][0] if isinstance(group, dict) and "Fn::GetAtt" in group else json.dumps(group)
                rules[of] = rules.get(of, 0) + 1
        for name, count in rules.items():
            yield name, "security-group", count, MOST_RULES_OF_GROUP, f"rules of {way.lower()}", GROUP


def _alarms(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    """Evaluation periods times the period: a day at most, a week where the period is an hour or more."""
    for name, resource in resources.items():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        properties = resource["Properties"]
        periods = [one["MetricStat"]["Period"] for one in properties.get("Metrics", []) if "MetricStat" in one]
        period = max([*periods, properties.get("Period", 60)])
        span, most = period * properties["EvaluationPeriods"], WEEK if period >= HOUR else DAY
        if span > most:
            yield Finding(
                where, name, "alarm-span", "fails", f"{span:,} of {most:,} seconds", ALARM, "a longer period, or fewer"
            )


def _steps(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    """Steps of Command documents: the agent takes a timeout beyond its range for an hour, without a word.

    What stands between double braces is a parameter, wherever it stands: one that is not declared is refused.
    """
    for name, resource in resources.items():
        if resource["Type"] != "AWS::SSM::Document" or resource["Properties"].get("DocumentType") != "Command":
            continue
        content = resource["Properties"]["Content"]
        for step in content.get("mainSteps", []):
            seconds = str(step.get("inputs", {}).get("timeoutSeconds", 3_600))
            if seconds.isdecimal() and int(seconds) not in STEP_SECONDS:
                fix = "5 to 172,800 seconds"
                yield Finding(where, name, "step-timeout", "fails", f"{step['name']}: {seconds} seconds", STEP, fix)
        used = set(re.findall(r"\{\{\s*(\w[\w-]*)\s*\}\}", written(content)))
        for parameter in sorted(used - set(content.get("parameters", {}))):
            fix = "declare it, or write it otherwise"
            yield Finding(where, name, "step-parameter", "fails", f"{parameter} is not declared", STEP, fix)


RULES = (
    Rule("limits", "pattern", PATTERN, ("a pattern of 2,100 characters",)),
    Rule("limits", "targets", PATTERN, ("a rule with six targets",)),
    Rule("limits", "environment", ENVIRONMENT, ("a variable of 4,100 bytes",)),
    Rule("limits", "build-variable", BUILD_VARIABLE, ("a variable of a build of 4,100 characters",)),
    Rule("limits", "user-data", USER_DATA, ("user data of 16,400 bytes",)),
    Rule("limits", "role-policies", IAM, ("policies of 10,300 characters on one role",)),
    Rule("limits", "trust-policy", IAM, ("a trust policy of 150 actions",)),
    Rule("limits", "managed-policy", IAM, ("a managed policy of 450 actions",)),
    Rule("limits", "topic-policy", TOPIC, ("a topic policy of 2,100 actions",)),
    Rule("limits", "queue-policy", QUEUE, ("a queue policy of 600 actions",)),
    Rule("limits", "bucket-policy", BUCKET, ("a bucket policy of 1,400 actions",)),
    Rule("limits", "organization-policy", ORGANIZATION, ("a service control policy of 10,300 characters",)),
    Rule("limits", "organization-policy-name", NEW_POLICY, ("a name of 129 characters",)),
    Rule("limits", "organization-policy-description", NEW_POLICY, ("a description of 513 characters",)),
    Rule("limits", "key-policy", KEY, ("a key policy of 2,300 actions",)),
    Rule("limits", "document", DOCUMENT, ("a document of 66,000 bytes",)),
    Rule("limits", "step-timeout", STEP, ("a step of 4 seconds, and of 172,801",)),
    Rule("limits", "step-parameter", STEP, ("{{ Lock }} in a script, without such a parameter",)),
    Rule("limits", "resources", STACK, ("501 resources",)),
    Rule("limits", "security-group", GROUP, ("a security group that lets 61 ranges in", "60 of them, and one beside")),
    Rule("limits", "alarm-span", ALARM, ("an alarm over two days in minutes",)),
)
