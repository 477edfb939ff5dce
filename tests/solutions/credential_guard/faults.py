"""The happy path of the function of credential_guard."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend
from moto.ssm.responses import SimpleSystemManagerResponse

from shared.aws import client
from tests.faults.subject import Subject, lambda_function

ACCOUNT, REGION = "123456789012", "us-east-1"
TAG = {"Key": "credential-guard", "Value": "enabled"}
TYPE, NAMESPACE = "Custom:CredentialGuard", "credential-guard"


def _reported() -> dict[str, dict[str, Any]]:
    """Items of Compliance, which moto lacks, by instance; kept in moto's memory, so that each world has its own."""
    found: dict[str, dict[str, Any]] = vars(get_backend("ssm")[ACCOUNT][REGION]).setdefault("compliance", {})
    return found


def _summaries(_: Any) -> str:
    return json.dumps({"ResourceComplianceSummaryItems": list(_reported().values())})


def _items(response: Any) -> str:
    named = response._get_param("ResourceIds")
    return json.dumps({"ComplianceItems": [item for name, item in _reported().items() if name in named]})


SimpleSystemManagerResponse.list_resource_compliance_summaries = _summaries
SimpleSystemManagerResponse.list_compliance_items = _items


def launched(*, tagged: bool = True) -> str:
    """An instance that has been running for a week."""
    made = client("ec2").run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [TAG if tagged else {"Key": "team", "Value": "other"}]}
        ],
    )["Instances"][0]["InstanceId"]
    get_backend("ec2")[ACCOUNT][REGION].get_instance(made).launch_time -= timedelta(days=7)
    return str(made)


def report(instance_id: str, status: str, *, hours: float) -> None:
    """An audit, so many hours ago."""
    at = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    _reported()[instance_id] = {
        "ComplianceType": TYPE,
        "ResourceType": "ManagedInstance",
        "ResourceId": instance_id,
        "Status": status,
        "ExecutionSummary": {"ExecutionTime": at},
        "Details": {"reason": "Secure Boot is off"},
    }


class WatchWorld:
    """Hosts that run it, do not, were audited too long ago and never; a stopped one; one without the tag."""

    def __init__(self) -> None:
        self.runs, self.not_running, self.old, self.never, self.stopped = (launched() for _ in range(5))
        report(self.runs, "COMPLIANT", hours=1)
        report(self.not_running, "NON_COMPLIANT", hours=1)
        report(self.old, "COMPLIANT", hours=13)
        report(launched(tagged=False), "NON_COMPLIANT", hours=1)
        client("ec2").stop_instances(InstanceIds=[self.stopped])
        self.env: Mapping[str, str] = {
            "TAG_KEY": TAG["Key"],
            "TAG_VALUE": TAG["Value"],
            "COMPLIANCE_TYPE": TYPE,
            "SILENT_HOURS": "12",
            "METRIC_NAMESPACE": NAMESPACE,
        }
        self.event: Any = {"detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z"}

    def published(self, name: str) -> set[float]:
        """The values of a metric, as moto keeps them."""
        data = get_backend("cloudwatch")[ACCOUNT][REGION].metric_data
        return {item.value for item in data if (item.namespace, item.name) == (NAMESPACE, name)}

    def invariant(self) -> None:
        found = {name: self.published(name) for name in ("Hosts", "RunningHosts", "NotRunningHosts", "SilentHosts")}
        assert found == {"Hosts": {4}, "RunningHosts": {1}, "NotRunningHosts": {1}, "SilentHosts": {2}}, f"{found}"

    def unharmed(self) -> None:
        """Whatever was published is right: no fault makes a host silent, or one that says no a good one."""
        for name, right in (("RunningHosts", {1}), ("NotRunningHosts", {1}), ("SilentHosts", {2})):
            assert self.published(name) <= right, f"{name} is {self.published(name)}"


SUBJECTS: list[Subject] = [lambda_function("credential_guard.watch", WatchWorld)]
