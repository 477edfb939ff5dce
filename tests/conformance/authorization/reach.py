"""What a role of ours may do to others: get more permissions, buy, or change what no tag or name of ours covers.

A solution lists what it does on purpose as ``REACHES`` in its ``conformance.py``: policy and action, and the reason.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from tests.conformance.authorization.harm import BUYS, ESCALATION_LIST, NEVER, ONLY_ON_OWN, PASS
from tests.conformance.authorization.reference import REFERENCE, access_level, expand, made_by, resource_patterns
from tests.conformance.authorization.rule import may_mean_the_same
from tests.conformance.deliveries.judge import Judge
from tests.conformance.findings import Finding
from tests.conformance.policies.evaluation import as_list
from tests.conformance.policies.references import places_of
from tests.conformance.templates import Json, Template
from tests.conformance.told import told

_TAGS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html"
_CHANGES = ("Write", "Permissions management", "Tagging")
_NARROWING = (
    "aws:sourcearn",
    "cloudwatch:namespace",
    "dynamodb:leadingkeys",
    "ec2:createaction",
    "ec2:instanceprofile",
    "ec2:launchtemplate",
    "ec2:parentsnapshot",
    "ec2:parentvolume",
    "ec2:sourceinstancearn",
    "ec2:subnet",
    "ec2:subnetid",
    "ec2:vpc",
    "events:source",
    "iam:awsservicename",
    "kms:grantisforawsresource",
    "kms:viaservice",
)
"""Condition keys that name what is called on, or for which purpose, besides all tags."""
_OF_AWS = re.compile(r"[:/]aws/([\w-]+/)?\*|^role/(service-role|aws-service-role)/([\w.-]+/)?\*")
"""Names that AWS's services give, whoever uses them: ``log-group:/aws/lambda/*``, and paths of roles
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)."""
_HASH = re.compile(r"(DefaultPolicy)?[0-9A-F]{8}$")
_PLACES = re.compile("[:/]")
_READ: Mapping[str, tuple[str, ...]] = {
    "ec2:CreateReplaceRootVolumeTask": ("image", "snapshot"),
    "ec2:RunInstances": ("image", "key-pair", "launch-template"),
}
"""Types that a call reads and leaves as they are; what the role of a launch may be, iam:PassRole says."""
_BY_AWS: Mapping[str, str] = dict.fromkeys(
    ("ssm:UpdateInstanceInformation", "ssm:UpdateInstanceAssociationStatus", "ssm:UpdateAssociationStatus"),
    "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html",
)
"""What the agent of an instance says of its instance, whose id nobody knows before: AWS's own policy has it on *."""


def reach(template: Template) -> Iterator[Finding]:
    """Every permission of a role by which it could escalate, buy, or change what is not the solution's."""
    here = Judge(template, places_of(template)[0])
    excused: Mapping[str, str] = told(template.slug, "REACHES", {})
    for source, finding in _found(here):
        if source not in excused:
            yield finding


def excuses(template: Template) -> set[str]:
    """What of a solution's ``REACHES`` this template does: the policy's logical id without its hash, and the action."""
    return {source for source, _ in _found(Judge(template, places_of(template)[0]))}


def _found(here: Judge) -> Iterator[tuple[str, Finding]]:
    for policy, statement in _statements(here):
        for action in _actions(statement):
            for finding in _judged(here, policy, statement, action):
                yield f"{_HASH.sub('', policy)} {action}", finding


def _statements(here: Judge) -> Iterator[tuple[str, Json]]:
    """What roles are allowed, with the resource that says so."""
    for logical_id, kind in here.types.items():
        properties = here.properties(logical_id)
        if kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            documents = [properties["PolicyDocument"]]
        elif kind == "AWS::IAM::Role":
            documents = [one["PolicyDocument"] for one in properties.get("Policies", [])]
        else:
            continue
        for document in documents:
            yield from ((logical_id, one) for one in as_list(document["Statement"]) if one["Effect"] == "Allow")


def _actions(statement: Json) -> Iterator[str]:
    """Every action of a statement; of a wildcard, those that there are."""
    if "NotAction" in statement:
        yield "*"
    for pattern in as_list(statement.get("Action")):
        yield from expand(str(pattern)) if pattern != "*" else ("*",)


def _judged(here: Judge, role: str, statement: Json, action: str) -> Iterator[Finding]:
    def finding(rule: str, reason: str, fix: str, page: str) -> Finding:
        return Finding(str(here.template), role, rule, "fails", reason, page, fix)

    everywhere = [one for one in _resources(statement) if not _covered(here, statement, action, one)]
    excuse = "or list it in REACHES of the solution's conformance.py with the reason"
    if action == "*":
        yield finding("escalation", "everything is allowed", "Name the actions", ESCALATION_LIST)
    elif action in NEVER:
        yield finding("escalation", f"{action} writes permissions", f"Take it away, {excuse}", NEVER[action])
    elif action == "iam:PassRole" and (wide := [one for one in _resources(statement) if not _named(action, one)]):
        reason = f"iam:PassRole on {wide[0]} gives the permissions of any role"
        yield finding("escalation", reason, f"Name the roles, {excuse}", PASS)
    elif action in ONLY_ON_OWN and everywhere:
        reason = f"{action} on {everywhere[0]} acts with permissions of others"
        yield finding("escalation", reason, f"Name what is the solution's, {excuse}", ONLY_ON_OWN[action])
    elif action in BUYS:
        yield finding("purchase", f"{action} buys", f"Take it away, {excuse}", BUYS[action])
    elif everywhere and action != "iam:PassRole" and any(level in access_level(action) for level in _CHANGES):
        reason = f"{action} on {everywhere[0]} changes what no tag or name of the solution covers"
        fix = f"Name the resources or a tag of theirs in a condition, {excuse}"
        yield finding("touch", reason, fix, _TAGS if statement.get("Condition") else REFERENCE)


def _resources(statement: Json) -> list[str]:
    return [str(one) for one in as_list(statement.get("Resource"))] or ["*"]


def _covered(here: Judge, statement: Json, action: str, resource: str) -> bool:
    """Whether a resource is ours by its name, by a condition, or because the call makes it; or IAM knows none."""
    return (
        not resource_patterns(action)
        or action in _BY_AWS
        or here.owner(resource) is not None
        or _narrowed(statement, action)
        or _named(action, resource)
        or _made(action, resource)
    )


def _narrowed(statement: Json, action: str) -> bool:
    """Whether a condition that must hold names a tag, or what is called on."""
    for operator, keys in statement.get("Condition", {}).items():
        bare = operator.rpartition(":")[2]
        if bare.endswith("IfExists") or "Not" in bare:
            continue
        for key, values in keys.items():
            name = key.lower()
            wanted = [str(one) for one in as_list(values)]
            if operator.startswith("ForAllValues"):
                # Of no tag at all it is true, so that it says something of calls that set tags alone.
                if name == "aws:tagkeys" and "Tagging" in access_level(action):
                    return True
            elif bare == "Null":
                if _of_a_tag(name, action) and wanted == ["false"]:
                    return True
            elif (_of_a_tag(name, action) or name in _NARROWING) and "*" not in wanted:
                return True
    return False


def _of_a_tag(name: str, action: str) -> bool:
    """Whether a condition key is of a tag of what is called on, or of what is made; a caller's tag says nothing of it.

    A tag that CreateTags is to set says nothing of what gets it, unless it is born in that call (ec2:CreateAction).
    """
    if "tag/" not in name or name.startswith("aws:principaltag/"):
        return False
    return not (name.startswith("aws:requesttag/") and action == "ec2:CreateTags")


@cache
def _named(action: str, resource: str) -> bool:
    """Whether an ARN names something beyond its type, by a text of its own at the beginning of one of its places."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or _OF_AWS.search(parts[5]):
        return False
    types = _types(action, resource)
    words = {word for _, arn in types for word in _PLACES.split(arn.split(":", 5)[5])}
    return bool(types) and any(
        place[:1] not in ("", "*", "?") and place not in words for place in _PLACES.split(parts[5])
    )


def _made(action: str, resource: str) -> bool:
    """Whether the call makes what the ARN means or only reads it, so that nothing of others changes."""
    types = _types(action, resource)
    return resource != "*" and all(made_by(action, kind) or kind in _READ.get(action, ()) for kind, _ in types)


def _types(action: str, resource: str) -> list[tuple[str, str]]:
    """Name and ARN of the types of an action that a resource can be of; none: its statement has it for others."""
    return [(kind, arn) for kind, arn, _ in resource_patterns(action) if may_mean_the_same(resource, arn)]
