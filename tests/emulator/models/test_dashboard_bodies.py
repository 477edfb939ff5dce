"""What CloudWatch takes and refuses in the body of a dashboard."""

import json
from typing import Any

import pytest

from emulator.models.dashboard_bodies import problems

Json = dict[str, Any]
LINE = ["AWS/EC2", "CPUUtilization", "InstanceId", "i-0"]


def widget(kind: str, properties: Json, **more: Any) -> str:
    return json.dumps({"widgets": [{"type": kind, "properties": properties, **more}]})


def metric(**properties: Any) -> str:
    return widget("metric", {"region": "eu-west-1", "metrics": [LINE], **properties})


@pytest.mark.parametrize(
    "body",
    [
        '{"widgets": []}',
        metric(),
        metric(view="gauge", yAxis={"left": {"min": 0, "max": 100}}),
        metric(metrics=[LINE, [{"expression": "m1 * 2", "id": "e1"}], ["...", "i-1"], [".", "NetworkIn", ".", "."]]),
        metric(metrics=[], annotations={"alarms": ["arn:aws:cloudwatch:eu-west-1:1:alarm:a"]}),
        metric(annotations={"horizontal": [{"value": 80, "label": "busy", "fill": "above"}]}),
        widget("text", {"markdown": "# Hello"}, x=0, y=7, width=24, height=1),
        widget("log", {"query": "SOURCE 'a' | limit 20", "region": "eu-west-1", "view": "table"}),
        widget("alarm", {"alarms": ["arn:aws:cloudwatch:eu-west-1:1:alarm:a"], "sortBy": "timestamp"}),
        widget(
            "explorer",
            {"metrics": [{"metricName": "CPUUtilization", "resourceType": "AWS::EC2::Instance", "stat": "Average"}]},
        ),
    ],
)
def test_what_the_page_describes_is_taken(body: str) -> None:
    assert problems(body) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{", "no JSON"),
        ("[]", "body"),
        ("{}", "widgets"),
        (json.dumps({"widgets": [{"type": "text", "properties": {"markdown": ""}}] * 501}), "500"),
        (widget("graph", {}), "type"),
        (json.dumps({"widgets": [{"type": "text"}]}), "properties"),
        (widget("text", {}), "markdown"),
        (widget("text", {"markdown": ""}, x=24, y=0), "x"),
        (widget("text", {"markdown": ""}, x=0), "x and y go together"),
        (widget("text", {"markdown": ""}, width=25), "width"),
        (widget("text", {"markdown": ""}, height=0), "height"),
        (widget("metric", {"metrics": [LINE]}), "region"),
        (widget("metric", {"region": "eu-west-1"}), "needs metrics"),
        (metric(view="lines"), "view"),
        (metric(view="gauge"), "minimum"),
        (metric(period="300"), "period"),
        (metric(stacked="true"), "stacked"),
        (metric(metrics=[["AWS/EC2"]]), "in pairs"),
        (metric(metrics=[["AWS/EC2", "CPUUtilization", "InstanceId"]]), "in pairs"),
        (metric(metrics=[[{"id": "e1"}]]), "neither"),
        (metric(metrics=[[*LINE, {"id": "E1"}]]), "pattern"),
        (metric(metrics=[[*LINE, {"yAxis": "top"}]]), "yAxis"),
        (metric(metrics=[[*LINE, {"color": "red"}]]), "color"),
        (metric(annotations={"horizontal": [{"value": 80, "color": "#f00"}]}), "color"),
        (metric(legend={"position": "top"}), "position"),
        (widget("log", {"query": "limit 20"}), "region"),
        (widget("alarm", {"alarms": ["a"] * 101}), "100"),
        (widget("alarm", {}), "alarms"),
        (widget("alarm", {"alarms": []}), "alarms"),
        (widget("explorer", {"metrics": []}), "metrics"),
        (
            widget(
                "explorer",
                {
                    "metrics": [
                        {"metricName": "CPUUtilization", "resourceType": kind, "stat": "Average"}
                        for kind in ("AWS::EC2::Instance", "AWS::RDS::DBInstance")
                    ]
                },
            ),
            "same resourceType",
        ),
    ],
)
def test_what_it_forbids_is_told_with_its_place(body: str, told: str) -> None:
    assert any(told in problem for problem in problems(body)), problems(body)
