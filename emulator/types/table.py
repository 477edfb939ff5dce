"""All CloudFormation types that are ours, and what happens to a template that has one nobody handles."""

from emulator import seams
from emulator.types import (
    associations,
    capacity_reservations,
    image_builder,
    instance_connect,
    instance_parts,
    load_balancing,
    local_gateways,
    math_alarms,
    network,
    organizations,
    pipelines,
    scaling,
    warmpool,
)
from emulator.types.resource import ResourceType, recorded

TYPES: dict[str, ResourceType] = {
    **network.TYPES,
    **organizations.TYPES,
    **scaling.TYPES,
    **capacity_reservations.TYPES,
    **load_balancing.TYPES,
    **warmpool.TYPES,
    **instance_connect.TYPES,
    **local_gateways.TYPES,
    **pipelines.TYPES,
    **associations.TYPES,
    **image_builder.TYPES,
    **instance_parts.TYPES,
}

# Asked for, kept, deleted; no API shows them.
RECORDED: tuple[str, ...] = (
    "AWS::CloudTrail::Trail",
    "AWS::DLM::LifecyclePolicy",
    "AWS::FIS::ExperimentTemplate",
    "AWS::Logs::QueryDefinition",
)

HINT = (
    "The embedded AWS handles no such type: add it to emulator/types (a few calls to the service's API), "
    "or to RECORDED in emulator/types/table.py if nothing would show it"
)


def install() -> None:
    """Makes ministack's CloudFormation use them.

    ministack's own EC2 and Auto Scaling types go away: they would fill services that nobody asks any more.
    """
    for name in [name for name in seams.resource_handlers if name.startswith(("AWS::EC2::", "AWS::AutoScaling::"))]:
        del seams.resource_handlers[name]
    for name, resource_type in {**TYPES, **{name: recorded(name) for name in RECORDED}}.items():
        seams.resource_handlers[name] = resource_type.handler()
    math_alarms.install()
    seams.make_secrets_as_asked()
    seams.explain_unknown_types(HINT)
