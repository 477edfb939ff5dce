"""The rules on what services cannot do, over every template and the largest legal settings."""

from typing import Any

import pytest

from tests.conformance.limits.services import findings
from tests.conformance.limits.test_limits import LARGEST
from tests.conformance.templates import every_template, found
from tests.prepared import template

Json = dict[str, Any]


@every_template
def test_every_template_asks_for_what_there_is(variant: str, slug: str) -> None:
    assert [str(one) for one in findings(found(variant, slug).resources, f"{variant}/{slug}")] == []


@pytest.mark.parametrize(
    ("slug", "number"), [(slug, n) for slug, sections in LARGEST.items() for n in range(len(sections))]
)
def test_the_largest_legal_settings_ask_for_what_there_is(slug: str, number: int) -> None:
    resources = template(LARGEST[slug][number])["Resources"]
    assert [str(one) for one in findings(resources, str(number))] == []


def queue(**properties: Any) -> Json:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def age(threshold: int) -> Json:
    dimension = {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}
    metric = {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [dimension], "Threshold": threshold}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": metric}


def endpoint(service: Any) -> Json:
    return {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"ServiceName": service}}


def joined(service: str) -> Json:
    return {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, f".{service}"]]}


@pytest.mark.parametrize(
    ("resources", "rules"),
    [
        ({"Queue": queue(VisibilityTimeout=32_400, RedrivePolicy={"maxReceiveCount": 11})}, ["dead-letter"]),
        ({"Queue": queue(VisibilityTimeout=32_400, RedrivePolicy={"maxReceiveCount": 10})}, []),
        ({"Queue": queue(VisibilityTimeout=43_200, MessageRetentionPeriod=1_209_600)}, []),
        ({"Queue": queue(), "Alarm": age(345_600)}, ["age"]),
        ({"Queue": queue(), "Alarm": age(302_400)}, []),
        ({"Endpoint": endpoint(joined("ec2messages"))}, ["endpoint"]),
        ({"Endpoint": endpoint("com.amazonaws.eu-central-1.ec2messages")}, ["endpoint"]),
        ({"Endpoint": endpoint(joined("ssmmessages"))}, []),
    ],
)
def test_what_a_service_cannot_do_is_told(resources: dict[str, Json], rules: list[str]) -> None:
    assert [found.rule for found in findings(resources, "here")] == rules
