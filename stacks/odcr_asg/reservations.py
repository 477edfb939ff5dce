"""The reserved capacity: one reservation in each zone, and the resource group that stands for them all."""

from collections.abc import Mapping

from aws_cdk import Duration, Names
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_resourcegroups as resourcegroups
from constructs import Construct

from stacks.odcr_asg.settings import OdcrAsgSettings

PLATFORM = "Linux/UNIX"  # of Amazon Linux, which every launch template here starts
# Capacity Reservations send "metric data to CloudWatch every five minutes":
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-cw-metrics.html
NAMESPACE = "AWS/EC2CapacityReservations"


class ReservationPool(Construct):
    """Targeted reservations: only instances that name the pool run in them.

    A pool is a resource group of two configurations, the one that lets instances target it and the one that keeps
    everything but reservations out (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-group.html).

    Args:
        zones: name of each zone by its place, in the order of the group's subnets.
        count: reservations of each zone.

    Attributes:
        reservations: one a zone, in the same order.
        arn: of the resource group.
    """

    def __init__(
        self, scope: Construct, construct_id: str, settings: OdcrAsgSettings, *, zones: Mapping[str, str], count: int
    ) -> None:
        super().__init__(scope, construct_id)
        self.count = count
        self.reservations = [
            ec2.CfnCapacityReservation(
                self,
                f"Zone{place}",
                availability_zone=zone,
                instance_type=settings.instance_type,
                instance_platform=PLATFORM,
                tenancy=settings.tenancy,
                instance_count=count,
                instance_match_criteria="targeted",
                end_date_type="limited" if settings.ends_at else "unlimited",
                end_date=settings.ends_at,
            )
            for place, zone in zones.items()
        ]
        pool = resourcegroups.CfnGroup(
            self,
            "Pool",
            # CloudFormation makes up no name for this type. It holds the stack's, and must not begin with "aws".
            name=f"reserved-{Names.unique_resource_name(self, max_length=100, separator='-')}",
            description="Capacity that is reserved for one Auto Scaling group",
            configuration=[
                resourcegroups.CfnGroup.ConfigurationItemProperty(type="AWS::EC2::CapacityReservationPool"),
                resourcegroups.CfnGroup.ConfigurationItemProperty(
                    type="AWS::ResourceGroups::Generic",
                    parameters=[
                        resourcegroups.CfnGroup.ConfigurationParameterProperty(
                            name="allowed-resource-types", values=["AWS::EC2::CapacityReservation"]
                        )
                    ],
                ),
            ],
            resources=[reservation.attr_capacity_reservation_arn for reservation in self.reservations],
        )
        self.arn = pool.attr_arn

    def used(self, period: Duration, statistic: str) -> cloudwatch.MathExpression:
        """Instances that run in the reservations of all zones together.

        A zone has as many as the group gives it, which AWS does not promise; their sum at rest is that of the required
        instances, however they are spread. A reservation without datapoints counts as 0, which it is where nobody uses
        it: "missing values in a time series are treated as 0"
        (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
        """
        metrics: dict[str, cloudwatch.IMetric] = {
            f"zone{number}": cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name="UsedInstanceCount",
                dimensions_map={"CapacityReservationId": reservation.ref},
                period=period,
                statistic=statistic,
            )
            for number, reservation in enumerate(self.reservations, 1)
        }
        return cloudwatch.MathExpression(
            expression=" + ".join(metrics), using_metrics=metrics, label="Used reservations", period=period
        )
