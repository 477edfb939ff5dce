"""EC2 Image Builder."""

from emulator.core.service import IamRules, Service
from emulator.services.imagebuilder import builds, calls, resources
from emulator.services.imagebuilder.types import TYPES

SERVICE = Service(
    "imagebuilder",
    operations=calls.OPERATIONS,
    types=TYPES,
    controls={
        "image-build-fails": builds.next_build_fails,
        "image-pipelines": builds.scheduled,
        "managed-component": builds.managed_component,
    },
    modelled=("versions, schedules, builds that take no time, distribution to AMIs, parameters and launch templates",),
    not_judged=("what components do, log groups, tests, scans, lifecycle policies",),
    targets={"imagebuilder": calls.run_by_event},
    iam=IamRules(resource=calls.judged_on, tags={"imagebuilder": resources.tags}),
)
