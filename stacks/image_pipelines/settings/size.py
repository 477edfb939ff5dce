"""How many bytes the template needs at most: its parts were measured, and how often each name stands in them."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stacks.image_pipelines.cascade import GOLD
from stacks.image_pipelines.settings.pipelines import Pipeline, WorkloadPipeline

MOST_BYTES = 1_000_000
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""
OF_THE_STACK, OF_A_REGION, OF_A_FILE, OF_A_FILE_IN_A_RECIPE = 42_000, 300, 1_100, 85
OF_AN_AMI, OF_A_CONTAINER, OF_A_PARENT, OF_A_SCHEDULE = 5_950, 6_350, 1_150, 350
OF_A_COPY, OF_AN_ACCOUNT = 380, 15


@dataclass(frozen=True)
class Sized:
    """A pipeline, by what its size depends on.

    Attributes:
        written: length of a base image and of a schedule's expression.
        components: the files.
    """

    name: str
    is_container: bool
    is_parent: bool
    is_scheduled: bool
    written: int
    components: Sequence[str]

    @classmethod
    def of(cls, pipeline: Pipeline, *, parents: Collection[str]) -> "Sized":
        """A pipeline of the settings."""
        workload = pipeline if isinstance(pipeline, WorkloadPipeline) else None
        name = workload.name if workload else GOLD
        image = workload.base_image or "" if workload else ""
        schedule = pipeline.schedule.expression if pipeline.schedule else ""
        return cls(
            name,
            is_container=workload is not None and workload.kind == "container",
            is_parent=name in parents,
            is_scheduled=bool(schedule),
            written=len(image) + len(schedule),
            components=pipeline.components,
        )


def template_bytes(
    pipelines: Iterable[Sized], documents: Mapping[str, str], *, stack: str, path: str, regions: int, accounts: int
) -> int:
    """An estimate from above.

    Args:
        documents: what is in each file.
        stack: its name.
        path: of the parameters.
        regions: that get each AMI, the stack's own included.
        accounts: that may launch it.
    """
    needed = OF_THE_STACK + regions * OF_A_REGION + (20 + 2 * regions) * len(path)
    for one in pipelines:
        needed += 37 * len(one.name) + 17 * len(stack) + one.written + OF_A_SCHEDULE * one.is_scheduled
        if one.is_container:
            needed += OF_A_CONTAINER + 2 * len(path)
        else:
            copy = OF_A_COPY + 3 * len(one.name) + len(stack) + len(path) + OF_AN_ACCOUNT * accounts
            needed += OF_AN_AMI + 5 * len(path) + regions * copy
        if one.is_parent:
            needed += OF_A_PARENT + 15 * len(one.name) + 2 * len(stack) + 2 * len(path)
        needed += sum(OF_A_FILE_IN_A_RECIPE + len(stack) + len(file) for file in one.components)
    for file, text in documents.items():
        needed += OF_A_FILE + 4 * (len(stack) + len(file)) + len(json.dumps(text))
    return needed
