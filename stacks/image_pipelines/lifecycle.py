"""What becomes of old images."""

from collections.abc import Sequence
from typing import Any

from stacks.image_pipelines.settings import ImagePipelinesSettings


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
