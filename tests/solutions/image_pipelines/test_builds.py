"""Builds: what has changed is built once, and nothing on a parent that has no image yet or is built anew itself."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_pipelines.builds import handler

GOLD_IMAGE, RAW = "ami-gold", "ami-raw"
GOLD = {
    "Pipeline": "gold",
    "Recipe": "gold-1",
    "Parameters": ["/imagebuilder/s/gold", "/imagebuilder/s/gold/parent-al2023-arm64"],
    "Ancestors": "none",
    "ParentPipeline": "",
    "ParentParameter": "",
}
WEB = {
    "Pipeline": "web",
    "Recipe": "web-1",
    "Parameters": ["/imagebuilder/s/web"],
    "Ancestors": "gold-1",
    "ParentPipeline": "gold",
    "ParentParameter": "/imagebuilder/s/gold/parent-al2023-arm64",
}
CHANGED = {"Recipe": "changed"}
MOVED = {"Parameters": ["/imagebuilder/acme/gold", "/imagebuilder/acme/gold/parent-al2023-arm64"]}


class Account:
    """Image Builder with one image of gold, and the parameter that children of gold build on."""

    def __init__(self, value: str | None = GOLD_IMAGE, status: str = "AVAILABLE") -> None:
        self.value, self.status = value, status
        self.started: list[dict[str, str]] = []

    def start_image_pipeline_execution(self, **wanted: str) -> dict[str, str]:
        self.started.append(wanted)
        return {"imageBuildVersionArn": "arn"}

    def get_parameters(self, Names: list[str]) -> Any:  # noqa: N803 (boto3's)
        assert Names == [WEB["ParentParameter"]]
        return {"Parameters": [{"Value": self.value}] if self.value else []}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_image_pipeline_images"
        image = {"state": {"status": self.status}, "outputResources": {"amis": [{"image": GOLD_IMAGE}]}}
        pages = [{"imageSummaryList": [{"state": {"status": "BUILDING"}}]}, {"imageSummaryList": [image]}]
        return SimpleNamespace(paginate=lambda imagePipelineArn: pages if imagePipelineArn == "gold" else [])  # noqa: N803


def request(kind: str, wanted: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    more = {"OldResourceProperties": old} if old else {}
    names = {"RequestType": kind, "RequestId": "r-1", "StackId": "stack", "LogicalResourceId": "Build"}
    return {**names, "ResourceProperties": wanted, **more}


def started(monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], account: Account | None = None) -> list[str]:
    account = account or Account()
    monkeypatch.setattr(handler, "client", lambda _: account)
    assert handler.build(event) == "builds-Build"
    assert all(one["clientToken"] == "r-1" for one in account.started)
    return [one["imagePipelineArn"] for one in account.started]


@pytest.mark.parametrize(
    ("kind", "wanted", "old", "expected"),
    [
        ("Create", GOLD, None, ["gold"]),
        ("Update", {**GOLD, **CHANGED}, GOLD, ["gold"]),
        ("Update", {**GOLD, **MOVED}, GOLD, ["gold"]),
        ("Update", GOLD, GOLD, []),
        ("Delete", GOLD, None, []),
        ("Create", WEB, None, ["web"]),
        ("Update", {**WEB, **CHANGED}, WEB, ["web"]),
    ],
    ids=[
        "new gold",
        "changed gold",
        "gold whose parameters move",
        "same gold",
        "gone",
        "new workload beside an image of gold",
        "changed workload",
    ],
)
def test_what_is_started(
    monkeypatch: pytest.MonkeyPatch, kind: str, wanted: dict[str, Any], old: dict[str, Any] | None, expected: list[str]
) -> None:
    assert started(monkeypatch, request(kind, wanted, old)) == expected


@pytest.mark.parametrize("account", [Account(RAW), Account(None), Account(GOLD_IMAGE, "FAILED")])
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_nothing_is_built_on_the_raw_base(monkeypatch: pytest.MonkeyPatch, account: Account, kind: str) -> None:
    event = request(kind, {**WEB, **CHANGED}, WEB if kind == "Update" else None)
    assert started(monkeypatch, event, account) == []


def test_a_parent_whose_image_is_deprecated_has_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lifecycle policy deprecates by age alone, the newest included, and a deprecated AMI launches."""
    event = request("Update", {**WEB, **CHANGED}, WEB)
    assert started(monkeypatch, event, Account(status="DEPRECATED")) == ["web"]
    assert started(monkeypatch, event, Account(status="DISABLED")) == []


def test_what_changes_together_with_an_ancestor_is_built_after_it_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch, request("Update", {**WEB, **CHANGED, "Ancestors": "gold-2"}, WEB)) == []


def test_another_parent_that_has_an_image_is_built_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image of it is to come by this deployment, so that no rule would start it."""
    old = {**WEB, "ParentPipeline": "base", "ParentParameter": "/imagebuilder/s/base/parent", "Ancestors": "base-1"}
    assert started(monkeypatch, request("Update", {**WEB, **CHANGED}, old)) == ["web"]


class Refusing(Account):
    """Image Builder that starts nothing, and CloudFormation that says what the stack does."""

    def __init__(self, status: str) -> None:
        super().__init__()
        self.stack_status = status

    def start_image_pipeline_execution(self, **_: str) -> dict[str, str]:
        raise ClientError({"Error": {"Code": "ServiceQuotaExceededException"}}, "StartImagePipelineExecution")

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        assert StackName == "stack"
        return {"Stacks": [{"StackStatus": self.stack_status}]}


@pytest.mark.parametrize(("kind", "status"), [("Create", "CREATE_IN_PROGRESS"), ("Update", "UPDATE_IN_PROGRESS")])
def test_a_refused_build_fails_the_deployment(monkeypatch: pytest.MonkeyPatch, kind: str, status: str) -> None:
    with pytest.raises(ClientError, match="ServiceQuotaExceeded"):
        started(monkeypatch, request(kind, {**GOLD, **CHANGED}, GOLD), Refusing(status))


def test_a_refused_build_does_not_fail_the_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    event = request("Update", {**GOLD, **CHANGED}, GOLD)
    assert started(monkeypatch, event, Refusing("UPDATE_ROLLBACK_IN_PROGRESS")) == []
