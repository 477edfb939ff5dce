"""The rule "authorization": every action, resource and condition key of our policies exists and fits together.

Looked at: policies of roles, of resources, trusts, managed policies, and the policies of AWS Organizations.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache

from tests.conformance.authorization.reference import (
    DEPENDENTS,
    GLOBAL_KEYS,
    REFERENCE,
    expand,
    knows_key,
    resource_patterns,
)
from tests.conformance.deliveries.judge import Judge
from tests.conformance.findings import Finding, Verdict
from tests.conformance.policies.evaluation import Call, as_list, judge, matches
from tests.conformance.policies.references import places_of
from tests.conformance.templates import Json, Template

_LAUNCH = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html"
_PASS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"


def authorization(template: Template) -> Iterator[Finding]:
    """Everything in a template's policies that IAM's reference does not know, or that a call would miss."""
    here = Judge(template, places_of(template)[0])
    policies = dict(_policies(here))
    for source, statements in policies.items():
        for statement in statements:
            yield from _statement(here, source, statement)
    for role, _ in here.of_type("AWS::IAM::Role"):
        own = [one for policy, its in policies.items() if _of_role(here, policy, role) for one in its]
        yield from _calls(here, role, [one for one in own if "Principal" not in one])


def _policies(here: Judge) -> Iterator[tuple[str, list[Json]]]:
    for logical_id, kind in here.types.items():
        properties = here.properties(logical_id)
        match kind:
            case "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::RolePolicy":
                documents = [properties["PolicyDocument"]]
            case "AWS::SNS::TopicPolicy" | "AWS::SQS::QueuePolicy" | "AWS::S3::BucketPolicy":
                documents = [properties["PolicyDocument"]]
            case "AWS::IAM::Role":
                documents = [one["PolicyDocument"] for one in properties.get("Policies", [])]
                documents.append(properties["AssumeRolePolicyDocument"])
            case "AWS::Logs::ResourcePolicy":
                documents = [json.loads(properties["PolicyDocument"])]
            case "AWS::Organizations::Policy":
                content = properties["Content"]
                documents = [json.loads(content) if isinstance(content, str) else content]
                if properties["Type"] not in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
                    continue
            case "AWS::KMS::Key":
                documents = [properties["KeyPolicy"]]
            case _:
                continue
        yield logical_id, [statement for one in documents for statement in as_list(one["Statement"])]


def _statement(here: Judge, source: str, statement: Json) -> Iterator[Finding]:
    name = f"{source}/{statement['Sid']}" if "Sid" in statement else source
    patterns = [str(one) for one in as_list(statement.get("Action", statement.get("NotAction")))]
    for pattern in patterns:
        if pattern != "*" and not expand(pattern):
            yield _finding(here, name, "action", f"there is no action {pattern}", "Take an action of the reference")
    actions = [action for pattern in patterns if pattern != "*" for action in expand(pattern)]
    if "Action" in statement:
        yield from _resources(here, name, statement, patterns)
    if statement["Effect"] == "Allow" and "ec2:RunInstances" in actions and "*" in as_list(statement.get("Resource")):
        reason = "a launch on any resource takes any image, subnet and security group, whatever a document says"
        yield _finding(here, name, "any launch", reason, "Name them, or patterns of what is made", _LAUNCH)
    yield from _keys(here, name, statement, actions)


def _resources(here: Judge, name: str, statement: Json, patterns: list[str]) -> Iterator[Finding]:
    """Each action has a resource that it can be called on, and each resource an action; also those of NotResource."""
    resources = [str(one) for one in as_list(statement.get("Resource", statement.get("NotResource")))]
    if not resources or "*" in resources:
        return
    reached: set[str] = set()
    for pattern in patterns:
        fits = False
        for action in expand(pattern):
            known = resource_patterns(action)
            here_fits = {one for one in resources if any(may_mean_the_same(one, arn) for _, arn, _ in known)}
            reached |= here_fits
            fits = fits or bool(here_fits)
        if expand(pattern) and not fits:
            known = resource_patterns(expand(pattern)[0])
            kinds = ", ".join(kind for kind, _, _ in known) or "none, so that it needs *"
            reason = f"{pattern} cannot be called on {resources[0]}: its resource types are {kinds}"
            yield _finding(here, name, "resource type", reason, "Name a resource of one of its types")
    if patterns == ["*"] or any(pattern.endswith(":*") for pattern in patterns):
        return
    for resource in resources:
        if resource not in reached and all(expand(pattern) for pattern in patterns):
            reason = f"no action of the statement can be called on {resource}"
            yield _finding(here, name, "resource type", reason, "Take the resource away, or name what was meant")


@lru_cache(maxsize=100_000)
def may_mean_the_same(one: str, other: str) -> bool:
    """Whether two patterns can mean the same ARN; a star stays in its part of it, but for one that is the end."""
    parts, others = one.split(":", 5), other.split(":", 5)
    if len(parts) < 6 or len(others) < 6:
        parts, others = [one], [other]
    return all(
        matches(a.replace("*", "«*»"), b.replace("*", "«*»")) is not False for a, b in zip(parts, others, strict=True)
    )


def _keys(here: Judge, name: str, statement: Json, actions: list[str]) -> Iterator[Finding]:
    # That a key is absent is true of every call that does not bring it, as long as some call of the statement does.
    conditions = statement.get("Condition", {})
    absent = {key for key, wanted in conditions.get("Null", {}).items() if wanted == "true"}
    absent = {key for key in absent if any(knows_key(action, key) for action in actions)}
    keys = {key for values in conditions.values() for key in values} - absent
    allow = statement.get("Effect") == "Allow"
    for key in sorted(keys):
        if not key.lower().startswith("aws:") and ":" not in key:
            yield _finding(
                here, name, "condition key", f"there is no condition key {key}", "Take a key of the reference"
            )
            continue
        missing = [action for action in actions if not knows_key(action, key)]
        if not missing or (not allow and len(missing) < len(actions)):
            # A deny may name more actions than have the key: the guardrails say of each what happens.
            continue
        verdict: Verdict = "fails" if len(missing) == len(actions) else "unsure"
        reason = f"{', '.join(missing)} brings no {key}, so that this may never allow anything"
        fix = "Take the action into a statement of its own, or another key"
        yield _finding(
            here, name, "condition key", reason, fix, GLOBAL_KEYS if key.startswith("aws:") else None, verdict
        )


def _calls(here: Judge, role: str, statements: list[Json]) -> Iterator[Finding]:
    """What a call needs besides the action itself: every required resource, dependent actions, the passed role."""
    allowed = {
        action
        for one in statements
        if one.get("Effect") == "Allow"
        for pattern in as_list(one.get("Action"))
        for action in expand(str(pattern))
    }
    for action in sorted(allowed):
        for kind, arn, required in resource_patterns(action):
            if required and not _may(here, role, action, arn, {}):
                reason = f"a call of {action} needs a {kind}, on which nothing allows it"
                yield _finding(here, role, "required resource", reason, f"Allow it on {arn}")
    for row in DEPENDENTS:
        if row.action not in allowed:
            continue
        resource = "*" if row.on == "*" else f"arn:{here.place.partition}:{row.on}"
        sent = {"ec2:createaction": (row.action.split(":")[1],)}
        if not _may(here, role, row.needs, resource, sent):
            reason = f"{row.action} needs {row.needs} ({row.when})"
            yield _finding(here, role, "dependent action", reason, f"Allow {row.needs} on {row.on}", row.source)
    for one in statements:
        if "iam:PassRole" in as_list(one.get("Action")) and one.get("Effect") == "Allow":
            yield from _passes(here, role, one)


def _of_role(here: Judge, policy: str, role: str) -> bool:
    if policy == role:
        return True
    if not here.types[policy].startswith("AWS::IAM::"):
        return False
    return here.name_of(role) in here.properties(policy).get("Roles", [])


def _may(here: Judge, role: str, action: str, resource: str, sent: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether some statement of the role, AWS's managed policies too, can allow this on such a resource."""
    call = Call(here.arn_of(role), action, resource, sent)
    for statement in here.statements(role):
        named = [str(one) for one in as_list(statement.get("Resource"))]
        if statement.get("Effect") != "Allow" or (named and not any(may_mean_the_same(one, resource) for one in named)):
            continue
        if judge([{**statement, "Resource": resource}], call, here.account, resource_policy=False)[0] is not False:
            return True
    return False


def _passes(here: Judge, role: str, statement: Json) -> Iterator[Finding]:
    """The passed roles exist here or are a pattern, and the service to which they are passed may take them."""
    services = [
        str(value).removesuffix(".cn")
        for keys in statement.get("Condition", {}).values()
        for key, values in keys.items()
        if key.lower() == "iam:passedtoservice"
        for value in as_list(values)
    ]
    for passed in as_list(statement.get("Resource")):
        if passed == "*" and not services:
            yield _finding(
                here, role, "PassRole", "any role may be passed to any service", "Name the role or the service"
            )
        owner = here.owner(passed)
        if owner and services and all(here.trusts(passed, service).verdict == "fails" for service in services):
            reason = f"{owner} is passed to {', '.join(services)}, which it does not trust"
            yield _finding(here, role, "PassRole", reason, "Let the role trust the service", _PASS)


def _finding(
    here: Judge, source: str, rule: str, reason: str, fix: str, page: str | None = None, verdict: Verdict = "fails"
) -> Finding:
    return Finding(str(here.template), source, rule, verdict, reason, page or REFERENCE, fix)
