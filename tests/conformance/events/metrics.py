"""Every metric of alarms, policies and dashboards exists, with this very set of dimensions.

Another set of dimensions is another metric. A metric of our own is one that code here, or a metric filter, writes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tests.conformance.events.events import known
from tests.conformance.findings import Finding, Rule
from tests.variants import ROOT

LISTED = "https://github.com/cdklabs/awscdk-service-spec (CloudWatch's metrics by namespace)"
DIMENSIONS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension"
GROUPS = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html"
TARGETS = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"
RULES_OF_EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"

Json = dict[str, Any]

# Namespace and name -> further sets of dimensions, and AWS's page that documents them.
_GROUP = (
    (("AutoScalingGroupName",),),
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html",
)
DOCUMENTED: Mapping[tuple[str, str], tuple[tuple[tuple[str, ...], ...], str]] = {
    ("AWS/AutoScaling", "WarmPoolDesiredCapacity"): _GROUP,
    ("AWS/AutoScaling", "WarmPoolWarmedCapacity"): _GROUP,
}


class Metric(NamedTuple):
    """A metric as a template names it."""

    resource: str
    namespace: str
    name: str
    dimensions: tuple[str, ...]


def findings(resources: Mapping[str, Json], where: str) -> list[Finding]:
    """Metrics that nothing ever writes."""
    found = set()
    for metric in metrics(resources):
        named = f"{metric.namespace} {metric.name} by {', '.join(metric.dimensions) or 'nothing'}"
        if not metric.namespace.startswith("AWS/"):
            if metric.name not in _written():
                reason, fix = f"no code and no filter here writes {named}", "write it, or correct the name"
                found.add(Finding(where, metric.resource, "own-metric", "fails", reason, DIMENSIONS, fix))
            continue
        sets, _ = DOCUMENTED.get((metric.namespace, metric.name), ((), ""))
        listed = known()["metrics"].get(metric.namespace, {}).get(metric.name)
        if metric.dimensions in sets or list(metric.dimensions) in (listed or []):
            continue
        reason = f"CloudWatch lists no {named}" + (f"; it has {listed}" if listed else "")
        fix = "correct it, or name AWS's page in DOCUMENTED"
        found.add(Finding(where, metric.resource, "metric", "fails", reason, LISTED, fix))
    return sorted(found)


def metrics(resources: Mapping[str, Json]) -> Iterator[Metric]:
    """Every metric that a template names: in alarms and policies, and in the bodies of dashboards."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            for widget in json.loads(plain(resource["Properties"]["DashboardBody"])).get("widgets", []):
                for row in widget.get("properties", {}).get("metrics", []):
                    if (one := _row(name, row)) is not None:
                        yield one
        elif resource["Type"] != "AWS::Logs::MetricFilter":
            yield from _named(name, resource.get("Properties", {}))


def _named(resource: str, value: Any) -> Iterator[Metric]:
    if isinstance(value, dict):
        name, namespace = value.get("MetricName"), value.get("Namespace")
        if isinstance(name, str) and isinstance(namespace, str):
            dimensions = tuple(sorted(str(one["Name"]) for one in value.get("Dimensions", [])))
            yield Metric(resource, namespace, name, dimensions)
        for inner in value.values():
            yield from _named(resource, inner)
    if isinstance(value, list):
        for inner in value:
            yield from _named(resource, inner)


def _row(resource: str, row: list[Any]) -> Metric | None:
    """A row of a widget: namespace, name, then dimensions and their values, then options; None for an expression."""
    texts = [part for part in row if not isinstance(part, dict)]
    if len(texts) < 2 or "..." in texts:
        return None
    return Metric(resource, str(texts[0]), str(texts[1]), tuple(sorted(map(str, texts[2::2]))))


def plain(value: Any) -> str:
    """A joined text, with a word for each reference."""
    if isinstance(value, dict):
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return str(separator).join(plain(part) for part in parts)
        return "resolved"
    return str(value)


@cache
def _written() -> frozenset[str]:
    """Words in the code that writes metrics, and names of metric filters."""
    folders = [*ROOT.glob("lambdas/**/*.py"), *ROOT.glob("stacks/**/*.py"), *ROOT.glob("stacks/**/user_data/*")]
    return frozenset(
        word
        for path in folders
        if path.is_file()
        for word in re.findall(r"[A-Za-z]{3,}", path.read_text(encoding="utf-8"))
    )


RULES = (
    Rule("metrics", "metric", LISTED, ("a misspelt metric", "a metric with a dimension less", "another dimension")),
    Rule("metrics", "own-metric", DIMENSIONS, ("a metric that nothing writes",)),
)
