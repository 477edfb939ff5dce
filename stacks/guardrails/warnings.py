"""What synthesis and `check` have to say about settings that are legal, each sentence with an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks.guardrails.settings import GuardrailSettings


def transfer_warnings(settings: GuardrailSettings) -> Iterator[tuple[str, str]]:
    """On copies that are not denied, on who is exempt, and on attaching."""
    if settings.services_in_zone is not None:
        without = {action for statement in settings.groups()["Transfer"] for action in statement.actions}
        everywhere = settings.model_copy(update={"services_in_zone": None}).groups()["Transfer"]
        dropped = [action for statement in everywhere for action in statement.actions if action not in without]
        if dropped:
            yield "services", f"not denied, since services_in_zone lacks their services: {', '.join(dropped)}"
    if settings.bootstrap_roles == "all":
        yield (
            "bootstrap",
            "bootstrap_roles all: whoever may run cdk deploy is exempt from every statement; publishing is narrower",
        )
    if settings.targets and settings.attach_by == "command":
        yield (
            "detached",
            "attach_by command: the first deployment after one with attach_by deployment takes the policies off all "
            "targets; run attach after it",
        )


def subnet_warnings(settings: GuardrailSettings, sid: str) -> Iterator[tuple[str, str]]:
    """On the subnet statement."""
    if not settings.switched_on(sid):
        return
    if not (settings.subnets or settings.subnets_by_target or settings.subnet_condition in ("zone", "tag")):
        yield "subnets", f"{sid} is left out: no subnet is named, and without one it would deny every instance"
    elif settings.subnet_condition == "arn":
        yield (
            "interfaces",
            f"{sid}: AWS's list names no ec2:Subnet for CreateNetworkInterface. If EC2 does not tell it, "
            "interfaces are denied in every subnet; subnet_condition arn-and-id, zone or tag does not depend on it",
        )
    elif settings.subnet_condition == "tag":
        yield (
            "default",
            f"{sid} cannot see the tag of a default subnet that a launch does not name: delete default VPCs",
        )
