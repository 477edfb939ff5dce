"""Opts the account in to the zone before anything is made in it; a deletion does not opt out."""

from aws_cdk import Duration
from constructs import Construct

from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.shared.grants import allow_on_any_resource
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

TIMEOUT_SECONDS = 840  # opting in "takes approximately five minutes", says the post
POLL_SECONDS = 10


class ZoneOptIn(Construct):
    """Opts in, waits, and refuses a zone or types that are not there.

    Attributes:
        resource: what everything in the zone depends on.
        function: the function behind it.
    """

    def __init__(self, scope: SolutionStack, construct_id: str, settings: LocalZoneWordpressSettings) -> None:
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            scope,
            "OptIn",
            handler="opt_in",
            description="Opts the account in to a Local Zone; never out",
            environment={"POLL_SECONDS": str(POLL_SECONDS)},
            timeout_seconds=TIMEOUT_SECONDS,
        )
        reading = "Reading zones and offerings knows no resource."
        allow_on_any_resource(
            self.function.own_role,
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstanceTypeOfferings",
            *(("ec2:ModifyAvailabilityZoneGroup",) if settings.opt_in else ()),
            reason=f"{reading} Nor does opting in: the function names one group and can only opt in.",
        )
        self.resource = LifecycleResource(
            self,
            "Resource",
            kind="ZoneOptIn",
            function=self.function,
            timeout=Duration.seconds(TIMEOUT_SECONDS + 60),
            properties={"Zone": settings.zone, "OptIn": settings.opt_in, "InstanceTypes": settings.instance_types},
        )
