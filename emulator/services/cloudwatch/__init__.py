"""Amazon CloudWatch, by ministack: metrics are told apart by their dimensions, and what is judged by name."""

from emulator.core.api import Json, first
from emulator.core.iam import Call
from emulator.core.service import IamRules, Service
from emulator.core.store import account_id
from emulator.services.cloudwatch import math_alarms, patches
from emulator.services.cloudwatch.types import of_math_too


def _judged_on(call: Call) -> str | None:
    """The ARN of the dashboard that a call names, of several the first one; it has no Region.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    said = call.content
    name = said.get("DashboardName") or said.get("DashboardNames.member.1") or first(said.get("DashboardNames"))
    return f"arn:aws:cloudwatch::{account_id()}:dashboard/{name}" if name else None


def _keys(call: Call) -> Json:
    """``cloudwatch:namespace`` of a PutMetricData, the one way to limit it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    return {"cloudwatch:namespace": call.content.get("Namespace")} if call.action == "PutMetricData" else {}


__all__ = ["SERVICE", "math_alarms"]

SERVICE = Service(
    "monitoring",
    wraps={"AWS::CloudWatch::Alarm": of_math_too},
    controls={"metrics": patches.record_metrics},
    scopes=patches.scopes,
    react=patches.evaluate_alarms,
    modelled=(
        "metrics told apart by their dimensions, time that passes; who lets alarms publish",
        "alarms on metric math, period by period; bodies of dashboards",
    ),
    not_judged=(
        "alarms on Metrics Insights, anomaly detectors",
        "how many periods of one metric an alarm asks for",
    ),
    iam=IamRules(resource=_judged_on, keys=_keys),
)
