"""A group that survives the loss of any one zone, because its capacity is reserved in the others.

Post: https://aws.amazon.com/blogs/compute/reserving-ec2-capacity-across-availability-zones-by-utilizing-on-demand-capacity-reservations-odcrs/
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from config.models import CommonSettings
from stacks.odcr_asg.drills import Drills
from stacks.odcr_asg.group import ReservedGroup
from stacks.odcr_asg.reservations import ReservationPool
from stacks.odcr_asg.settings import OdcrAsgSettings
from stacks.series import Solution
from stacks.shared.alarms import Alarms
from stacks.shared.grants import allow_describing
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.network import Network, Reach
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

REACH = {"isolated": Reach.ENDPOINTS, "public": Reach.PUBLIC, "nat": Reach.NAT}
HOURS_IDLE = 3


class OdcrAsgStack(SolutionStack):
    """Reservations in every zone -> pool -> group."""

    def __init__(self, scope: Construct, solution: Solution, common: CommonSettings, settings: OdcrAsgSettings) -> None:
        super().__init__(scope, solution, common)
        network = Network(
            self,
            "Network",
            reach=REACH[settings.network],
            zones=settings.zone_names or settings.zones,
            endpoints=(),  # those of S3 and DynamoDB come anyway, and are free
        )
        subnet_ids = network.subnet_ids
        subnets = network.subnets.subnets or ()
        names = self._zones_of(subnet_ids) if common.vpc else [subnet.availability_zone for subnet in subnets]
        zones = dict(zip(settings.places(common), names, strict=True))
        pool = ReservationPool(self, "Reservations", settings, zones=zones, count=settings.reserved_per_zone(common))
        group = ReservedGroup(self, "Instances", settings, network=network, subnet_ids=subnet_ids, pool_arn=pool.arn)
        self._alarms(pool, settings)
        if settings.drills:
            Drills(self, "Drills", settings, group=group, pool=pool, subnet_ids=subnet_ids)
        self._outputs(group, pool, subnet_ids)

    def _zones_of(self, subnet_ids: list[str]) -> list[str]:
        """Zones of an existing network, which only EC2 knows: found at deployment, one attribute for each subnet."""
        finder = PythonFunction(
            self,
            "SubnetZones",
            handler="subnet_zones",
            description="Tells CloudFormation the zones of subnets",
            environment={},
            timeout_seconds=120,
        )
        allow_describing(finder.own_role, "ec2:DescribeSubnets")
        found = LifecycleResource(
            self,
            "ZonesOfSubnets",
            kind="SubnetZones",
            function=finder,
            properties={"SubnetIds": subnet_ids},
            timeout=Duration.minutes(10),
        )
        return [found.get_att_string(f"Zone{number}") for number in range(1, len(subnet_ids) + 1)]

    def _alarms(self, pool: ReservationPool, settings: OdcrAsgSettings) -> None:
        alarms = Alarms(self, "Alarms")
        reserved = len(pool.reservations) * pool.count
        alarms.when_above(
            "ReservationsUsedUp",
            pool.used(Duration.minutes(5), cloudwatch.Stats.MINIMUM),
            reserved - 1,
            says=f"All {reserved} reservations are in use: the next instance runs on unreserved capacity",
        )
        alarms.when_below(
            "ReservationsIdle",
            pool.used(Duration.hours(1), cloudwatch.Stats.MAXIMUM),
            settings.required_instances,
            says=f"For {HOURS_IDLE} hours fewer than {settings.required_instances} reservations are in use, "
            "and all of them bill",
            minutes=HOURS_IDLE,
        )

    def _outputs(self, group: ReservedGroup, pool: ReservationPool, subnet_ids: list[str]) -> None:
        self.output(
            "AutoScalingGroupName", group.group.auto_scaling_group_name, "Auto Scaling group with reserved capacity"
        )
        self.output("SubnetForManuallyAddedInstance", subnet_ids[0], "For the post's test with an instance of your own")
        self.output(
            "SubnetsToKeepWhenDroppingASGAZ", ",".join(subnet_ids[:-1]), "For the post's test that drops a zone"
        )
        self.output("ReservationPoolArn", pool.arn, "Resource group of the reservations, for instances that name it")
