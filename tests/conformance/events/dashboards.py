"""Every dashboard of a template has a body that CloudWatch takes."""

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.models.dashboard_bodies import problems
from tests.conformance.events.metrics import plain
from tests.conformance.findings import Finding, Rule

BODY = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"

Json = dict[str, Any]


def findings(resources: Mapping[str, Json], where: str) -> Iterator[Finding]:
    """What is wrong with the bodies of a template."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            for problem in problems(plain(resource["Properties"]["DashboardBody"])):
                yield Finding(where, name, "dashboard-body", "fails", problem, BODY, "follow the page")


RULES = (
    Rule(
        "metrics", "dashboard-body", BODY, ("an explorer of two types", "a gauge without limits", "a widget too wide")
    ),
)
