"""Mode event: a function hears what happens to the instances and completes their hook; the instances have no rights."""

import json
from typing import Any, cast

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.custom_health_checks.checks import TagCheck
from stacks.custom_health_checks.group import CheckedGroup
from stacks.custom_health_checks.rights import let_look
from stacks.custom_health_checks.settings import SWEEP_SECONDS, CustomHealthChecksSettings
from stacks.custom_health_checks.user_data import LAUNCH_HOOK
from stacks.shared.auto_scaling import allow_on_own_groups
from stacks.shared.grants import allow_describing, allow_on_any_resource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack
from stacks.shared.table import Table
from stacks.shared.tag_events import instance_tag_changed

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
INTERFACE_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


class EventMode(Construct):
    """Launch event, tag events and a schedule -> Checker -> the group's hook.

    The group depends on the function and on the rules of the events, so that its first instances are heard too.

    Attributes:
        functions: Checker, and Prober where an HTTP endpoint is checked.
    """

    def __init__(
        self, scope: SolutionStack, construct_id: str, settings: CustomHealthChecksSettings, checked: CheckedGroup
    ) -> None:
        super().__init__(scope, construct_id)
        prober = self._prober(scope, settings, checked) if settings.checks_of("http") else None
        checker = self._checker(scope, settings, checked, prober)
        self.functions: list[lambda_.Function] = [checker, *([prober] if prober else [])]
        rules = [self._launch_rule(checked, checker)]
        rules += [self._tag_rule(check, checker) for check in settings.checks if check.kind == "tag"]
        checked.group.node.add_dependency(checker, *rules)
        events.Rule(
            self,
            "Sweep",
            description="Looks at every instance that waits: events may be lost, and other checks tell nobody",
            schedule=events.Schedule.rate(Duration.seconds(SWEEP_SECONDS)),
            targets=[
                targets.LambdaFunction(
                    checker,
                    event=events.RuleTargetInput.from_object({"group": checked.group.auto_scaling_group_name}),
                )
            ],
        )

    def _checker(
        self,
        stack: SolutionStack,
        settings: CustomHealthChecksSettings,
        checked: CheckedGroup,
        prober: lambda_.Function | None,
    ) -> PythonFunction:
        checks: list[dict[str, Any]] = [check.model_dump(exclude_none=True) for check in settings.checks]
        for check in checks:
            if check["kind"] == "http" and prober:
                check["prober"] = prober.function_name
        failures: Table | None = None
        if settings.unhealthy_after:  # failed looks in a row of instances in service; it forgets by itself
            failures = Table(stack, self, "Failures", key="instance_id", expires="expires", recovery=False)
        checker = PythonFunction(
            stack,
            "Checker",
            handler="checker",
            description="Lets instances into service when their checks have passed",
            environment={
                "GROUP_PREFIX": checked.name_prefix,
                "HOOK_NAME": LAUNCH_HOOK,
                "CHECKS": stack.to_json_string(checks) if prober else json.dumps(checks),
                "HEARTBEAT_SECONDS": str(settings.heartbeat_seconds),
                "LONGEST_WAIT_SECONDS": str(settings.longest_wait),
                "WARM_POOL": str(settings.warm_pool is not None).lower(),
                "UNHEALTHY_AFTER": str(settings.unhealthy_after or 0),
                "FAILURES_TABLE": failures.table_name if failures else "",
            },
            timeout_seconds=300,
        )
        describing = ["autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances"]
        if settings.warm_pool:
            describing.append("autoscaling:DescribeWarmPool")
        allow_describing(checker.own_role, *describing, "ec2:DescribeInstances")
        let_look(stack, checker.own_role, checked, settings)
        if failures:
            actions = ("DeleteItem", "GetItem", "Scan", "UpdateItem")
            failures.allow(checker.own_role, *(f"dynamodb:{action}" for action in actions))
            allow_on_own_groups(stack, checker.own_role, "autoscaling:SetInstanceHealth", only=checked.group)
        if prober:
            # Function.grant_invoke would allow every version and alias too.
            checker.add_to_role_policy(
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[prober.function_arn])
            )
        return checker

    def _prober(
        self, stack: SolutionStack, settings: CustomHealthChecksSettings, checked: CheckedGroup
    ) -> PythonFunction:
        """The only function inside the VPC. It calls no API, so the VPC needs no NAT gateway or endpoint for it."""
        prober = PythonFunction(
            stack,
            "Prober",
            handler="prober",
            description="Asks an HTTP endpoint on an instance",
            environment={},
            timeout_seconds=9,  # Checker waits for ten
        )
        allow_on_any_resource(
            prober.own_role, *INTERFACE_ACTIONS, reason="Lambda makes the network interfaces, whose ids nobody knows."
        )
        network = checked.network
        group = ec2.SecurityGroup(
            self, "Prober", vpc=network.vpc, description="Asks the instances", allow_all_outbound=False
        )
        for port in sorted({check.port for check in settings.checks if check.kind == "http"}):
            group.connections.allow_to(network.security_group, ec2.Port.tcp(port), "HTTP check")
        # Of an existing network nobody knows the zones at synthesis, so that its subnets cannot be selected.
        cast(lambda_.CfnFunction, prober.node.default_child).vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=network.subnet_ids, security_group_ids=[group.security_group_id]
        )
        return prober

    def _launch_rule(self, checked: CheckedGroup, checker: lambda_.IFunction) -> events.Rule:
        """An instance begins to wait: at its launch, on its way into the warm pool, and on its way out of it."""
        return events.Rule(
            self,
            "Launch",
            description="An instance of the group waits for its checks",
            event_pattern=events.EventPattern(
                source=["aws.autoscaling"],
                detail_type=["EC2 Instance-launch Lifecycle Action"],
                detail={
                    "AutoScalingGroupName": events.Match.prefix(checked.name_prefix),
                    "LifecycleHookName": [LAUNCH_HOOK],
                },
            ),
            targets=[targets.LambdaFunction(checker)],
        )

    def _tag_rule(self, check: TagCheck, checker: lambda_.IFunction) -> events.Rule:
        """A tag says that an instance has passed or failed."""
        values = [value for value in (check.success, check.failure) if value]
        return events.Rule(
            self,
            f"Tag{check.name}",
            description=f"The tag {check.key} of an instance says that it has passed or failed",
            event_pattern=instance_tag_changed(check.key, values=values),
            targets=[targets.LambdaFunction(checker)],
        )
