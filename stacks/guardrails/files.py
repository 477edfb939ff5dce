"""The policies as files for AWS Control Tower and the Landing Zone Accelerator on AWS.

- Customizations for AWS Control Tower: https://docs.aws.amazon.com/controltower/latest/userguide/cfct-overview.html
- The accelerator puts its partition for ${PARTITION} in policies:
  https://docs.aws.amazon.com/solutions/latest/landing-zone-accelerator-on-aws/
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from stacks.guardrails.settings import GuardrailSettings

ACCELERATOR_PARTITION = "${PARTITION}"


def files(
    stack: str,
    settings: GuardrailSettings,
    units: Sequence[str],
    partition: str,
    by_target: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """Text of each file by its path.

    Args:
        units: organizational units to attach to; both tools know units by name, and a nested one is ``Parent/Child``.
        by_target: the units of each target that has a policy of its own: a list of subnets on another's unit would
            leave no subnet there at all.
        partition: for Control Tower; the accelerator knows its own.
    """
    tower: list[dict[str, Any]] = []
    accelerator: list[dict[str, Any]] = []
    found: dict[str, str] = {}
    for policy in settings.policies:
        name = policy.name(stack)
        about = {"name": name, "description": policy.about}
        found[f"control-tower/policies/{name}.json"] = policy.text(partition)
        found[f"landing-zone-accelerator/service-control-policies/{name}.json"] = policy.text(ACCELERATOR_PARTITION)
        named = [*units, *(unit for listed in (by_target or {}).values() for unit in listed)]
        if policy.targets:
            named = [unit for target in policy.targets for unit in (by_target or {}).get(target, ())]
        # Parent:Child: https://docs.aws.amazon.com/controltower/latest/userguide/cfct-nested-ou.html
        attached = {"organizational_units": [unit.replace("/", ":") for unit in named]}
        rules = {"resource_file": f"policies/{name}.json", "deploy_method": "scp", "deployment_targets": attached}
        tower.append({**about, **rules})
        where = {"organizationalUnits": named}
        kind = {
            "policy": f"service-control-policies/{name}.json",
            "type": "customerManaged",
            "deploymentTargets": where,
        }
        accelerator.append({**about, **kind})
    found["control-tower/manifest-resources.yaml"] = _yaml("resources", tower, "manifest.yaml")
    found["landing-zone-accelerator/organization-config-policies.yaml"] = _yaml(
        "serviceControlPolicies", accelerator, "organization-config.yaml"
    )
    return found


def _yaml(key: str, items: list[dict[str, Any]], into: str) -> str:
    return f"# Append to {key} of your {into}.\n" + yaml.safe_dump({key: items}, sort_keys=False, width=120)
