"""What a delivery may do in one template: the receiver's policy, the sender's role and its trust, and the key."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.conformance.findings import Verdict
from tests.conformance.policies.evaluation import Call, Tri, all_of, allows, as_list, judge
from tests.conformance.policies.references import Resolved
from tests.conformance.templates import Json

_ORDER: tuple[Verdict, ...] = ("ok", "outside", "unsure", "fails")
FOR_KEYS_OF_MESSAGES = ("kms:GenerateDataKey*", "kms:Decrypt")
AUTO_SCALING_ROLE = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
IMAGE_BUILDER_ROLE = "role/aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder"


@dataclass(frozen=True, order=True)
class Need:
    """What something outside the template must allow.

    Attributes:
        of: "key" or "topic".
        principal: a service, or a service-linked role from ``role/`` on.
    """

    of: str
    principal: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A verdict on one permission, or on several together."""

    verdict: Verdict
    reason: str = ""
    needs: tuple[Need, ...] = ()

    def __and__(self, other: "Outcome") -> "Outcome":
        worse = max(self, other, key=lambda one: _ORDER.index(one.verdict))
        return Outcome(worse.verdict, worse.reason, (*self.needs, *other.needs))


OK = Outcome("ok")


def fails(reason: str) -> Outcome:
    return Outcome("fails", reason)


def unsure(reason: str) -> Outcome:
    return Outcome("unsure", reason)


def outcome(allowed: Tri, reason: str) -> Outcome:
    return OK if allowed else Outcome("unsure" if allowed is None else "fails", reason)


@dataclass(frozen=True)
class Delivery:
    """One thing that one service does to another.

    Attributes:
        kind: a name of ``deliveries.KINDS``.
        source: logical id of what sends, with a place in it: ``Machine/State``.
    """

    kind: str
    source: str
    target: str
    outcome: Outcome


def together(outcomes: Iterable[Outcome]) -> Outcome:
    total = OK
    for one in outcomes:
        total &= one
    return total


class Judge(Resolved):
    """A resolved template that answers who may do what."""

    def service(
        self,
        principal: str,
        action: str,
        target: str,
        *,
        source_arn: str | None,
        extra: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Outcome:
        """Whether a service may act on a resource, by the policy of that resource.

        Args:
            target: ARN; of a bucket's object too.
            source_arn: what the service sends as aws:SourceArn; None if it sends neither that nor aws:SourceAccount.
        """
        owner = self._policy_owner(target)
        if owner is None:
            return Outcome("outside", f"{target} is not in the template")
        statements = self.resource_policies.get(owner)
        if statements is None:
            # https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html: the default policy of a topic
            if self.types[owner] == "AWS::SNS::Topic":
                return OK
            return fails(f"{owner} has no policy that lets {principal} {action}")
        sent = {"aws:securetransport": ("true",), "aws:principalisawsservice": ("true",), **(extra or {})}
        sent["aws:principalservicename"] = (principal,)
        absent = frozenset(("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:principalarn"))
        if source_arn is not None:
            sent |= {"aws:sourcearn": (source_arn,), "aws:sourceaccount": (self.account,)}
        call = Call(principal, action, target, sent, absent - set(sent))
        allowed = allows((), statements, call, self.account)
        return outcome(allowed, f"the policy of {owner} does not let {principal} {action} on it")

    def role(
        self,
        role_arn: object,
        actions: Iterable[str],
        resource: str,
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Outcome:
        """Whether a role may do all these actions, by its own policies or the resource's; tags may be as they must."""
        role = self.owner(role_arn)
        if role is None or self.types[role] != "AWS::IAM::Role":
            return Outcome("outside", f"the role {role_arn} is not in the template")
        owner = self._policy_owner(resource)
        theirs = self.resource_policies.get(owner, []) if owner else []
        sent = {"aws:securetransport": ("true",), "aws:principalarn": (self.arn_of(role),), **(context or {})}
        absent = frozenset(("aws:sourcearn", "aws:sourceaccount")) - set(sent)
        for action in actions:
            call = Call(self.arn_of(role), action, resource, sent, absent)
            if allows(self.statements(role), theirs, call, self.account) is False:
                return fails(f"{role} has no permission for {action} on {resource}")
        return OK

    def trusts(self, role_arn: object, service: str, source_arn: str | None = None) -> Outcome:
        """Whether a service may take a role, with the aws:SourceArn that it sends."""
        role = self.owner(role_arn)
        if role is None or self.types[role] != "AWS::IAM::Role":
            return Outcome("outside", f"the role {role_arn} is not in the template")
        sent = {"aws:securetransport": ("true",)}
        if source_arn is not None:
            sent |= {"aws:sourcearn": (source_arn,), "aws:sourceaccount": (self.account,)}
        absent = frozenset(("aws:sourcearn", "aws:sourceaccount", "sts:externalid")) - set(sent)
        call = Call(service, "sts:AssumeRole", self.arn_of(role), sent, absent)
        statements = as_list(self.properties(role)["AssumeRolePolicyDocument"]["Statement"])
        return outcome(allows((), statements, call, self.account), f"{role} does not trust {service}")

    def key_for_service(
        self, owner: str | None, principal: str, actions: tuple[str, ...] = FOR_KEYS_OF_MESSAGES
    ) -> Outcome:
        """Whether a service, or a service-linked role, may use the key of a resource of the template."""
        key = self.key_of(owner) if owner else None
        return OK if key is None else self.key(key, principal, actions)

    def key(self, key: str, principal: str, actions: tuple[str, ...]) -> Outcome:
        """Whether a service, or a service-linked role from ``role/`` on, may use a key."""
        if "alias/aws/" in key:
            if principal.startswith("role/"):
                return OK
            return fails(f"{key} is AWS's own key, which {principal} cannot use")
        ours = self.owner(key) or self.named(key, "AWS::KMS::Key")
        if ours is None:
            return Outcome("outside", f"the policy of {key} decides", (Need("key", principal, actions),))
        caller = self.arn(f"iam::{{a}}:{principal}") if principal.startswith("role/") else principal
        statements = self.resource_policies.get(ours, [])
        absent = frozenset(("aws:sourcearn", "aws:sourceaccount"))
        calls = (Call(caller, action.replace("*", ""), self.arn_of(ours), {}, absent) for action in actions)
        allowed = all_of(allows((), statements, call, self.account) for call in calls)
        return outcome(allowed, f"the policy of the key {ours} does not let {principal} use it")

    def denies(self, target: str, caller: str, action: str) -> bool:
        """Whether the policy of a resource denies a role of the account what it may do by its own."""
        statements = self.resource_policies.get(self._policy_owner(target) or "", [])
        sent = {"aws:securetransport": ("true",), "aws:principalarn": (caller,)}
        return judge(statements, Call(caller, action, target, sent), self.account, resource_policy=True)[1] is True

    def key_for_role(self, owner: str | None, role_arn: object, actions: Iterable[str]) -> Outcome:
        """Whether a role may use the key of a resource; AWS's own keys let every role of the account through."""
        key = self.key_of(owner) if owner else None
        if key is None or key.startswith("alias/aws/"):
            return OK
        return self.role(role_arn, actions, key)

    def key_of(self, owner: str) -> str | None:
        """The KMS key of a resource as it stands in the template; None if it has none of its own."""
        properties = self.properties(owner)
        kind = self.types[owner]
        if kind == "AWS::S3::Bucket":
            rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
            found = [rule.get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules]
            return next(filter(None, found), None)
        if kind == "AWS::DynamoDB::GlobalTable":
            found = [one.get("SSESpecification", {}).get("KMSMasterKeyId") for one in properties.get("Replicas", [])]
            return next(filter(None, found), None)
        if kind == "AWS::DynamoDB::Table":
            found = [properties.get("SSESpecification", {}).get("KMSMasterKeyId")]
            return next(filter(None, found), None)
        return next(
            (properties[name] for name in ("KmsMasterKeyId", "KmsKeyId", "KmsKeyArn") if name in properties), None
        )

    def statements(self, role: str) -> list[Json]:
        """Every statement of a role's own policies."""
        return self._role_statements.get(role, [])

    @cached_property
    def _role_statements(self) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = {role: [] for role, _ in self.of_type("AWS::IAM::Role")}
        names = {self.name_of(role): role for role in found}
        for role in found:
            properties = self.properties(role)
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            for arn in properties.get("ManagedPolicyArns", []):
                documents.append(self._managed_policy(arn))
            found[role] += _statements(documents)
        for _, properties in self.of_type("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            for name in properties.get("Roles", as_list(properties.get("RoleName"))):
                if name in names:
                    found[names[name]] += _statements([properties["PolicyDocument"]])
        return found

    def _managed_policy(self, arn: str) -> Json:
        if own := self.owner(arn):
            document: Json = self.properties(own)["PolicyDocument"]
            return document
        from tests.conformance.policies.managed import document_of  # large, and few templates have such a policy

        return document_of(arn)

    @cached_property
    def resource_policies(self) -> dict[str, list[Json]]:
        """Statements of the policies of topics, queues, buckets, functions, log groups, keys, by logical id."""
        found: dict[str, list[Json]] = {}
        for owner, document in self._attached():
            found.setdefault(owner, []).extend(_statements([document]))
        return found

    def _attached(self) -> Iterator[tuple[str, Json]]:
        for _, properties in self.of_type("AWS::SNS::TopicPolicy"):
            yield from (
                (owner, properties["PolicyDocument"]) for arn in properties["Topics"] if (owner := self.owner(arn))
            )
        for _, properties in self.of_type("AWS::SQS::QueuePolicy"):
            for url in properties["Queues"]:
                if owner := self.named(url, "AWS::SQS::Queue"):
                    yield owner, properties["PolicyDocument"]
        for _, properties in self.of_type("AWS::S3::BucketPolicy"):
            if owner := self.named(properties["Bucket"], "AWS::S3::Bucket"):
                yield owner, properties["PolicyDocument"]
        for _, properties in self.of_type("AWS::Events::EventBusPolicy"):
            if owner := self.named(properties.get("EventBusName", ""), "AWS::Events::EventBus"):
                yield owner, {"Statement": properties.get("Statement", [])}
        for owner, properties in self.of_type("AWS::KMS::Key"):
            yield owner, properties["KeyPolicy"]
        for _, properties in self.of_type("AWS::Lambda::Permission"):
            name = properties["FunctionName"]
            if owner := self.owner(name) or self.named(name, "AWS::Lambda::Function"):
                yield owner, {"Statement": [_permission(properties, self.arn_of(owner))]}
        # Of CloudWatch Logs the policies belong to the account: each may name any group.
        for _, properties in self.of_type("AWS::Logs::ResourcePolicy"):
            document = json.loads(properties["PolicyDocument"])
            for owner, _ in self.of_type("AWS::Logs::LogGroup"):
                yield owner, document

    def _policy_owner(self, target: str) -> str | None:
        if ":s3:::" in target:
            return self.owner(target.split("/")[0])
        if ":log-group:" in target:
            return self.owner(target.split(":log-stream:")[0].removesuffix(":*"))
        return self.owner(target)


def _statements(documents: Iterable[Json]) -> list[Json]:
    return [statement for document in documents for statement in as_list(document.get("Statement"))]


def _permission(properties: Json, arn: str) -> Json:
    """A permission of Lambda as the statement that AddPermission writes."""
    principal = properties["Principal"]
    condition: Json = {}
    if "SourceArn" in properties:
        condition["ArnLike"] = {"AWS:SourceArn": properties["SourceArn"]}
    if "SourceAccount" in properties:
        condition["StringEquals"] = {"AWS:SourceAccount": properties["SourceAccount"]}
    named: Any = {"Service" if "." in principal else "AWS": principal}
    if principal == "*":
        named = "*"
    return {
        "Effect": "Allow",
        "Principal": named,
        "Action": properties["Action"],
        "Resource": arn,
        "Condition": condition,
    }
