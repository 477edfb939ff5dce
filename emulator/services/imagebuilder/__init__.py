"""EC2 Image Builder."""

from emulator.core.service import IamRules, Service
from emulator.services.imagebuilder import model
from emulator.services.imagebuilder.types import TYPES

SERVICE = Service(
    "imagebuilder",
    operations=model.OPERATIONS,
    types=TYPES,
    controls={
        "image-build-fails": model.next_build_fails,
        "image-pipelines": model.scheduled,
        "managed-component": model.managed_component,
    },
    modelled=("versions, schedules, builds that take no time, distribution to AMIs, parameters and launch templates",),
    not_judged=("what components do, log groups, tests, scans, lifecycle policies",),
    targets={"imagebuilder": model.run_by_event},
    iam=IamRules(resource=model.judged_on, tags={"imagebuilder": model.tags}),
)
