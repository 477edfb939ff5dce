"""``python -m stacks custom_health_checks``: what an idle month bills, who waits, and the tag set by hand."""

from argparse import Namespace
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.custom_health_checks import commands
from stacks.custom_health_checks.commands import findings, idle_month, mark, show
from stacks.custom_health_checks.settings import CustomHealthChecksSettings
from stacks.shared.command import CommandError
from tests.billed import by_unit


class Aws:
    """A deployed stack with one instance in its group and one in its warm pool; keeps the tags that are set."""

    class Exceptions:
        class InvalidDocument(Exception):  # noqa: N818
            """As the SSM client has it."""

        class ResourceNotFoundException(Exception):  # noqa: N818
            """As the DynamoDB client has it."""

    exceptions = Exceptions

    def __init__(self, *, deployed: bool = True) -> None:
        self.deployed = deployed
        self.tagged: list[tuple[str, dict[str, str]]] = []
        self.document: dict[str, Any] | None = {
            "DocumentType": "Command",
            "Parameters": [{"Name": "a", "DefaultValue": ""}],
        }
        self.keys: list[str] | None = ["instance_id"]

    def __call__(self, _service: str, _region: str | None = None, /) -> "Aws":
        return self

    def get_paginator(self, operation: str) -> Any:
        pages: dict[str, list[Any]] = {
            "list_stack_resources": [{"StackResourceSummaries": []}, {"StackResourceSummaries": self._resources()}],
            "describe_auto_scaling_groups": [
                {"AutoScalingGroups": [{"Instances": [self._member("i-a", "Pending:Wait")]}]}
            ],
            "describe_warm_pool": [{"Instances": []}, {"Instances": [self._member("i-w", "Warmed:Stopped")]}],
            "describe_instances": [
                {"Reservations": [{"Instances": [{"InstanceId": name, "Tags": [self._tag()]}]}]}
                for name in ("i-a", "i-w")
            ],
            "describe_instance_type_offerings": [{"InstanceTypeOfferings": [{}]}],
        }

        def paginate(**_: Any) -> Iterator[Any]:
            return iter(pages[operation])

        return type("Pages", (), {"paginate": staticmethod(paginate)})

    def _resources(self) -> list[dict[str, str]]:
        group = {"ResourceType": "AWS::AutoScaling::AutoScalingGroup", "PhysicalResourceId": "the-group"}
        return [{"ResourceType": "AWS::EC2::VPC", "PhysicalResourceId": "vpc"}, *([group] if self.deployed else [])]

    def _member(self, name: str, state: str) -> dict[str, str]:
        return {"InstanceId": name, "LifecycleState": state, "HealthStatus": "Healthy"}

    def _tag(self) -> dict[str, str]:
        return {"Key": "Compliance-Check", "Value": "UnSuccessful"}

    def create_tags(self, Resources: list[str], Tags: list[dict[str, str]]) -> None:  # noqa: N803
        self.tagged += [(name, tag) for name in Resources for tag in Tags]

    def describe_document(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if self.document is None:
            raise self.Exceptions.InvalidDocument(Name)
        return {"Document": self.document}

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803
        if self.keys is None:
            raise self.Exceptions.ResourceNotFoundException(TableName)
        return {"Table": {"KeySchema": [{"AttributeName": key} for key in self.keys]}}


def settings(**given: Any) -> CustomHealthChecksSettings:
    return CustomHealthChecksSettings.model_validate(given)


def month(common: CommonSettings | None = None, **given: Any) -> dict[str, Decimal]:
    return by_unit(idle_month(common or CommonSettings(), settings(**given)))


def test_an_idle_month_of_the_default_has_two_instances_and_no_hourly_part_beside_them() -> None:
    units = month()
    assert units["on_demand_hour_t4g_micro"] == 2 * 730 and units["gp3_gib_month"] == 16
    assert not {"nat_gateway_hour", "interface_endpoint_hour"} & set(units)
    assert units["lambda_request"] == 43_800 and units["alarm_month"] == 6


def test_a_stopped_instance_of_the_pool_bills_its_volume_alone() -> None:
    units = month(warm_pool={"min_size": 1, "max_prepared": 5})
    assert units["on_demand_hour_t4g_micro"] == 2 * 730 and units["gp3_gib_month"] == (2 + 3) * 8


def test_endpoints_bill_by_service_and_zone() -> None:
    units = month(mode="instance", network="endpoints", checks=[{"kind": "ssm-document", "document": "AcmeCheck"}])
    assert units["interface_endpoint_hour"] == 4 * 2 * 730 and "lambda_request" not in units


def test_instances_of_the_group_and_of_the_pool_are_shown_with_their_tags() -> None:
    answer = show(Namespace(), CommonSettings(), settings(), Aws())
    assert answer.columns == ("instance", "state", "health", "Compliance-Check")
    assert list(answer.rows) == [
        ("i-a", "Pending:Wait", "Healthy", "UnSuccessful"),
        ("i-w", "Warmed:Stopped", "Healthy", "UnSuccessful"),
    ]


@pytest.mark.parametrize(("which", "value"), [("success", "Successful"), ("failure", "Failed")])
def test_mark_sets_the_tag_of_an_instance_of_the_group(which: str, value: str) -> None:
    aws = Aws()
    mark(Namespace(instance="i-a", value=which), CommonSettings(), settings(), aws)
    assert aws.tagged == [("i-a", {"Key": "Compliance-Check", "Value": value})]


def test_mark_touches_no_other_instance() -> None:
    aws = Aws()
    with pytest.raises(CommandError, match="i-other is no instance of the-group; nothing was changed"):
        mark(Namespace(instance="i-other", value="success"), CommonSettings(), settings(), aws)
    assert aws.tagged == []


@pytest.mark.parametrize(
    ("given", "deployed", "message"),
    [
        ({}, False, "the stack custom-health-checks has no group; deploy it first"),
        ({"checks": [{"kind": "http"}]}, True, "no check of this solution is a tag"),
        ({"checks": [{"kind": "tag", "failure": None}]}, True, "has no failure value"),
    ],
)
def test_mark_says_why_it_cannot(given: dict[str, Any], deployed: bool, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        mark(Namespace(instance="i-a", value="failure"), CommonSettings(), settings(**given), Aws(deployed=deployed))


CHECKS = [{"kind": "ssm-document", "document": "AcmeCheck"}, {"kind": "table", "table": "inventory"}]


@pytest.fixture(autouse=True)
def _without_the_common_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "common_findings", lambda *_: iter(()))


def found(aws: Aws) -> list[tuple[str, str]]:
    looked = findings(CommonSettings(), settings(checks=CHECKS), aws)
    return [(finding.status, finding.says) for finding in looked if finding.what != "instance type"]


def test_documents_and_tables_are_looked_at_before_a_deployment() -> None:
    assert found(Aws()) == [("ok", "a Command document"), ("ok", "its key is instance_id")]
    aws = Aws()
    aws.document = {"DocumentType": "Automation", "Parameters": [{"Name": "Must"}]}
    aws.keys = ["id", "time"]
    assert [status for status, _ in found(aws)] == ["problem", "problem"]
    aws.document, aws.keys = None, None
    assert [says for _, says in found(aws)] == ["it does not exist here"] * 2
