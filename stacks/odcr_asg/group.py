"""The group whose instances run in the reservations."""

from pathlib import Path
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.odcr_asg.settings import OdcrAsgSettings
from stacks.shared.auto_scaling import acknowledge_group, rolling_update
from stacks.shared.launch_template import Al2023LaunchTemplate
from stacks.shared.network import Network
from stacks.shared.solution import SolutionStack

USER_DATA = Path(__file__).parent / "user_data"
Cfn = autoscaling.CfnAutoScalingGroup


class ReservedGroup(Construct):
    """Role, launch template of one instance type, and group.

    Attributes:
        role: of the instances; it has no right but what your application is given.
        template: the launch template.
        security_group_id: of the instances.
        group: the Auto Scaling group.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: OdcrAsgSettings,
        *,
        network: Network,
        subnet_ids: list[str],
        pool_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"), description="Instances of odcr_asg"
        )
        self.security_group_id = network.security_group.security_group_id
        self.template = Al2023LaunchTemplate(
            scope,
            "LaunchTemplate",
            architecture=settings.architecture,
            instance_type=settings.instance_type,
            role=self.role,
            security_group=network.security_group,
            user_data=ec2.UserData.custom((USER_DATA / "bootstrap.sh").read_text(encoding="utf-8")),
        )
        data = cast(ec2.CfnLaunchTemplate, self.template.node.default_child)
        if settings.tenancy != "default":
            data.add_property_override("LaunchTemplateData.Placement.Tenancy", settings.tenancy)
        self.group = autoscaling.AutoScalingGroup(
            scope,
            "Group",
            vpc=network.vpc,
            vpc_subnets=network.subnets,
            launch_template=self.template,
            min_capacity=settings.required_instances,
            max_capacity=settings.max_instances,  # no desired capacity: a redeployment would reset what you have set
            default_instance_warmup=Duration.seconds(settings.instance_warmup_seconds),
            group_metrics=[autoscaling.GroupMetrics.all()],
            # A new instance finds a reserved place before an old one leaves its own, where the group may grow by one.
            update_policy=rolling_update(
                settings.required_instances,
                settings.max_instances,
                pause_seconds=settings.instance_warmup_seconds,
            ),
        )
        # Routes, gateways and endpoints: an instance boots by them, and they go after it when the stack is destroyed.
        self.group.node.add_dependency(network, self.role)
        acknowledge_group(self.group, mixed=False)
        group = cast(Cfn, self.group.node.default_child)
        group.vpc_zone_identifier = subnet_ids  # in the order of the reservations
        self._prefer_reservations(settings, group, data, pool_arn)
        if settings.zonal_shift:
            group.availability_zone_impairment_policy = Cfn.AvailabilityZoneImpairmentPolicyProperty(
                zonal_shift_enabled=True, impaired_zone_health_check_behavior="ReplaceUnhealthy"
            )

    def _prefer_reservations(
        self, settings: OdcrAsgSettings, group: Cfn, data: ec2.CfnLaunchTemplate, pool_arn: str
    ) -> None:
        """Names the pool in one place. The group's specification would hide the launch template's.

        https://docs.aws.amazon.com/autoscaling/ec2/userguide/use-ec2-capacity-reservations.html
        """
        # The L2's enum lacks reservations-then-balanced.
        group.availability_zone_distribution = Cfn.AvailabilityZoneDistributionProperty(
            capacity_distribution_strategy=settings.zone_distribution
        )
        if settings.targeting == "group":
            group.capacity_reservation_specification = Cfn.CapacityReservationSpecificationProperty(
                capacity_reservation_preference="capacity-reservations-first",
                capacity_reservation_target=Cfn.CapacityReservationTargetProperty(
                    capacity_reservation_resource_group_arns=[pool_arn]
                ),
            )
        else:
            # Said, or a group that had the other targeting may keep its own; "default" follows the launch template.
            group.capacity_reservation_specification = Cfn.CapacityReservationSpecificationProperty(
                capacity_reservation_preference="default"
            )
            data.add_property_override(
                "LaunchTemplateData.CapacityReservationSpecification",
                {"CapacityReservationTarget": {"CapacityReservationResourceGroupArn": pool_arn}},
            )
