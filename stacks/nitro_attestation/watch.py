"""The scheduled look at every Region, and its alarms: the control for what no policy of Organizations can see."""

from aws_cdk import Duration, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets

from stacks.nitro_attestation.guardrail import LOOKED_AT
from stacks.nitro_attestation.settings import NitroAttestationSettings
from stacks.shared.alarms import Alarms
from stacks.shared.grants import allow_metrics, allow_on_any_resource, allow_on_pattern
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

TIMEOUT_SECONDS = 600
BUDGET_SECONDS = 480
LOOKS_BEFORE_SILENCE = 2


def scheduled_look(stack: SolutionStack, settings: NitroAttestationSettings, alarms: Alarms) -> PythonFunction:
    """The function, its schedule and the alarms on what it finds."""
    function = PythonFunction(
        stack,
        "Look",
        handler="look",
        description="Looks at the hypervisors of the instances in every Region and publishes counts",
        environment={
            "ACCOUNT": stack.account,
            "BUDGET_SECONDS": str(BUDGET_SECONDS),
            "METRIC_NAMESPACE": settings.metric_namespace,
            "REGIONS": ",".join(settings.regions),
            "STACK": stack.stack_name,
        },
        timeout_seconds=TIMEOUT_SECONDS,
        memory_mib=512,
    )
    asks = () if settings.regions else ("ec2:DescribeRegions",)  # to list those that the account has enabled
    allow_on_any_resource(
        function.own_role, *LOOKED_AT, *asks, reason="It reads every Region, with calls that have no resource in IAM."
    )
    partition = "<AWS::Partition>" if Token.is_unresolved(stack.partition) else stack.partition
    trails = stack.format_arn(service="cloudtrail", region="*", account="*", resource="trail", resource_name="*")
    allow_on_pattern(
        function.own_role,
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetTrailStatus",
        arn=trails,
        shown=f"arn:{partition}:cloudtrail:*:*:trail/*",
        reason="It must find out which trail logs the events; an organization's trail is in another account.",
    )
    allow_metrics(function.own_role, settings.metric_namespace)
    # Every look counts from scratch, so a failed one need not be repeated.
    function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.hours(1))
    hours = Duration.hours(settings.look_every_hours)
    rule = events.Rule(stack, "Looks", schedule=events.Schedule.rate(hours), targets=[targets.LambdaFunction(function)])
    rule.node.add_dependency(function.own_role)

    def own(name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=settings.metric_namespace,
            metric_name=name,
            dimensions_map={"Stack": stack.stack_name},
            statistic=cloudwatch.Stats.MAXIMUM,
            period=hours,
        )

    alarms.when_above("XenInstances", own("XenInstances"), 0, says="Instances run on Xen, or would if started")
    alarms.when_above("UnknownTypes", own("UnknownTypes"), 0, says="The hypervisor of some instances is unknown")
    alarms.when_above("RegionsNotSeen", own("RegionsNotSeen"), 0, says="Some Regions could not be read")
    if settings.keys:  # EventBridge gets their changes from a trail
        alarms.when_above("TrailMissing", own("TrailMissing"), 0, says="No trail logs the changes of attested keys")
    alarms.when_silent(
        "NoLook", own("Looks"), rounds=LOOKS_BEFORE_SILENCE, says="The scheduled look has not run for two periods"
    )
    errors = function.metric_errors(period=Duration.minutes(5), statistic=cloudwatch.Stats.SUM)
    alarms.when_above("LookErrors", errors, 0, says="The look failed")
    return function
