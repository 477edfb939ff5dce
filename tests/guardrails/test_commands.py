"""What people do with the guardrails besides attaching: dry-run, files, what they cost."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.models import CommonSettings
from stacks.__main__ import main
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings
from stacks.outposts_guardrails import commands as outposts_commands
from stacks.outposts_guardrails.settings import OutpostsGuardrailsSettings
from stacks.shared.command import CommandError
from tests.guardrails.commands import run
from tests.guardrails.organization import FIRST, MANAGEMENT, SECOND, SUBNET, Organization, refused, staged
from tests.guardrails.test_cloudtrail import event

# dry-run


def test_dry_run_counts_what_would_have_been_denied_in_files(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_text(
        json.dumps([event("CopyImage"), event("CopyImage"), event("CreateSnapshot"), event("StopInstances")])
    )
    settings = OutpostsGuardrailsSettings()
    answer = run("dry-run", Organization(settings), settings, "--events", str(path))
    assert not answer.ok
    assert (answer.data["calls"], answer.data["denied"], answer.data["may_be_denied"]) == (4, 2, 1)
    denied, unsure = answer.data["rows"]
    assert (denied["calls"], denied["statement"]) == ("2", "DenyCopyToRegion")
    assert (unsure["verdict"], unsure["not_known"]) == ("may be denied", "ec2:SourceOutpostArn")


def test_dry_run_looks_at_thirty_days_of_writes_and_leaves_the_management_account_out() -> None:
    organization = Organization(LocalZoneGuardrailsSettings())
    mine = {"type": "IAMUser", "arn": f"arn:aws:iam::{MANAGEMENT}:user/a"}
    organization.events = [event("StopInstances"), event("CopyImage", userIdentity=mine)]
    answer = run("dry-run", organization, LocalZoneGuardrailsSettings())
    assert answer.ok and answer.data["calls"] == 2
    (asked,) = organization.looked_up
    assert asked["EndTime"] - asked["StartTime"] == datetime.timedelta(days=30)
    assert asked["LookupAttributes"] == [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
    assert "no data events" in answer.notes[1]


def test_dry_run_works_where_the_organization_may_not_be_asked() -> None:
    class Member(Organization):
        def describe_organization(self) -> Any:
            raise refused("AccessDeniedException")

    member = Member(LocalZoneGuardrailsSettings())
    member.events = [event("CopyImage")]
    answer = run("dry-run", member, LocalZoneGuardrailsSettings())
    assert answer.data["denied"] == 1
    assert "management account is not known" in answer.notes[1]


def test_dry_run_can_look_at_several_regions() -> None:
    organization = Organization(LocalZoneGuardrailsSettings())
    run("dry-run", organization, LocalZoneGuardrailsSettings(), "--region", "us-west-2", "--region", "us-east-1")
    assert len(organization.looked_up) == 2


@pytest.mark.parametrize("arguments", [["--days", "0"], ["--days", "91"], ["--events", "/nowhere"]])
def test_dry_run_says_what_it_cannot(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("dry-run", Organization(LocalZoneGuardrailsSettings()), LocalZoneGuardrailsSettings(), *arguments)


def test_dry_run_ends_with_status_1_if_something_would_have_been_denied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps(event("CopyImage")))
    assert main(["outposts_guardrails", "dry-run", "--events", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["denied"] == 1


# files


def test_the_same_policies_are_files_for_both_tools(tmp_path: Path) -> None:
    settings = OutpostsGuardrailsSettings(subnets=(SUBNET,))
    run("files", Organization(settings), settings, "--out", str(tmp_path), "--ou", "Regulated")
    tower = yaml.safe_load((tmp_path / "control-tower/manifest-resources.yaml").read_text())["resources"]
    folder = tmp_path / "landing-zone-accelerator"
    accelerator = yaml.safe_load((folder / "organization-config-policies.yaml").read_text())["serviceControlPolicies"]
    for policy, for_tower, for_accelerator in zip(settings.policies, tower, accelerator, strict=True):
        text = (tmp_path / "control-tower" / for_tower["resource_file"]).read_text()
        assert text == policy.text("aws")
        assert (folder / for_accelerator["policy"]).read_text() == policy.text("${PARTITION}")
        assert for_tower["deploy_method"] == "scp"
        assert for_tower["deployment_targets"] == {"organizational_units": ["Regulated"]}
        assert for_accelerator["deploymentTargets"] == {"organizationalUnits": ["Regulated"]}


def test_files_attach_to_nothing_unless_a_unit_is_named(tmp_path: Path) -> None:
    run("files", Organization(LocalZoneGuardrailsSettings()), LocalZoneGuardrailsSettings(), "--out", str(tmp_path))
    tower = yaml.safe_load((tmp_path / "control-tower/manifest-resources.yaml").read_text())["resources"]
    assert {str(item["deployment_targets"]) for item in tower} == {"{'organizational_units': []}"}


def test_files_of_earlier_names_are_named_and_left_alone(tmp_path: Path) -> None:
    """Other targets, or other lengths, are other policies; the tools know the old ones by the names in their lists."""
    before = LocalZoneGuardrailsSettings(
        subnets_by_target={"ou-ab12-first567": (SUBNET,)}, targets=("ou-ab12-first567",)
    )
    run("files", Organization(before), before, "--out", str(tmp_path))
    foreign = tmp_path / "control-tower/policies/other-policy.json"
    foreign.write_text("{}")
    now = LocalZoneGuardrailsSettings(subnets=(SUBNET,))
    said = run("files", Organization(now), now, "--out", str(tmp_path))
    old = "local-zone-guardrails-subnets-ou-ab12-first567.json"
    assert [note.split(" is of")[0].removeprefix(str(tmp_path)) for note in said.notes[1:]] == [
        f"/control-tower/policies/{old}",
        f"/landing-zone-accelerator/service-control-policies/{old}",
    ]
    assert (tmp_path / "control-tower/policies" / old).exists()
    again = run("files", Organization(now), now, "--out", str(tmp_path / "fresh"))
    assert len(again.notes) == 1


FILES = ("control-tower/manifest-resources.yaml", "landing-zone-accelerator/organization-config-policies.yaml")


def units(folder: Path) -> list[dict[str, list[str]]]:
    """The units of each policy's name, as each of the two products is told."""
    tower, accelerator = (next(iter(yaml.safe_load((folder / name).read_text()).values())) for name in FILES)
    return [
        {item["name"]: item["deployment_targets"]["organizational_units"] for item in tower},
        {item["name"]: item["deploymentTargets"]["organizationalUnits"] for item in accelerator},
    ]


@pytest.mark.parametrize("written", ["Workloads/Prod", "Workloads:Prod"])
def test_a_nested_unit_is_named_as_each_product_names_it(written: str, tmp_path: Path) -> None:
    """aws-solutions/aws-control-tower-customizations#9, #19, #126, #131"""
    settings = LocalZoneGuardrailsSettings()
    run("files", Organization(settings), settings, "--out", str(tmp_path), "--ou", written)
    tower, accelerator = units(tmp_path)
    assert {tuple(named) for named in tower.values()} == {("Workloads:Prod",)}
    assert {tuple(named) for named in accelerator.values()} == {("Workloads/Prod",)}


def test_each_subnet_policy_is_for_its_own_unit_in_the_files_too(tmp_path: Path) -> None:
    settings = staged(subnets_by_target={FIRST: (SUBNET,), SECOND: (SUBNET[:-1] + "1",)})
    asked = ("--ou", f"{FIRST}=Workloads/A", "--ou", f"{SECOND}=Workloads/B")
    run("files", Organization(settings), settings, "--out", str(tmp_path), *asked)
    for found, (a, b) in zip(
        units(tmp_path), (("Workloads:A", "Workloads:B"), ("Workloads/A", "Workloads/B")), strict=True
    ):
        subnets = {name: named for name, named in found.items() if "subnets" in name}
        assert sorted(subnets.values()) == [[a], [b]]
        assert all(named == [a, b] for name, named in found.items() if name not in subnets)


@pytest.mark.parametrize("unit", ["Workloads", "ou-ab12-nobody67=Workloads"])
def test_a_unit_that_is_no_targets_is_refused_where_each_has_its_own_subnets(unit: str, tmp_path: Path) -> None:
    settings = staged(subnets_by_target={FIRST: (SUBNET,), SECOND: (SUBNET[:-1] + "1",)})
    with pytest.raises(CommandError, match="--ou"):
        run("files", Organization(settings), settings, "--out", str(tmp_path), "--ou", unit)


def test_policies_are_counted_and_cost_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local_zone_guardrails", "cost", "--json"]) == 0
    (unit,) = json.loads(capsys.readouterr().out)["idle_month"]
    assert (unit["unit"], unit["quantity"]) == ("service_control_policy_month", 2)
    settings = OutpostsGuardrailsSettings(subnets=(SUBNET,))
    (billed,) = outposts_commands.idle_month(CommonSettings(), settings)
    assert billed.quantity == 3
