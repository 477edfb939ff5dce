"""What CloudWatch refuses in the body of a dashboard, after its page; pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

GRID = 24
"""Columns."""


class _Part(BaseModel, strict=True, alias_generator=to_camel):
    """What the page does not name is passed over, as by the console."""


class _Legend(_Part):
    position: Literal["right", "bottom", "hidden"]


class _Side(_Part):
    label: str = ""
    min: float | None = None
    max: float | None = None
    show_units: bool = True


class _Axes(_Part):
    left: _Side = _Side()
    right: _Side = _Side()


_Colour = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
"""A name such as ``red`` is refused: https://github.com/aws/aws-cdk/issues/20024."""


class _HorizontalLine(_Part):
    value: float
    label: str = ""
    color: _Colour | None = None
    fill: Literal["above", "below"] | None = None


class _Annotations(_Part):
    alarms: Annotated[list[str], Field(max_length=1)] = []
    horizontal: list[_HorizontalLine | list[_HorizontalLine]] = []


class _Metric(_Part):
    region: str
    metrics: Annotated[list[list[Any]], Field(max_length=500)] = []
    annotations: _Annotations = _Annotations()
    view: Literal["timeSeries", "singleValue", "gauge", "bar", "pie", "table"] = "timeSeries"
    title: str = ""
    stat: str = "Average"
    period: Annotated[int, Field(ge=1)] = 300
    stacked: bool = False
    live_data: bool = False
    legend: _Legend | None = None
    y_axis: _Axes = _Axes()

    @model_validator(mode="after")
    def _shows_something(self) -> "_Metric":
        if not self.metrics and not self.annotations.alarms:
            raise ValueError("needs metrics, or an alarm in annotations")
        if self.view == "gauge" and None in (self.y_axis.left.min, self.y_axis.left.max):
            raise ValueError("a gauge needs the minimum and the maximum of its left axis")
        for line in self.metrics:
            _judge_line(line)
        return self


class _Rendered(_Part):
    """How a metric is shown: the object at the end of its line."""

    id: Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_]*$", max_length=255)] | None = None
    expression: str | None = None
    color: _Colour | None = None
    label: str | None = None
    period: Annotated[int, Field(ge=1)] | None = None
    region: str | None = None
    account_id: str | None = None
    stat: str | None = None
    visible: bool | None = None
    y_axis: Literal["left", "right"] | None = None


class _Text(_Part):
    markdown: str
    background: Literal["transparent", "solid"] = "solid"


class _Log(_Part):
    query: str
    region: str
    title: str = ""
    view: Literal["table", "timeSeries", "bar", "pie"] = "table"


class _Alarm(_Part):
    """One without alarms is refused:
    https://github.com/aws-solutions-library-samples/guidance-for-automating-network-monitoring-and-alerting-on-aws/issues/7."""

    alarms: Annotated[list[str], Field(min_length=1, max_length=100)]
    sort_by: Literal["default", "stateUpdatedTimestamp", "timestamp"] = "default"
    states: list[Literal["ALARM", "INSUFFICIENT_DATA", "OK"]] = []
    title: str = ""


class _ExploredMetric(_Part):
    metric_name: str
    resource_type: str
    stat: str


class _Explorer(_Part):
    metrics: Annotated[list[_ExploredMetric], Field(min_length=1)]
    labels: list[dict[str, str]] = []
    period: Annotated[int, Field(ge=1)] = 300
    title: str = ""

    @model_validator(mode="after")
    def _explores_one_type(self) -> "_Explorer":
        if len({metric.resource_type for metric in self.metrics}) > 1:
            raise ValueError("all metrics of an explorer have the same resourceType")
        return self


_PROPERTIES: dict[str, type[_Part]] = {
    "alarm": _Alarm,
    "explorer": _Explorer,
    "log": _Log,
    "metric": _Metric,
    "text": _Text,
}


class _Widget(_Part):
    type: Literal["alarm", "explorer", "log", "metric", "text"]
    x: Annotated[int, Field(ge=0, lt=GRID)] | None = None
    y: Annotated[int, Field(ge=0)] | None = None
    width: Annotated[int, Field(ge=1, le=GRID)] = 6
    height: Annotated[int, Field(ge=1, le=1_000)] = 6
    properties: dict[str, Any]

    @model_validator(mode="after")
    def _has_a_place_and_its_properties(self) -> "_Widget":
        if (self.x is None) != (self.y is None):
            raise ValueError("x and y go together")
        _PROPERTIES[self.type].model_validate(self.properties)
        return self


class _Body(_Part):
    widgets: Annotated[list[_Widget], Field(max_length=500)]
    start: str | None = None
    end: str | None = None
    period_override: Literal["auto", "inherit"] = "auto"


_BODY = TypeAdapter(_Body)


def problems(text: str) -> list[str]:
    """What is wrong with a body, each with its place in it; none if CloudWatch takes it."""
    try:
        body = json.loads(text)
    except ValueError as error:
        return [f"the body is no JSON: {error}"]
    try:
        _BODY.validate_python(body)
    except ValidationError as error:
        return [f"{'/'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors()]
    return []


def _judge_line(line: list[Any]) -> None:
    """[namespace, metric, dimension name, dimension value, ..., {rendering}], or [{expression}]."""
    shown = line[-1] if line and isinstance(line[-1], dict) else {}
    rendered = _Rendered.model_validate(shown)
    names = line[:-1] if shown else line
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{line}: names are text")
    if not names:
        if not rendered.expression:
            raise ValueError(f"{line}: neither a metric nor an expression")
    elif len(names) < 2 or len(names) % 2:
        raise ValueError(f"{line}: a namespace, a metric, and dimensions in pairs")
