"""An organization with a guardrails stack deployed, in memory."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stacks.guardrails.settings import GuardrailSettings
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings

FIRST, SECOND = "ou-ab12-first567", "ou-ab12-second67"
SUBNET = "arn:aws:ec2:us-west-2:111122223333:subnet/subnet-0123456789abcdef0"
MANAGEMENT = "999988887777"
FULL_ACCESS = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


@dataclass(frozen=True)
class Client:
    """One service of an organization; that of the organization itself is in no Region, as boto3 says."""

    organization: "Organization"
    region: str

    @property
    def meta(self) -> Any:
        return type("Meta", (), {"region_name": self.region, "partition": "aws"})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.organization, name)


class Organization:
    """An organization with the solution's stack deployed: two units below the root, in memory."""

    def __init__(self, settings: GuardrailSettings, partition: str = "aws") -> None:
        self.policies = {f"p-{policy.id}": policy.text(partition) for policy in settings.policies}
        self.names = {f"p-{policy.id}": policy.name("local-zone-guardrails") for policy in settings.policies}
        self.of_the_stack = list(self.policies)
        self.tags: dict[str, list[dict[str, str]]] = {}
        self.attached: dict[str, list[str]] = {FIRST: ["p-FullAWSAccess"], SECOND: ["p-FullAWSAccess"], "r-ab12": []}
        self.parents = {FIRST: "r-ab12", SECOND: "r-ab12", MANAGEMENT: "r-ab12"}
        self.feature_set, self.types = "ALL", [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
        self.caller, self.stack_exists = MANAGEMENT, True
        self.refusing: set[str] = set()
        self.busy = 0
        self.events: list[Any] = []
        self.looked_up: list[dict[str, Any]] = []
        self.walked: list[str] = []
        self.zones = ["us-west-2-lax-1a"]
        self.opted_in = True

    def __call__(self, service: str, region: str | None = None, /) -> "Client":
        return Client(self, "aws-global" if service == "organizations" else "us-west-2")

    @property
    def meta(self) -> Any:
        return Client(self, "us-west-2").meta

    def get_paginator(self, operation: str) -> Any:
        return type("Paginator", (), {"paginate": lambda _, **asked: getattr(self, f"_{operation}")(**asked)})()

    def _list_stack_resources(self, StackName: str) -> Iterator[Any]:  # noqa: N803
        if not self.stack_exists:
            raise refused("ValidationError")
        kind = "AWS::Organizations::Policy"
        for policy_id in self.policies:
            if policy_id not in self.of_the_stack:
                continue
            item = {"ResourceType": kind, "LogicalResourceId": policy_id[2:], "PhysicalResourceId": policy_id}
            yield {"StackResourceSummaries": [item]}
        yield {"StackResourceSummaries": [{"ResourceType": "AWS::CDK::Metadata"}]}
        failed = {"ResourceType": kind, "LogicalResourceId": "Failed", "ResourceStatus": "CREATE_FAILED"}
        gone = {**failed, "PhysicalResourceId": "p-gone", "ResourceStatus": "DELETE_COMPLETE"}
        yield {"StackResourceSummaries": [failed, gone]}

    def _list_targets_for_policy(self, PolicyId: str) -> Iterator[Any]:  # noqa: N803
        for target, policies in self.attached.items():
            yield {"Targets": [{"TargetId": target}] if PolicyId in policies else []}

    def _list_policies_for_target(self, TargetId: str, Filter: str) -> Iterator[Any]:  # noqa: N803
        if TargetId not in self.attached:
            raise refused("TargetNotFoundException")
        for policy_id in self.attached[TargetId]:
            yield {"Policies": [{"Id": policy_id, "Name": self.names.get(policy_id, policy_id)}]}

    def _list_policies(self, Filter: str) -> Iterator[Any]:  # noqa: N803
        for policy_id in ["p-FullAWSAccess", *self.policies]:
            yield {"Policies": [{"Id": policy_id, "Name": self.names.get(policy_id, policy_id)}]}

    def _list_tags_for_resource(self, ResourceId: str) -> Iterator[Any]:  # noqa: N803
        if ResourceId == "p-FullAWSAccess":
            raise refused("TargetNotFoundException")
        yield {"Tags": self.tags.get(ResourceId, [])}

    def _list_children(self, ParentId: str, ChildType: str) -> Iterator[Any]:  # noqa: N803
        self.walked.append(f"{ChildType} of {ParentId}")
        kind = "ou-" if ChildType == "ORGANIZATIONAL_UNIT" else ""
        below = [child for child, parent in self.parents.items() if parent == ParentId]
        yield {"Children": [{"Id": child} for child in below if child.startswith("ou-") == bool(kind)]}

    def _lookup_events(self, **asked: Any) -> Iterator[Any]:
        self.looked_up.append(asked)
        for record in self.events:
            yield {"Events": [{"CloudTrailEvent": json.dumps(record)}]}

    def attach_policy(self, PolicyId: str, TargetId: str) -> None:  # noqa: N803
        if self.busy:
            self.busy -= 1
            raise refused("ConcurrentModificationException")
        if PolicyId in self.attached[TargetId]:
            raise refused("DuplicatePolicyAttachmentException")
        self.attached[TargetId].append(PolicyId)

    def detach_policy(self, PolicyId: str, TargetId: str) -> None:  # noqa: N803
        if TargetId in self.refusing:
            raise refused("ConcurrentModificationException")
        self.attached[TargetId].remove(PolicyId)

    def describe_policy(self, PolicyId: str) -> Any:  # noqa: N803
        return {"Policy": {"Content": self.policies.get(PolicyId, FULL_ACCESS)}}

    def describe_organization(self) -> Any:
        return {"Organization": {"Id": "o-1", "FeatureSet": self.feature_set, "MasterAccountId": MANAGEMENT}}

    def list_roots(self) -> Any:
        return {"Roots": [{"Id": "r-ab12", "PolicyTypes": self.types}]}

    def list_parents(self, ChildId: str) -> Any:  # noqa: N803
        return {"Parents": [{"Id": self.parents[ChildId]}]}

    def get_caller_identity(self) -> Any:
        return {"Account": self.caller, "Arn": f"arn:aws:sts::{self.caller}:assumed-role/admin/me"}

    def get_parameter(self, **_: Any) -> Any:
        return {"Parameter": {"Value": "30"}}

    def get_role(self, **_: Any) -> Any:
        return {"Role": {"Arn": f"arn:aws:iam::{self.caller}:role/admin"}}

    def simulate_principal_policy(self, **_: Any) -> Any:
        return {"EvaluationResults": [{"EvalDecision": "allowed"}]}

    def describe_availability_zones(self, **_: Any) -> Any:
        status = "opted-in" if self.opted_in else "not-opted-in"
        return {"AvailabilityZones": [{"ZoneName": zone, "OptInStatus": status} for zone in self.zones]}


def staged(**more: Any) -> LocalZoneGuardrailsSettings:
    return LocalZoneGuardrailsSettings.model_validate({"targets": (FIRST, SECOND), "attach_by": "command", **more})
