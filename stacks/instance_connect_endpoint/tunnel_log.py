"""Who connects: CloudTrail's OpenTunnel events in a log, a saved query on it, and a message on unexpected principals.

OpenTunnel is a management event, which CloudTrail hands to EventBridge wherever a trail logs, an organization's too:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/log-ec2-instance-connect-endpoint-using-cloudtrail.html
"""

from typing import Any

from aws_cdk import ArnFormat, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared.alarms import Alarms
from stacks.shared.solution import SolutionStack

PARAMETERS = "detail.requestParameters"
FIELDS = (
    "detail.eventTime",
    "detail.userIdentity.arn",
    "detail.sourceIPAddress",
    f"{PARAMETERS}.privateIpAddress",
    f"{PARAMETERS}.remotePort",
    f"{PARAMETERS}.instanceConnectEndpointId",
    "detail.errorCode",
)
QUERY = f"""fields {", ".join(FIELDS)}
| filter detail.eventName = "OpenTunnel"
| sort @timestamp desc
| limit 200"""


class TunnelLog(Construct):
    """Every attempt at a tunnel in a log group; a message to the alarm topic for each by an unexpected principal.

    Args:
        endpoint_id: None while the endpoint is taken out.

    Attributes:
        query_name: the saved query of CloudWatch Logs Insights.
        log_group: where the events are.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: InstanceConnectEndpointSettings,
        *,
        endpoint_id: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        alarms = Alarms(scope, "Alarms")
        # Some of AWS's pages ask for this beginning where EventBridge writes:
        # https://repost.aws/knowledge-center/cloudwatch-log-group-eventbridge
        self.log_group = scope.log_group(self, "Tunnels", below="/aws/events/", name="tunnels")
        every = self._log_every(endpoint_id)
        strangers = self._tell_of_strangers(settings, endpoint_id, alarms)
        self._alarm_when_undelivered(alarms, "NotLogged", every.ref, "An attempt at a tunnel was not logged")
        self._alarm_when_undelivered(
            alarms, "NotTold", strangers.rule_name, "A tunnel of an unexpected principal was not reported"
        )
        query = logs.CfnQueryDefinition(
            self,
            "WhoConnected",
            name=f"{scope.stack_name}/who-connected",
            query_string=QUERY,
            log_group_names=[self.log_group.log_group_name],
        )
        self.query_name = query.name

    def _log_every(self, endpoint_id: str | None) -> events.CfnRule:
        # The target of the CDK's library makes its resource policy with a Node function.
        arn = self._stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=self.log_group.log_group_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        policy = logs.ResourcePolicy(
            self,
            "EventsMayWrite",
            policy_statements=[
                iam.PolicyStatement(
                    principals=[
                        iam.ServicePrincipal("events.amazonaws.com"),
                        iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                    ],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[self.log_group.log_group_arn],
                )
            ],
        )
        rule = events.CfnRule(
            self,
            "Every",
            description="Logs every attempt at a tunnel",
            event_pattern=pattern(endpoint_id),
            targets=[events.CfnRule.TargetProperty(id="Log", arn=arn)],
        )
        rule.node.add_dependency(policy)
        return rule

    def _tell_of_strangers(
        self, settings: InstanceConnectEndpointSettings, endpoint_id: str | None, alarms: Alarms
    ) -> events.Rule:
        account = self._stack.account
        expected = [f"arn:*:{account}:{principal}" for principal in settings.expected_principals]
        found = pattern(endpoint_id, expected)
        rule = events.Rule(
            self,
            "Strangers",
            description="Reports tunnels that unexpected principals open",
            event_pattern=events.EventPattern(detail_type=found["detail-type"], detail=found["detail"]),
        )
        at = events.EventField.from_path
        sentence = (
            f"{at('$.detail.userIdentity.arn')} opened a tunnel from {at('$.detail.sourceIPAddress')} to "
            f"{at('$.detail.requestParameters.privateIpAddress')} port {at('$.detail.requestParameters.remotePort')} "
            f"through {at('$.detail.requestParameters.instanceConnectEndpointId')} at {at('$.detail.eventTime')} "
            f"(error: {at('$.detail.errorCode')})"
        )
        alarms.hear(rule, sentence, about="Strangers")
        return rule

    def _alarm_when_undelivered(self, alarms: Alarms, name: str, rule_name: str, says: str) -> None:
        failed = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="FailedInvocations",
            dimensions_map={"RuleName": rule_name},
            statistic=cloudwatch.Stats.SUM,
            period=Duration.minutes(5),
        )
        alarms.when_above(name, failed, 0, says=says)


def pattern(endpoint_id: str | None, expected: list[str] | None = None) -> dict[str, Any]:
    """The EventBridge pattern of an OpenTunnel call.

    A call that was denied early may lack its parameters, so that its endpoint is unknown: it counts. So does a caller
    without an ARN, whom anything-but does not match.

    Args:
        endpoint_id: only calls that name this endpoint, or none.
        expected: not those of these principals; ARNs with * as wildcard.
    """
    detail: dict[str, Any] = {"eventSource": ["ec2-instance-connect.amazonaws.com"], "eventName": ["OpenTunnel"]}
    if endpoint_id:
        detail["requestParameters"] = {"instanceConnectEndpointId": [endpoint_id, {"exists": False}]}
    if expected:
        detail["userIdentity"] = {"arn": [{"anything-but": {"wildcard": expected}}, {"exists": False}]}
    return {"detail-type": ["AWS API Call via CloudTrail"], "detail": detail}
