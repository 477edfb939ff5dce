"""The rules on patterns and metrics over every template, and that they catch what they are for."""

from typing import Any

import pytest

from tests.conformance.events import dashboards, events, metrics
from tests.conformance.events.data import extract
from tests.conformance.templates import every_template, found

Json = dict[str, Any]


@every_template
def test_every_pattern_and_every_metric_exists(variant: str, slug: str) -> None:
    template = found(variant, slug)
    told = [*events.findings(template.resources, str(template)), *metrics.findings(template.resources, str(template))]
    told += dashboards.findings(template.resources, str(template))
    assert [str(found) for found in told] == []


def rule(**pattern: Any) -> dict[str, Json]:
    named = {key.replace("_", "-"): value for key, value in pattern.items()}
    return {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": named}}}


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ({"source": ["aws.ec2"], "detail_type": ["EC2 Instance State-change Notifications"]}, "event"),
        ({"source": ["aws.ec2"], "detail_type": ["CodeBuild Build State Change"]}, "event"),
        (
            {
                "source": ["aws.ec2"],
                "detail_type": ["EC2 Instance State-change Notification"],
                "detail": {"status": ["running"]},
            },
            "event-field",
        ),
        (
            {"source": ["aws.tag"], "detail_type": ["Tag Change on Resource"], "detail": {"changed-tags": ["a"]}},
            "event-field",
        ),
    ],
)
def test_a_pattern_that_matches_nothing_is_told(pattern: Json, told: str) -> None:
    (found,) = events.findings(rule(**pattern), "here")
    assert (found.resource, found.rule) == ("Rule", told) and found.fix and found.page


def alarm(namespace: str, name: str, *dimensions: str) -> dict[str, Json]:
    properties = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": one, "Value": "v"} for one in dimensions],
    }
    return {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (("AWS/Lambda", "Error", "FunctionName"), "metric"),
        (("AWS/SQS", "ApproximateAgeOfOldestMessage", "Queue"), "metric"),
        (("AWS/ApplicationELB", "UnHealthyHostCount", "TargetGroup", "Zone"), "metric"),
        (("AWS/SQS", "ApproximateAgeOfOldestMessage"), "metric"),
        (("Acme", "NobodyWritesThis"), "own-metric"),
    ],
)
def test_a_metric_that_nothing_writes_is_told(metric: tuple[str, ...], told: str) -> None:
    (found,) = metrics.findings(alarm(*metric), "here")
    assert (found.resource, found.rule) == ("Alarm", told)


def test_the_metrics_of_a_dashboard_are_looked_at() -> None:
    body = {
        "Fn::Join": [
            "",
            [
                '{"widgets":[{"properties":{"metrics":[["AWS/SQS","NoSuchMetric","QueueName","',
                {"Ref": "Queue"},
                '"]]}}]}',
            ],
        ]
    }
    board = {"Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": body}}}
    assert [found.resource for found in metrics.findings(board, "here")] == ["Board"]


GAUGE = '{"type":"metric","properties":{"view":"gauge","region":"r","metrics":[["AWS/SQS","N"]]}}'
EXPLORED = '{"metricName":"CPUUtilization","stat":"Average","resourceType":"AWS::%s"}'
EXPLORER = '{"type":"explorer","properties":{"metrics":[' + ",".join(EXPLORED % kind for kind in ("A", "B")) + "]}}"
WIDE = '{"type":"text","width":25,"properties":{"markdown":""}}'


@pytest.mark.parametrize(
    ("widget", "told"),
    [(GAUGE, "gauge"), (EXPLORER, "resourceType"), (WIDE, "width")],
    ids=("gauge", "explorer", "wide"),
)
def test_a_body_that_cloudwatch_refuses_is_told(widget: str, told: str) -> None:
    body = {"Fn::Join": ["", ['{"widgets":[', widget, "]}"]]}
    board = {"Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": body}}}
    (one,) = dashboards.findings(board, "here")
    assert one.resource == "Board" and told in str(one)


def test_the_extract_follows_the_database_shape() -> None:
    database = {
        "schema": {
            "event": {
                "type": "entities",
                "entities": [{"$id": "1", "source": "aws.ec2", "detailType": "T", "rootProperty": {"$ref": "2"}}],
            },
            "eventTypeDefinition": {
                "type": "entities",
                "entities": [
                    {
                        "$id": "2",
                        "properties": {
                            "a": {"type": {"type": "string"}},
                            "b": {"type": {"type": "array", "element": {"type": "ref", "reference": {"$ref": "3"}}}},
                        },
                    },
                    {
                        "$id": "3",
                        "properties": {
                            "c": {"type": {"type": "string"}},
                            "again": {"type": {"type": "ref", "reference": {"$ref": "3"}}},
                        },
                    },
                ],
            },
            "metric": {"type": "entities", "entities": [{"$id": "4", "namespace": "AWS/EC2", "name": "M"}]},
            "dimensionSet": {
                "type": "entities",
                "entities": [{"$id": "5", "dimensions": [{"name": "Y"}, {"name": "X"}]}],
            },
            "usesDimensionSet": {"type": "rel", "forward": {"4": [{"$id": "5"}]}},
        }
    }
    assert extract(database) == {
        "events": {"aws.ec2": {"T": {"a": {}, "b": {"again": {}, "c": {}}}}},
        "metrics": {"AWS/EC2": {"M": [["X", "Y"]]}},
    }
