"""``python -m stacks gpu_monitoring``: the fleet, the agent's files, and what keeps instances from reporting."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.__main__ import main
from stacks.gpu_monitoring.commands import findings, fleet
from stacks.gpu_monitoring.settings import GpuMonitoringSettings
from tests.variants import ROOT

NOW = datetime.now(UTC)
PROFILE = {"IamInstanceProfile": {"Arn": "arn"}}


class InvalidDocument(Exception):  # noqa: N818
    """As the client of Systems Manager calls it."""


class Account:
    """Three running instances with the tag, and an agent that reports from two of them."""

    class exceptions:  # noqa: N801
        InvalidDocument = InvalidDocument

    meta = type("Meta", (), {"region_name": "eu-central-1"})

    def __init__(self, *, instances: list[dict[str, Any]] | None = None, documents: bool = True) -> None:
        launched = NOW - timedelta(days=2)
        kinds = [("i-busy", "g5.xlarge"), ("i-silent", "g5.xlarge"), ("i-cpu", "m7i.large")]
        running = [
            {"InstanceId": name, "InstanceType": kind, "LaunchTime": launched, **PROFILE} for name, kind in kinds
        ]
        self.instances = running if instances is None else instances
        self.documents = documents
        self.managed = ["i-busy", "i-silent", "i-cpu"]

    def __call__(self, service: str, region: str | None = None, /) -> "Account":
        return self

    def describe_document(self, Name: str) -> None:  # noqa: N803
        if not self.documents:
            raise InvalidDocument

    def __getattr__(self, operation: str) -> Any:
        def refused(**_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, operation)

        return refused

    def get_paginator(self, operation: str) -> Any:
        def paginate(**asked: Any) -> Any:
            if operation == "describe_instances":
                return [{"Reservations": [{"Instances": [item]}]} for item in self.instances]
            if operation == "describe_instance_types":
                gpu = {"GpuInfo": {"Gpus": [{"Manufacturer": "NVIDIA", "Count": 1}]}}
                return [{"InstanceTypes": [{"InstanceType": "g5.xlarge", **gpu}, {"InstanceType": "m7i.large"}]}]
            if operation == "describe_instance_information":
                return [{"InstanceInformationList": [{"InstanceId": name} for name in self.managed]}]
            return [{"MetricDataResults": [self._reported(query) for query in asked["MetricDataQueries"]]}]

        return type("Paginator", (), {"paginate": staticmethod(paginate)})

    def _reported(self, query: dict[str, Any]) -> dict[str, Any]:
        metric = query["MetricStat"]["Metric"]
        of = metric["Dimensions"][0]["Value"]
        gpu = metric["MetricName"].startswith("nvidia") and of == "i-busy"
        found = gpu or (metric["MetricName"] == "mem_used_percent" and of != "i-silent")
        times = [NOW - timedelta(minutes=3)] if found else []
        return {"Id": query["Id"], "Timestamps": times, "Values": [60.0] * len(times), "StatusCode": "Complete"}


def test_the_fleet_is_shown_with_the_worst_first_and_what_it_wastes() -> None:
    answer = fleet(None, CommonSettings(), GpuMonitoringSettings(), Account())  # type: ignore[arg-type]
    assert [(row[0], row[3]) for row in answer.rows] == [
        ("i-silent", "silent"), ("i-busy", "working"), ("i-cpu", "without gpu"),
    ]  # fmt: skip
    assert answer.data["fleet"]["WastedGpus"] == pytest.approx(0.4)
    assert "0.4 of 2 GPUs are wasted" in answer.notes[0]
    assert answer.notes[1] == "The use of 1 is not known: MIG, no driver, or nothing reported."
    assert json.dumps(answer.data)


def found_in(account: Account, **settings: Any) -> dict[str, tuple[str, str, str]]:
    looked = findings(CommonSettings(), GpuMonitoringSettings(**settings), account)
    return {finding.what: (finding.status, finding.says, finding.fix) for finding in looked}


def test_a_healthy_fleet_has_no_problem() -> None:
    found = found_in(Account())
    assert found["instances"][:2] == ("ok", "3 run with the tag")
    assert found["document AmazonCloudWatch-ManageAgent"][0] == "ok"


def test_instances_without_a_profile_are_a_problem_unless_they_get_one_by_themselves() -> None:
    bare = [{"InstanceId": "i-bare"}]
    status, says, fix = found_in(Account(instances=bare))["instances"]
    assert status == "problem" and "i-bare" in says and "attach_profile" in fix
    assert found_in(Account(instances=bare), attach_profile=True)["instances"][0] == "ok"


def test_an_instance_that_systems_manager_does_not_reach_is_a_problem() -> None:
    account = Account()
    account.managed = ["i-busy", "i-cpu"]
    status, says, fix = found_in(account)["instances"]
    assert status == "problem" and "1 of 3: i-silent" in says and "SSM Agent" in fix


def test_no_instance_yet_is_no_problem_and_says_how_to_begin() -> None:
    status, _, fix = found_in(Account(instances=[]))["instances"]
    assert status == "ok" and "gpu-monitoring=enabled" in fix


def test_a_document_that_is_not_offered_is_a_problem() -> None:
    assert found_in(Account(documents=False))["document AWS-ConfigureAWSPackage"][0] == "problem"


def test_the_agents_files_are_checked_without_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gpu_monitoring", "configuration", "--json"]) == 0
    linux, windows = json.loads(capsys.readouterr().out)
    assert (linux["tier"], windows["tier"], linux["problems"], windows["problems"]) == ("standard", "standard", [], [])
    large = str(ROOT / "tests/solutions/gpu_monitoring/agent/large.json")
    assert main(["gpu_monitoring", "configuration", "--system", "linux", "--file", large, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["tier"] == "advanced" and 4096 < found["bytes"] <= 8192


def test_a_bad_file_is_named_with_all_its_problems_and_the_command_fails(capsys: pytest.CaptureFixture[str]) -> None:
    bad = str(ROOT / "tests/solutions/gpu_monitoring/agent/unseen.json")
    assert main(["gpu_monitoring", "configuration", "--system", "linux", "--file", bad]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "did you mean 'used_percent'?" in printed and "must be CWAgent" in printed
