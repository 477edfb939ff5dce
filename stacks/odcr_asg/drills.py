"""The post's tests as Systems Manager Automation documents: people start them, nothing else does."""

from collections.abc import Mapping
from typing import Any

import yaml
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.odcr_asg.group import ReservedGroup
from stacks.odcr_asg.reservations import ReservationPool
from stacks.odcr_asg.settings import DOCUMENTS, OdcrAsgSettings
from stacks.shared.auto_scaling import allow_on_group
from stacks.shared.filled import filled_document
from stacks.shared.grants import (
    allow_describing,
    allow_on_any_resource,
    allow_on_pattern,
    allow_volumes_under,
    shown_arn,
)
from stacks.shared.solution import SolutionStack

DRILL_TAG = "odcr-asg-drill"


class Drills(Construct):
    """Three documents, each with a role that may do what its steps do."""

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: OdcrAsgSettings,
        *,
        group: ReservedGroup,
        pool: ReservationPool,
        subnet_ids: list[str],
    ) -> None:
        super().__init__(scope, construct_id)
        zones = len(subnet_ids)
        beyond = min(zones * pool.count + zones, settings.max_instances)
        self._common: Mapping[str, Any] = {
            "GROUP_NAME": group.group.auto_scaling_group_name,
            "RESERVATION_IDS": [reservation.ref for reservation in pool.reservations],
            "HOLD": f"PT{settings.drill_minutes}M",
        }
        scale_out = self._drill(scope, "ScaleOut", "scale-out", {"DRILL_CAPACITY": beyond})
        allow_on_group(scope, scale_out, group.group, "autoscaling:SetDesiredCapacity")
        lose_zone = self._drill(
            scope,
            "LoseZone",
            "lose-zone",
            {"SUBNETS_TO_KEEP": ",".join(subnet_ids[:-1]), "ALL_SUBNETS": ",".join(subnet_ids)},
        )
        # Whoever starts the drill names the subnets to keep: some of the stack's, and nothing else is changed.
        allow_on_group(
            scope,
            lose_zone,
            group.group,
            "autoscaling:UpdateAutoScalingGroup",
            conditions={
                "ForAllValues:StringEquals": {"autoscaling:VPCZoneIdentifiers": subnet_ids},
                "Null": {"autoscaling:VPCZoneIdentifiers": "false"},
            },
        )
        for role in (scale_out, lose_zone):
            allow_describing(role, "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeCapacityReservations")
        outsider = self._drill(
            scope,
            "Outsider",
            "outsider",
            {
                "SUBNET_ID": subnet_ids[0],
                "TEMPLATE_ID": group.template.launch_template_id,
                "TEMPLATE_VERSION": group.template.latest_version_number,
                "STACK_NAME": scope.stack_name,
            },
        )
        self._let_launch(scope, outsider, group, subnet_ids[0], settings.instance_type)
        self._let_end_what_it_started(scope, outsider)

    def _drill(self, stack: SolutionStack, construct_id: str, name: str, values: Mapping[str, Any]) -> iam.Role:
        """A document and its role; the values replace the @PLACEHOLDERS@ of the file."""
        role = iam.Role(
            self,
            f"{construct_id}Role",
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup-iam.html
            assumed_by=iam.ServicePrincipal(
                "ssm.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": stack.account}}
            ),
            description=f"Drill {name} of odcr_asg",
        )
        content = yaml.safe_load((DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8"))
        document = ssm.CfnDocument(
            self,
            construct_id,
            content=filled_document(content, {**self._common, **values, "ROLE_ARN": role.role_arn}),
            document_type="Automation",
            document_format="JSON",
        )
        stack.output(
            f"{construct_id}Drill",
            f"aws ssm start-automation-execution --region {stack.region} --document-name {document.ref}",
            f"Starts the drill {name}, which puts everything back at its end",
        )
        return role

    def _let_launch(
        self, stack: SolutionStack, role: iam.Role, group: ReservedGroup, subnet_id: str, instance_type: str
    ) -> None:
        """From the group's launch template, of its type, into the drill's subnet and with the group's security group.

        EC2 judges a launch on everything that it uses or makes:
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-launch-templates.html
        """
        launch, place = "ec2:RunInstances", f"arn:{stack.partition}:ec2:{stack.region}"
        mine = f"{place}:{stack.account}"
        template = f"{mine}:launch-template/{group.template.launch_template_id}"
        conditions = {"ArnEquals": {"ec2:LaunchTemplate": template}}
        own = [template, f"{mine}:security-group/{group.security_group_id}"]
        role.add_to_policy(iam.PolicyStatement(actions=[launch], resources=own, conditions=conditions))
        made = "EC2 makes it with the instance; a condition names the launch template."
        named = "The launch template names it; ARNs of images have no account."
        found = stack.resolve(subnet_id)
        subnet = f"subnet/<{found['Ref']}>" if isinstance(found, dict) else f"subnet/{found}"
        shared = "The ARN of a subnet that is shared with this account has its owner's."
        for arn, shown, reason in (
            (f"{place}:*:subnet/{subnet_id}", shown_arn(stack, "ec2", subnet, account="*"), shared),
            (f"{place}::image/*", shown_arn(stack, "ec2", "image/*", account=""), named),
            (f"{mine}:network-interface/*", shown_arn(stack, "ec2", "network-interface/*"), made),
            (f"{mine}:volume/*", shown_arn(stack, "ec2", "volume/*"), made),
        ):
            allow_on_pattern(role, launch, arn=arn, shown=shown, reason=reason, conditions=conditions)
        allow_on_pattern(
            role,
            launch,
            arn=f"{mine}:instance/*",
            shown=shown_arn(stack, "ec2", "instance/*"),
            reason="The instance is to be made; conditions name its launch template and its type.",
            conditions={**conditions, "StringEquals": {"ec2:InstanceType": instance_type}},
        )
        group.role.grant_pass_role(role)
        if stack.encryption_key:  # EC2 encrypts the volume in the name of whoever starts the instance
            allow_volumes_under(role, stack.encryption_key)

    def _let_end_what_it_started(self, stack: SolutionStack, role: iam.Role) -> None:
        """What it ends was tagged by it at birth."""
        allow_describing(role, "ec2:DescribeCapacityReservations", "ec2:DescribeInstances")
        born = {"ec2:CreateAction": "RunInstances", f"aws:RequestTag/{DRILL_TAG}": stack.stack_name}
        its_own = {f"aws:ResourceTag/{DRILL_TAG}": stack.stack_name}
        for action, condition in (("ec2:CreateTags", born), ("ec2:TerminateInstances", its_own)):
            reason = "Instances come and go; a condition holds it to those that carry the drill's tag."
            allow_on_any_resource(role, action, conditions={"StringEquals": condition}, reason=reason)
