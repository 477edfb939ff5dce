"""What a service cannot do with what it is told: queues that delete too soon, endpoints that a Region does not have."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.conformance.findings import Finding, Rule
from tests.conformance.limits.rule import text

SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/"
RETENTION = f"{SQS}APIReference/API_SetQueueAttributes.html"
AGES = f"{SQS}SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
AGENT = "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html"

FOUR_DAYS, HALF_A_MINUTE = 345_600, 30  # what a queue has that says nothing

Json = dict[str, Any]


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Dead letters that never are, alarms on ages that no message reaches, endpoints of services that are no more."""
    return sorted([*_queues(resources, where), *_ages(resources, where), *_endpoints(resources, where)])


def _kept(queue: Json) -> int:
    return int(queue.get("Properties", {}).get("MessageRetentionPeriod", FOUR_DAYS))


def _queues(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    """A message whose reader dies each time comes back by the visibility timeout, as often as it may be received."""
    for name, resource in resources.items():
        redrive = resource.get("Properties", {}).get("RedrivePolicy")
        if resource["Type"] != "AWS::SQS::Queue" or not redrive:
            continue
        hidden = int(resource["Properties"].get("VisibilityTimeout", HALF_A_MINUTE)) * int(redrive["maxReceiveCount"])
        if hidden >= _kept(resource):
            reason = f"hidden for {hidden:,} s until it is a dead letter, deleted after {_kept(resource):,} s"
            yield Finding(
                where, name, "dead-letter", "fails", reason, RETENTION, "fewer receives, or less time for each"
            )


def _ages(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    for name, resource in resources.items():
        alarm = resource.get("Properties", {})
        if resource["Type"] != "AWS::CloudWatch::Alarm" or alarm.get("MetricName") != "ApproximateAgeOfOldestMessage":
            continue
        for dimension in alarm["Dimensions"]:
            value = dimension["Value"]
            queue = value["Fn::GetAtt"][0] if isinstance(value, dict) and "Fn::GetAtt" in value else ""
            if queue in resources and float(alarm["Threshold"]) >= _kept(resources[queue]):
                reason = f"no message is older than {_kept(resources[queue]):,} s"
                yield Finding(where, name, "age", "fails", reason, AGES, "a threshold below the retention period")


def _endpoints(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    for name, resource in resources.items():
        if resource["Type"] != "AWS::EC2::VPCEndpoint":
            continue
        service = resource["Properties"]["ServiceName"]
        if text(service).endswith(".ec2messages"):
            reason = "Regions since 2024 have no ec2messages"
            yield Finding(where, name, "endpoint", "fails", reason, AGENT, "leave it out: the agent takes ssmmessages")


RULES = (
    Rule("limits", "dead-letter", RETENTION, ("eleven receives of nine hours each",)),
    Rule("limits", "age", AGES, ("an alarm on messages of four days",)),
    Rule("limits", "endpoint", AGENT, ("an endpoint for ec2messages",)),
)
