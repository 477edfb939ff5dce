"""AWS CodeBuild."""

from emulator.core.service import IamRules, Service
from emulator.services.codebuild import authorization, model
from emulator.services.codebuild.types import TYPES

SERVICE = Service(
    "codebuild",
    operations=model.OPERATIONS,
    types=TYPES,
    controls={"build-phase": model.begin_phase, "build-ends": model.end_build},
    modelled=("builds that are started, stay in progress until a scenario has run their buildspec, and send events",),
    not_judged=("images, runtimes, sources and their authorization, caches, fleets, report groups",),
    iam=IamRules(resource=authorization.judged_on, keys=authorization.keys_of, needs=authorization.needs),
)
