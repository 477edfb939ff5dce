"""Watch: who runs Credential Guard, who does not, who is silent, and what is published of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from credential_guard.watch.fleet import Audit, Host, State, judge, values
from credential_guard.watch.handler import EXPLAINED, watch
from credential_guard.watch.reading import audits, detailed, hosts
from shared.launches import first_launch

NOW = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
SILENT = timedelta(hours=12)
TYPE = "Custom:CredentialGuard"


def host(launched: float, first: float | None = None) -> Host:
    """So many hours old; *first*, of one that was stopped and started since."""
    return Host("i-1", NOW - timedelta(hours=launched), NOW - timedelta(hours=first or launched))


OLD, NEW, HOURS_OLD = host(30 * 24), host(1), host(5)
STARTED, BEGUN = host(3, first=30 * 24), host(0.5, first=30 * 24)
"""Stopped every night, and started this morning."""


def audit(hours: float, compliant: bool = True, **details: str) -> Audit:
    return Audit(compliant, NOW - timedelta(hours=hours), details)


@pytest.mark.parametrize(
    ("of", "reported", "state"),
    [
        (OLD, audit(1), State.RUNNING),
        (OLD, audit(1, compliant=False), State.NOT_RUNNING),
        (OLD, audit(11.9), State.RUNNING),
        (OLD, audit(12), State.SILENT),
        (OLD, audit(12, compliant=False), State.SILENT),
        (OLD, None, State.SILENT),
        (NEW, None, State.NEW),
        (NEW, audit(2), State.NEW),  # of before its last start
        (NEW, audit(0.5), State.RUNNING),
        (NEW, audit(0.5, compliant=False), State.NEW),  # audited before its first reboot
        (HOURS_OLD, audit(4.5, compliant=False), State.NEW),
        (HOURS_OLD, audit(3.9, compliant=False), State.NOT_RUNNING),
        (HOURS_OLD, audit(4.5), State.RUNNING),
        (STARTED, audit(2.5), State.RUNNING),
        (STARTED, audit(2.5, compliant=False), State.NOT_RUNNING),  # its first reboot was weeks ago
        (BEGUN, audit(0.2, compliant=False), State.NOT_RUNNING),
        (STARTED, audit(11), State.NEW),  # of last night: the next one is not due yet
        (STARTED, audit(12), State.SILENT),  # was due when it started
        (STARTED, audit(7 * 24, compliant=False), State.SILENT),
        (STARTED, None, State.SILENT),
        (BEGUN, audit(12), State.NEW),
        (BEGUN, None, State.NEW),
    ],
)
def test_a_host_is_what_its_last_audit_of_this_start_says_and_silent_without_one(
    of: Host, reported: Audit | None, state: State
) -> None:
    assert judge(of, reported, SILENT, NOW).state is state


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.integers(0, 1_000), st.booleans())
def test_nobody_runs_it_without_a_fresh_audit_that_says_so(
    launched: int, stopped: int, audited: int, compliant: bool
) -> None:
    verdict = judge(host(launched, first=launched + stopped), audit(audited, compliant), SILENT, NOW)
    if verdict.state is State.RUNNING:
        assert compliant and audited < 12 and audited <= launched
    if not compliant:
        assert verdict.state is not State.RUNNING


def test_the_reason_is_the_audits_or_that_there_is_none() -> None:
    assert judge(OLD, audit(1, False, reason="Secure Boot is off"), SILENT, NOW).reason == "Secure Boot is off"
    assert judge(OLD, None, SILENT, NOW).reason == "never audited"
    assert judge(NEW, None, SILENT, NOW).reason == judge(NEW, audit(2), SILENT, NOW).reason
    assert judge(NEW, audit(2, reason="of before"), SILENT, NOW).reason == "recently started: not audited yet"
    pending = audit(0.5, False, reason="a reboot is pending")
    assert judge(NEW, pending, SILENT, NOW).reason == "recently started: a reboot is pending"
    assert judge(OLD, audit(20), SILENT, NOW).reason == "last audited 2026-02-28 16:20 UTC"


def test_new_hosts_are_hosts_and_no_worry() -> None:
    verdicts = [judge(NEW, None, SILENT, NOW), judge(OLD, audit(1), SILENT, NOW)]
    assert dict(values(verdicts)) == {"Hosts": 2, "RunningHosts": 1, "NotRunningHosts": 0, "SilentHosts": 0}


def instance(name: str, attached: datetime = OLD.first, **more: Any) -> dict[str, Any]:
    """As DescribeInstances has it: started an hour ago, its interfaces in any order."""
    interfaces = [
        {"Attachment": {"DeviceIndex": 1, "AttachTime": NOW - timedelta(days=300)}},
        {"Attachment": {"DeviceIndex": 0, "AttachTime": attached}},
    ]
    return {"InstanceId": name, "LaunchTime": NEW.launched, "NetworkInterfaces": interfaces, **more}


class Aws:
    """EC2, Compliance and CloudWatch, as far as they are asked, in pages of one."""

    def __init__(self, found: dict[str, Audit], *, running: int = 0, refuses: tuple[str, ...] = ()) -> None:
        self.found, self.refuses = found, refuses
        self.running = running
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.published: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        def paginate(**asked: Any) -> Iterator[Any]:
            self.asked.append((operation, asked))
            if operation in self.refuses:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)
            yield from getattr(self, f"_{operation}")(**asked)

        return type("Paginator", (), {"paginate": staticmethod(paginate)})

    def _describe_instances(self, **_: Any) -> Iterator[Any]:
        for name in [*self.found, *(f"i-bare-{n}" for n in range(self.running))]:
            yield {"Reservations": [{"Instances": [instance(name)]}]}

    def _list_resource_compliance_summaries(self, **_: Any) -> Iterator[Any]:
        yield {"ResourceComplianceSummaryItems": [{**self._item("i-other", audit(1)), "ComplianceType": "Patch"}]}
        for name, item in self.found.items():
            yield {"ResourceComplianceSummaryItems": [self._item(name, item)]}

    def _list_compliance_items(self, ResourceIds: list[str], **_: Any) -> Iterator[Any]:  # noqa: N803
        (name,) = ResourceIds
        yield {"ComplianceItems": []}
        yield {"ComplianceItems": [{**self._item(name, self.found[name]), "Details": self.found[name].details}]}

    def _item(self, name: str, item: Audit) -> dict[str, Any]:
        return {
            "ComplianceType": TYPE,
            "ResourceId": name,
            "Status": "COMPLIANT" if item.compliant else "NON_COMPLIANT",
            "ExecutionSummary": {"ExecutionTime": item.at},
        }

    def put_metric_data(self, **asked: Any) -> None:
        if "put_metric_data" in self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "put_metric_data")
        self.published.append(asked)


def watched(aws: Aws) -> dict[str, int]:
    return watch(
        aws, aws, aws, tag=("team", "a"), compliance_type=TYPE, silent=SILENT, namespace="tried", now=NOW
    )  # fmt: skip


def test_it_publishes_one_level_of_each_metric_and_returns_every_state() -> None:
    aws = Aws({"i-1": audit(1), "i-2": audit(1, False, reason="off")}, running=2)
    assert watched(aws) == {"running": 1, "not running": 1, "silent": 2, "new": 0}
    (published,) = aws.published
    assert {one["MetricName"]: one["Value"] for one in published["MetricData"]} == {
        "Hosts": 4, "RunningHosts": 1, "NotRunningHosts": 1, "SilentHosts": 2,
    }  # fmt: skip
    assert published["Namespace"] == "tried"


def test_it_asks_for_running_hosts_with_the_tag_and_for_its_own_type_only() -> None:
    aws = Aws({"i-1": audit(1)})
    assert [host.id for host in hosts(aws, ("team", "a"))] == ["i-1"]
    assert set(audits(aws, TYPE)) == {"i-1"}, "another type of Compliance is not ours"
    asked = dict(aws.asked)
    filters = asked["describe_instances"]["Filters"]
    assert {"Name": "instance-state-name", "Values": ["running"]} in filters and {
        "Name": "tag:team",
        "Values": ["a"],
    } in filters
    assert asked["list_resource_compliance_summaries"]["Filters"][0]["Values"] == [TYPE]


def test_a_host_s_first_launch_is_the_attachment_of_its_primary_interface() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html: LaunchTime is the last start."""
    (found,) = hosts(Aws({"i-1": audit(1)}), ("team", "a"))
    assert found == Host("i-1", NEW.launched, OLD.first)
    nothing: list[list[dict[str, Any]]] = [[], [{}], [{"Attachment": {"DeviceIndex": 0}}]]  # of one that is leaving
    for without in nothing:
        assert first_launch(instance("i-1", NetworkInterfaces=without)) == NEW.launched
    assert first_launch(instance("i-1", attached=NOW)) == NEW.launched, "never later than the last start"


@pytest.mark.parametrize("call", ["describe_instances", "list_resource_compliance_summaries"])
def test_what_cannot_be_read_publishes_nothing(call: str) -> None:
    aws = Aws({"i-1": audit(1)}, refuses=(call,))
    with pytest.raises(ClientError):
        watched(aws)
    assert aws.published == []


def test_reasons_that_cannot_be_read_cost_no_metric(caplog: pytest.LogCaptureFixture) -> None:
    aws = Aws({"i-1": audit(1, False)}, refuses=("list_compliance_items",))
    assert watched(aws)["not running"] == 1
    assert len(aws.published) == 1 and "reasons could not be read" in caplog.text


def test_the_log_names_the_hosts_and_the_reasons_of_a_few(caplog: pytest.LogCaptureFixture) -> None:
    aws = Aws({f"i-{n}": audit(1, False, reason="off") for n in range(EXPLAINED + 5)})
    watched(aws)
    assert len([record for record in caplog.records if record.message == "reason"]) == EXPLAINED
    named = [getattr(record, "instances", []) for record in caplog.records if record.message == "not running"]
    assert sum(map(len, named)) == EXPLAINED + 5


def test_details_are_read_one_instance_at_a_time_as_the_api_wants_it() -> None:
    aws = Aws({"i-1": audit(1, False, before="{0,[0]}"), "i-2": audit(1)})
    found = detailed(aws, TYPE, ["i-1", "i-2"])
    assert found["i-1"].details == {"before": "{0,[0]}"}
    assert [asked["ResourceIds"] for name, asked in aws.asked if name == "list_compliance_items"] == [["i-1"], ["i-2"]]
