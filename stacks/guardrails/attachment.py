"""Policies of a deployed stack, on and off their targets. Safe to repeat: what is done already is left alone."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stacks.guardrails.policies import Policy
from stacks.guardrails.settings import GuardrailSettings
from stacks.shared.command import CommandError

KIND = "SERVICE_CONTROL_POLICY"
PATIENCE = 6
"""Attempts where Organizations changes something else: https://github.com/hashicorp/terraform-provider-aws/issues/5073"""
LOOK_AFTER_SECONDS = 20
"""The accelerator's function that reverts attachments acts within seconds."""
sleep = time.sleep


@dataclass(frozen=True)
class Stage:
    """One target, with the ids of the policies that it lacks, by the policies' names."""

    target: str
    lacking: Mapping[str, str]


def deployed(cloudformation: Any, stack: str) -> dict[str, str]:
    """Ids of the stack's policies by logical id.

    Raises:
        CommandError: there is no such stack here.
    """
    try:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        found = [item for page in pages for item in page["StackResourceSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise CommandError(f"there is no stack {stack} here; deploy it first: npx cdk deploy -e {stack}") from None
    # One that was not created has no id, and one that is deleted is listed too.
    there = [
        item for item in found if item.get("PhysicalResourceId") and item.get("ResourceStatus") != "DELETE_COMPLETE"
    ]
    policies = [item for item in there if item["ResourceType"] == "AWS::Organizations::Policy"]
    return {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in policies}


def targets_of(organizations: Any, policy_id: str) -> set[str]:
    """Where a policy is attached."""
    pages = organizations.get_paginator("list_targets_for_policy").paginate(PolicyId=policy_id)
    return {item["TargetId"] for page in pages for item in page["Targets"]}


def policies_on(organizations: Any, target: str) -> dict[str, str]:
    """Names of all policies of a target by their ids."""
    pages = organizations.get_paginator("list_policies_for_target").paginate(TargetId=target, Filter=KIND)
    return {item["Id"]: item["Name"] for page in pages for item in page["Policies"]}


def stages(organizations: Any, settings: GuardrailSettings, ids: Mapping[str, str]) -> Iterator[Stage]:
    """The targets that lack a policy, in the order of the settings."""
    attached = {policy_id: targets_of(organizations, policy_id) for policy_id in ids.values()}
    for target in settings.targets:
        wanted = {policy.id: ids[policy.id] for policy in settings.policies if policy.is_for(target)}
        if lacking := {name: policy_id for name, policy_id in wanted.items() if target not in attached[policy_id]}:
            yield Stage(target, lacking)


def assert_current(organizations: Any, policies: Sequence[Policy], ids: Mapping[str, str], partition: str) -> None:
    """Makes sure that what is deployed is what the settings say.

    Raises:
        CommandError: it is not.
    """
    stale = [policy.id for policy in policies if policy.id not in ids]
    for policy in policies:
        if policy.id in ids:
            found = organizations.describe_policy(PolicyId=ids[policy.id])["Policy"]["Content"]
            if json.loads(found) != json.loads(policy.text(partition)):
                stale.append(policy.id)
    if stale or len(ids) > len(policies):
        differing = ", ".join(sorted({*stale, *(set(ids) - {policy.id for policy in policies})}))
        raise CommandError(f"what is deployed differs from the configuration ({differing}): deploy first")


def attach(organizations: Any, stage: Stage, most: int) -> None:
    """Attaches to one target what it lacks, if there is room for all of it.

    Raises:
        CommandError: there is no room; nothing was attached.
    """
    there = set(policies_on(organizations, stage.target))
    if len(there | set(stage.lacking.values())) > most:
        raise CommandError(
            f"{stage.target} has {len(there)} policies, {len(stage.lacking)} more are above scp_max_per_target {most}: "
            "nothing was attached"
        )
    for policy_id in stage.lacking.values():
        try:
            _patiently(organizations.attach_policy, policy_id, stage.target)
        except ClientError as error:
            if error.response["Error"]["Code"] != "DuplicatePolicyAttachmentException":
                raise


def reverted(organizations: Any, done: Sequence[Stage]) -> list[str]:
    """Looks a while after attaching, and returns what somebody has taken off again: success is the state afterwards."""
    sleep(LOOK_AFTER_SECONDS)
    found = []
    for stage in done:
        there = policies_on(organizations, stage.target)
        found += [f"{name} of {stage.target}" for name, policy_id in stage.lacking.items() if policy_id not in there]
    return found


def surplus(organizations: Any, settings: GuardrailSettings, ids: Mapping[str, str]) -> list[tuple[str, str]]:
    """Policies that are attached where the settings do not want them, as names and targets."""
    wanted = {
        (policy.id, target) for policy in settings.policies for target in settings.targets if policy.is_for(target)
    }
    there = [(name, target) for name, policy_id in ids.items() for target in targets_of(organizations, policy_id)]
    return sorted(set(there) - wanted)


def _patiently(call: Callable[..., Any], policy_id: str, target: str) -> None:
    for attempt in range(PATIENCE):
        try:
            call(PolicyId=policy_id, TargetId=target)
            return
        except ClientError as error:
            # botocore does not try it again.
            if error.response["Error"]["Code"] != "ConcurrentModificationException" or attempt == PATIENCE - 1:
                raise
            sleep(2**attempt)


def detach_everywhere(organizations: Any, ids: Mapping[str, str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Detaches every policy from every target, and goes on when one cannot be.

    Returns:
        What was detached, as names and targets; and what could not be, in words.
    """
    done, failed = [], []
    for name, policy_id in ids.items():
        for target in sorted(targets_of(organizations, policy_id)):
            try:
                _patiently(organizations.detach_policy, policy_id, target)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code != "PolicyNotAttachedException":
                    failed.append(f"{name} is still attached to {target}: {code}")
                    continue
            done.append((name, target))
    return done, failed
