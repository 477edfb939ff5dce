"""``python -m stacks outposts_dashboard``: what would be shown, the tag policy, and what would stop a deployment."""

import json
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks.outposts_dashboard import Account
from config.models import CommonSettings
from stacks.outposts_dashboard.commands import findings, preview, write_tag_policy
from stacks.outposts_dashboard.settings import OutpostsDashboardSettings
from stacks.shared.command import CommandError


class Aws(Account):
    """An account with credentials, as the commands ask for it."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, *, status: str = "AVAILABLE", branch: bool = True, boards: tuple[str, ...] = ()) -> None:
        super().__init__({"outposts": 2, "types": 2, "instances": 3, "buckets": 1})
        self.status, self.branch, self.boards = status, branch, boards

    def __call__(self, _service: str, _region: str | None = None, /) -> "Aws":
        return self

    def get_paginator(self, operation: str) -> Any:
        if operation == "list_dashboards":
            entries = [{"DashboardName": name} for name in self.boards]
            return SimpleNamespace(paginate=lambda **_: [{"DashboardEntries": entries}])
        return super().get_paginator(operation)

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"}

    def get_parameter(self, **_: Any) -> Any:
        return {"Parameter": {"Value": "30"}}

    def get_resources(self, **_: Any) -> Any:
        return {"ResourceTagMappingList": [{}], "PaginationToken": "more"}

    def get_connection(self, **_: Any) -> Any:
        return {"Connection": {"ConnectionStatus": self.status}}

    def get_branch(self, **_: Any) -> Any:
        if not self.branch:
            raise ClientError({"Error": {"Code": "BranchDoesNotExistException", "Message": ""}}, "GetBranch")
        return {}


CONNECTION = "arn:aws:codeconnections:eu-west-1:123456789012:connection/1"


def settings(**more: Any) -> OutpostsDashboardSettings:
    return OutpostsDashboardSettings.model_validate(more)


def found(aws: Aws, chosen: OutpostsDashboardSettings) -> dict[str, tuple[str, str]]:
    return {one.what: (one.status, one.says) for one in findings(CommonSettings(), chosen, aws)}


def test_preview_lays_out_what_there_is_and_writes_files_only(tmp_path: Path) -> None:
    answer = preview(Namespace(output=tmp_path / "out"), CommonSettings(prefix="acme"), settings(), Aws())
    name = "acme-Automated-CloudWatch-Dashboard"
    assert answer.ok and [row[0] for row in answer.rows] == [name]
    written = json.loads((tmp_path / "out" / f"{name}.json").read_text(encoding="utf-8"))
    assert written == answer.data["dashboards"][name] and len(written["widgets"]) > 10


def test_preview_says_what_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Account, operation: str, asked: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    monkeypatch.setattr(Account, "items", refused)
    answer = preview(Namespace(output=None), CommonSettings(), settings(), Aws())
    assert not answer.ok and any("ec2 could not be read" in note for note in answer.notes)


@pytest.mark.parametrize(("scp", "most"), [(False, 10_000), (True, 10_240)])
def test_no_policy_is_written_that_organizations_refuses(tmp_path: Path, scp: bool, most: int) -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/12597: by the API spaces count too."""
    path = tmp_path / "policy.json"

    def write(count: int) -> str:
        values = tuple(f"op-{number:017x}" for number in range(count))
        write_tag_policy(Namespace(output=path, scp=scp), CommonSettings(), settings(tag_values=values), Aws())
        return path.read_text(encoding="utf-8")

    assert write(2).count("\n") > 10, "for people to read"
    assert most * 0.9 < len(write(410)) <= most, "without spaces, because there is no room"
    path.unlink()
    with pytest.raises(CommandError, match=f"takes {most}: list fewer tag_values"):
        write(1_000)
    assert not path.exists()


def test_the_tag_policy_is_written_and_nothing_is_called(tmp_path: Path) -> None:
    def nobody(*_: object) -> Any:
        raise AssertionError("AWS was called")

    path = tmp_path / "policies" / "tag.json"
    answer = write_tag_policy(Namespace(output=path, scp=False), CommonSettings(), settings(tag_values=("a",)), nobody)
    assert json.loads(path.read_text(encoding="utf-8")) == answer.data
    assert any("Nothing is attached" in note for note in answer.notes)


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CommandError, match="cannot be written"):
        write_tag_policy(Namespace(output=tmp_path / "file" / "x", scp=False), CommonSettings(), settings(), Aws())


def test_check_looks_at_outposts_tags_and_the_name() -> None:
    seen = found(Aws(boards=("Automated-CloudWatch-Dashboard",)), settings())
    assert seen["Outposts"] == ("ok", "2 here, 2 of them active")
    assert seen["tagged resources"] == ("ok", "at least 1")
    assert "exists already" in seen["dashboard name"][1]
    assert "is free" in found(Aws(), settings())["dashboard name"][1]


@pytest.mark.parametrize(("status", "says"), [("AVAILABLE", "ok"), ("PENDING", "problem")])
def test_check_finds_a_connection_that_nobody_has_confirmed(status: str, says: str) -> None:
    source = {"kind": "codeconnections", "repository": "acme/dashboards", "connection_arn": CONNECTION}
    assert found(Aws(status=status), settings(refresh="pipeline", source=source))["source"][0] == says


@pytest.mark.parametrize(("branch", "says"), [(True, "ok"), (False, "problem")])
def test_check_finds_a_missing_branch(branch: bool, says: str) -> None:
    source = {"kind": "codecommit", "repository": "dashboards"}
    assert found(Aws(branch=branch), settings(refresh="pipeline", source=source))["source"][0] == says
