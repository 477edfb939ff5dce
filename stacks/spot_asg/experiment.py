"""A fault injection experiment: really interrupts some Spot Instances of the group, to see that nobody notices."""

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_fis as fis
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.shared.grants import allow_describing, shown_arn
from stacks.shared.solution import SolutionStack
from stacks.spot_asg.dashboard import SpotMetrics
from stacks.spot_asg.settings import SpotAsgSettings

GROUP_TAG = "aws:autoscaling:groupName"  # which EC2 Auto Scaling alone can set
TARGET = "SpotInstances"


class Experiment(Construct):
    """The template; it does nothing until somebody starts it.

    FIS sends the recommendation and, with the shortest wait of two minutes, the interruption notice at once; that page
    names the permissions of its role too: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html.
    A group's instances are found by the group's tag as in a workshop of AWS:
    https://github.com/awslabs/ec2-spot-workshops/blob/master/content/launching_ec2_spot_instances/fis_experiment.md

    Attributes:
        template_id: what ``aws fis start-experiment`` takes.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: SpotAsgSettings,
        *,
        group: autoscaling.AutoScalingGroup,
        metrics: SpotMetrics,
    ) -> None:
        super().__init__(scope, construct_id)
        name = group.auto_scaling_group_name
        role = self._role(scope, name)
        stop = cloudwatch.Alarm(
            self,
            "TooFew",
            metric=metrics.missing,
            threshold=settings.experiment_instances,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description="Stops an experiment: more instances are missing than it interrupts. "
            f"See {scope.runbook('stop-condition')}",
        )
        template = fis.CfnExperimentTemplate(
            self,
            "Template",
            description=f"Interrupts {settings.experiment_instances} Spot Instance(s) of the group",
            role_arn=role.role_arn,
            targets={
                TARGET: fis.CfnExperimentTemplate.ExperimentTemplateTargetProperty(
                    resource_type="aws:ec2:spot-instance",
                    resource_tags={GROUP_TAG: name},
                    filters=[
                        fis.CfnExperimentTemplate.ExperimentTemplateTargetFilterProperty(
                            path="State.Name", values=["running"]
                        )
                    ],
                    selection_mode=f"COUNT({settings.experiment_instances})",
                )
            },
            actions={
                "interrupt": fis.CfnExperimentTemplate.ExperimentTemplateActionProperty(
                    action_id="aws:ec2:send-spot-instance-interruptions",
                    parameters={"durationBeforeInterruption": "PT2M"},
                    targets={TARGET: TARGET},
                )
            },
            stop_conditions=[
                fis.CfnExperimentTemplate.ExperimentTemplateStopConditionProperty(
                    source="aws:cloudwatch:alarm", value=stop.alarm_arn
                )
            ],
            tags={"Name": f"{scope.stack_name} Spot interruption"},
        )
        template.node.add_dependency(role)
        self.template_id = template.attr_id

    def _role(self, scope: SolutionStack, group_name: str) -> iam.Role:
        """May send interruptions to the group's instances, and to no other."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "fis.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": scope.account}}
            ),
            description="The experiment: interrupts Spot Instances of the group",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ec2:SendSpotInstanceInterruptions"],
                resources=[f"arn:{scope.partition}:ec2:{scope.region}:{scope.account}:instance/*"],
                conditions={"StringEquals": {f"aws:ResourceTag/{GROUP_TAG}": group_name}},
            )
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{shown_arn(scope, 'ec2', 'instance/*')}]",
                reason="Instances come and go; a condition holds it to those that carry the tag of this group.",
            )
        )
        allow_describing(role, "ec2:DescribeInstances")
        return role
