"""What ``python -m stacks image_pipelines`` answers."""

from argparse import Namespace
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.image_pipelines import commands
from stacks.image_pipelines.cascade import mermaid
from stacks.image_pipelines.settings import ImagePipelinesSettings
from stacks.image_pipelines.settings.bases import BASE_IMAGE
from stacks.image_pipelines.settings.pipelines import WorkloadPipeline
from stacks.shared.command import CommandError

SETTINGS = ImagePipelinesSettings()
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:image-pipeline/image-pipelines"


class Account:
    """The deployed stack, its pipelines, and what commands ask of an account."""

    def __init__(self) -> None:
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.status = "DISABLED"
        self.components = ["update-linux", "stig-build-linux"]
        self.types = {"t4g.medium": ["arm64"]}
        self.templates = {"lt-0123456789abcdef0": "web"}
        self.is_deployed, self.log_groups = True, list[str]()
        self.parent, self.image_status = "ami-gold", "AVAILABLE"

    def __call__(self, service: str, region: str | None = None, /) -> Any:
        return self

    def describe_stacks(self, **_: str) -> Any:
        if not self.is_deployed:
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        outputs = {f"{name}PipelineArn": f"{ARN}-{name.lower()}" for name in ("Gold", "Web")}
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"Stacks": [{"Outputs": [*listed, {"OutputKey": "NewestTable", "OutputValue": "newest"}]}]}

    def get_image_pipeline(self, **_: str) -> Any:
        schedule = {"scheduleExpression": "cron(0 3 ? * sun *)", "autoDisablePolicy": {"failureCount": 3}}
        known = {
            "imageRecipeArn": "recipe",
            "infrastructureConfigurationArn": "infrastructure",
            "executionRole": "role",
        }
        state = {"status": self.status, "lastRunStatus": "FAILED", "consecutiveFailures": 3}
        return {"imagePipeline": {**state, **known, "schedule": schedule, "name": "gold", "dateCreated": "yesterday"}}

    def update_image_pipeline(self, **wanted: Any) -> None:
        self.called.append(("update", wanted))

    def start_image_pipeline_execution(self, **wanted: Any) -> Any:
        self.called.append(("start", wanted))
        return {"imageBuildVersionArn": "image"}

    def get_parameters(self, Names: list[str]) -> Any:  # noqa: N803 (boto3's)
        assert Names == ["/imagebuilder/image-pipelines/gold/parent-al2023-arm64"]
        return {"Parameters": [{"Value": self.parent}]}

    def get_parameter(self, **_: str) -> Any:
        return {"Parameter": {"Value": "ami-1"}}

    def describe_launch_templates(self, **wanted: Any) -> Any:
        (template,) = wanted["LaunchTemplateIds"]
        if template not in self.templates:
            raise ClientError({"Error": {"Code": "InvalidLaunchTemplateId.NotFound"}}, "DescribeLaunchTemplates")
        return {"LaunchTemplates": [{"LaunchTemplateName": self.templates[template]}]}

    def get_paginator(self, operation: str) -> Any:
        def paginate(**_: Any) -> Iterator[Any]:
            for name in self.components if operation == "list_components" else []:
                yield {"componentVersionList": [{"name": name}]}
            for name, kinds in self.types.items() if operation == "describe_instance_types" else []:
                yield {"InstanceTypes": [{"InstanceType": name, "ProcessorInfo": {"SupportedArchitectures": kinds}}]}
            if operation == "describe_log_groups":
                yield {"logGroups": [{"logGroupName": name} for name in self.log_groups]}
            if operation == "list_image_pipeline_images":
                made = {"amis": [{"image": "ami-gold"}]}
                yield {"imageSummaryList": [{"state": {"status": self.image_status}, "outputResources": made}]}
            if operation == "scan":
                for region in ("us-east-1", "eu-west-1"):
                    values = {"pipeline": "gold", "region": region, "image": "ami", "created": "c", "source": "s"}
                    yield {"Items": [{name: {"S": value} for name, value in values.items()}]}

        return SimpleNamespace(paginate=paginate)


def run(name: str, account: Account, **options: str) -> Any:
    command = next(one for one in commands.COMMANDS if one.name == name)
    return command.run(Namespace(**options), CommonSettings(), SETTINGS, account)


def test_enabling_sends_back_everything_that_an_update_would_lose() -> None:
    account = Account()
    run("enable", account, pipeline="gold")
    ((_, sent),) = account.called
    assert sent["status"] == "ENABLED" and sent["imagePipelineArn"] == f"{ARN}-gold"
    assert {"imageRecipeArn", "infrastructureConfigurationArn", "executionRole", "schedule"} <= sent.keys()
    assert not {"name", "dateCreated", "lastRunStatus", "consecutiveFailures"} & sent.keys()


def test_what_enabling_sends_is_all_that_an_update_takes() -> None:
    import boto3

    model = boto3.client("imagebuilder", "us-east-1").meta.service_model.operation_model("UpdateImagePipeline")
    assert set(model.input_shape.members) == {*commands.KEPT, "imagePipelineArn", "clientToken", "status"}


def test_each_build_has_a_token_of_its_own() -> None:
    account = Account()
    for _ in range(2):
        assert run("build", account, pipeline="web").data == {"image": "image"}
    first, second = (sent["clientToken"] for _, sent in account.called)
    assert first != second


@pytest.mark.parametrize("change", [{"parent": "ami-raw-base"}, {"image_status": "FAILED"}])
def test_a_workload_is_not_built_before_its_parent_has_an_image(change: dict[str, Any]) -> None:
    account = Account()
    vars(account).update(change)
    with pytest.raises(CommandError, match=r"gold has no image yet .* build gold"):
        run("build", account, pipeline="web")
    assert not account.called
    run("build", account, pipeline="gold")


def test_a_workload_is_built_on_an_image_that_is_deprecated() -> None:
    account = Account()
    account.image_status = "DEPRECATED"
    assert run("build", account, pipeline="web").data == {"image": "image"}


@pytest.mark.parametrize(
    ("containers", "ecr", "status"), [(True, "DISABLED", "problem"), (True, "ENABLED", "ok"), (False, "DISABLED", "ok")]
)
def test_check_asks_inspector_for_what_is_scanned(
    monkeypatch: pytest.MonkeyPatch, containers: bool, ecr: str, status: str
) -> None:
    monkeypatch.setattr(commands, "common_findings", lambda *_, **__: iter(()))
    workload = WorkloadPipeline(
        name="app",
        kind="container",
        base_image=BASE_IMAGE,
        components=("stacks/image_pipelines/components/web.yaml",),
    )
    settings = ImagePipelinesSettings(scan=True, workloads=(workload,) if containers else ())
    state = {"ec2": {"status": "ENABLED"}, "ecr": {"status": ecr}}
    inspector = SimpleNamespace(batch_get_account_status=lambda: {"accounts": [{"resourceState": state}]})
    account = Account()
    found = commands.findings(
        CommonSettings(), settings, lambda name, *_: inspector if name == "inspector2" else account
    )
    assert [one.status for one in found if one.what == "Inspector"] == [status]


def test_an_unknown_pipeline_is_named_with_those_that_there_are() -> None:
    with pytest.raises(CommandError, match="no pipeline 'wbe'; there are gold, web"):
        run("build", Account(), pipeline="wbe")


def test_pipelines_and_images_are_listed_by_name_and_region() -> None:
    assert [row[:2] for row in run("pipelines", Account()).rows] == [("gold", "DISABLED"), ("web", "DISABLED")]
    assert [row["region"] for row in run("images", Account()).data] == ["eu-west-1", "us-east-1"]


def test_the_graph_draws_each_step_of_the_cascade() -> None:
    workloads = (
        WorkloadPipeline(name="end", parent="web-1"),
        WorkloadPipeline(name="web-1"),
        WorkloadPipeline(name="job", kind="container", base_image="x/y:1", components=("stacks/x.yaml",)),
    )
    chart = mermaid("al2023", workloads)
    assert "gold -->|parameter| w_web_1[web-1]" in chart and "w_web_1 -->|parameter| w_end[end]" in chart
    assert "w_job{{job, container}}" in chart


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"components": []}, "components of AWS"),
        ({"types": {}}, "instance types"),
        ({"types": {"t4g.medium": ["x86_64"]}}, "instance types"),
        ({"is_deployed": False, "log_groups": ["/aws/imagebuilder/image-pipelines/gold"]}, "log groups"),
    ],
)
def test_check_finds_what_would_stop_the_first_build(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], what: str
) -> None:
    monkeypatch.setattr(commands, "common_findings", lambda *_, **__: iter(()))
    healthy = list(commands.findings(CommonSettings(), SETTINGS, Account()))
    assert {finding.status for finding in healthy} == {"ok"}
    account = Account()
    for name, value in change.items():
        setattr(account, name, value)
    found = {finding.what: finding.status for finding in commands.findings(CommonSettings(), SETTINGS, account)}
    assert [name for name, status in found.items() if status == "problem"] == [what]


def test_check_looks_for_the_launch_template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "common_findings", lambda *_, **__: iter(()))
    template = "lt-0123456789abcdef0"
    settings = ImagePipelinesSettings(workloads=(WorkloadPipeline(name="web", launch_template_id=template),))
    account = Account()
    *_, there = commands.findings(CommonSettings(), settings, account)
    account.templates = {}
    *_, gone = commands.findings(CommonSettings(), settings, account)
    assert (there.status, gone.status) == ("ok", "problem")


def test_an_idle_month_bills_a_gateway_only_where_there_is_one() -> None:
    public = {unit.unit: unit.quantity for unit in commands.idle_month(CommonSettings(), SETTINGS)}
    nat = {
        unit.unit: unit.quantity
        for unit in commands.idle_month(CommonSettings(), ImagePipelinesSettings(network="nat"))
    }
    assert public["nat_gateway_hour"] == 0 < nat["nat_gateway_hour"]
    assert public["alarm_month"] == commands.ALARMS
