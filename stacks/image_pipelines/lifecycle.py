"""What happens to old images."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Tags
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from constructs import Construct

from stacks.image_pipelines.rights import CREATED_BY
from stacks.image_pipelines.settings import ImagePipelinesSettings


def add_lifecycle(
    scope: Construct,
    settings: ImagePipelinesSettings,
    role: iam.IRole,
    *,
    name: str,
    repository: ecr.IRepository | None,
) -> None:
    """Adds a lifecycle policy where the settings have a rule for it.

    Args:
        name: of the recipe.
        repository: of a container's images; None: they are AMIs.
    """
    is_container = repository is not None
    details = list(lifecycle_rules(settings, is_container=is_container))
    if not details:
        return
    policy = imagebuilder.CfnLifecyclePolicy(
        scope,
        "Lifecycle",
        name=name,
        execution_role=role.role_arn,
        resource_type="CONTAINER_IMAGE" if is_container else "AMI_IMAGE",
        # Every version of the recipe, so that images of replaced ones grow old too.
        resource_selection={"recipes": [{"name": name, "semanticVersion": "x.x.x"}]},
        policy_details=details,
    )
    policy.node.add_dependency(role)
    if repository and settings.lifecycle.allow_deletion:
        Tags.of(repository).add("LifecycleExecutionAccess", CREATED_BY)


def lifecycle_rules(settings: ImagePipelinesSettings, *, is_container: bool) -> Sequence[Any]:
    """The rules of a lifecycle policy: one for each action, and for containers only that which deletes."""
    wanted, rules = settings.lifecycle, []
    key, value = wanted.keep_tag
    spared = {
        "amis": {
            "isPublic": False,
            "lastLaunched": {"unit": "DAYS", "value": wanted.spare_launched_days},
            "tagMap": {key: value},
        }
    }
    resources = {"amis": True}
    for action, days in (("DEPRECATE", wanted.deprecate_after_days), ("DISABLE", wanted.disable_after_days)):
        if days and not is_container:
            age = {"type": "AGE", "unit": "DAYS", "value": days}
            exclusions = {} if action == "DEPRECATE" else {"exclusionRules": spared}
            rules.append({"action": {"type": action, "includeResources": resources}, "filter": age, **exclusions})
    if wanted.delete_after_days and wanted.allow_deletion:
        age = {
            "type": "AGE",
            "unit": "DAYS",
            "value": wanted.delete_after_days,
            "retainAtLeast": wanted.retain_at_least,
        }
        included = {"containers": True} if is_container else {"amis": True, "snapshots": True}
        rule: dict[str, Any] = {"action": {"type": "DELETE", "includeResources": included}, "filter": age}
        rules.append(rule if is_container else {**rule, "exclusionRules": spared})
    return rules
