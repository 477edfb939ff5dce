"""What people do with the guardrails: dry-run, attach in stages, detach in one step, files, check."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.__main__ import main
from stacks.guardrails import attachment
from stacks.guardrails.settings import GuardrailSettings
from stacks.local_zone_guardrails.commands import COMMANDS, findings
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings
from stacks.outposts_guardrails import commands as outposts_commands
from stacks.outposts_guardrails.settings import OutpostsGuardrailsSettings
from stacks.shared.command import Answer, CommandError
from tests.guardrails.test_cloudtrail import event

FIRST, SECOND = "ou-ab12-first567", "ou-ab12-second67"
SUBNET = "arn:aws:ec2:us-west-2:111122223333:subnet/subnet-0123456789abcdef0"
MANAGEMENT = "999988887777"


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


class Organization:
    """An organization with the solution's stack deployed: two units below the root, in memory."""

    def __init__(self, settings: GuardrailSettings, partition: str = "aws") -> None:
        self.policies = {f"p-{policy.id}": policy.text(partition) for policy in settings.policies}
        self.names = {f"p-{policy.id}": policy.name("local-zone-guardrails") for policy in settings.policies}
        self.of_the_stack = list(self.policies)
        self.tags: dict[str, list[dict[str, str]]] = {}
        self.attached: dict[str, list[str]] = {FIRST: ["p-FullAWSAccess"], SECOND: ["p-FullAWSAccess"], "r-ab12": []}
        self.parents = {FIRST: "r-ab12", SECOND: "r-ab12", MANAGEMENT: "r-ab12"}
        self.feature_set, self.types = "ALL", [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
        self.caller, self.stack_exists = MANAGEMENT, True
        self.refusing: set[str] = set()
        self.busy = 0
        self.events: list[Any] = []
        self.looked_up: list[dict[str, Any]] = []
        self.zones = ["us-west-2-lax-1a"]
        self.opted_in = True

    def __call__(self, service: str, region: str | None = None, /) -> "Organization":
        return self

    @property
    def meta(self) -> Any:
        return type("Meta", (), {"region_name": "us-west-2"})

    def get_paginator(self, operation: str) -> Any:
        return type("Paginator", (), {"paginate": lambda _, **asked: getattr(self, f"_{operation}")(**asked)})()

    def _list_stack_resources(self, StackName: str) -> Iterator[Any]:  # noqa: N803
        if not self.stack_exists:
            raise refused("ValidationError")
        kind = "AWS::Organizations::Policy"
        for policy_id in self.policies:
            if policy_id not in self.of_the_stack:
                continue
            item = {"ResourceType": kind, "LogicalResourceId": policy_id[2:], "PhysicalResourceId": policy_id}
            yield {"StackResourceSummaries": [item]}
        yield {"StackResourceSummaries": [{"ResourceType": "AWS::CDK::Metadata"}]}
        failed = {"ResourceType": kind, "LogicalResourceId": "Failed", "ResourceStatus": "CREATE_FAILED"}
        gone = {**failed, "PhysicalResourceId": "p-gone", "ResourceStatus": "DELETE_COMPLETE"}
        yield {"StackResourceSummaries": [failed, gone]}

    def _list_targets_for_policy(self, PolicyId: str) -> Iterator[Any]:  # noqa: N803
        for target, policies in self.attached.items():
            yield {"Targets": [{"TargetId": target}] if PolicyId in policies else []}

    def _list_policies_for_target(self, TargetId: str, Filter: str) -> Iterator[Any]:  # noqa: N803
        if TargetId not in self.attached:
            raise refused("TargetNotFoundException")
        for policy_id in self.attached[TargetId]:
            yield {"Policies": [{"Id": policy_id, "Name": self.names.get(policy_id, policy_id)}]}

    def _list_policies(self, Filter: str) -> Iterator[Any]:  # noqa: N803
        for policy_id in ["p-FullAWSAccess", *self.policies]:
            yield {"Policies": [{"Id": policy_id, "Name": self.names.get(policy_id, policy_id)}]}

    def _list_tags_for_resource(self, ResourceId: str) -> Iterator[Any]:  # noqa: N803
        if ResourceId == "p-FullAWSAccess":
            raise refused("TargetNotFoundException")
        yield {"Tags": self.tags.get(ResourceId, [])}

    def _list_children(self, ParentId: str, ChildType: str) -> Iterator[Any]:  # noqa: N803
        kind = "ou-" if ChildType == "ORGANIZATIONAL_UNIT" else ""
        below = [child for child, parent in self.parents.items() if parent == ParentId]
        yield {"Children": [{"Id": child} for child in below if child.startswith("ou-") == bool(kind)]}

    def _lookup_events(self, **asked: Any) -> Iterator[Any]:
        self.looked_up.append(asked)
        for record in self.events:
            yield {"Events": [{"CloudTrailEvent": json.dumps(record)}]}

    def attach_policy(self, PolicyId: str, TargetId: str) -> None:  # noqa: N803
        if self.busy:
            self.busy -= 1
            raise refused("ConcurrentModificationException")
        if PolicyId in self.attached[TargetId]:
            raise refused("DuplicatePolicyAttachmentException")
        self.attached[TargetId].append(PolicyId)

    def detach_policy(self, PolicyId: str, TargetId: str) -> None:  # noqa: N803
        if TargetId in self.refusing:
            raise refused("ConcurrentModificationException")
        self.attached[TargetId].remove(PolicyId)

    def describe_policy(self, PolicyId: str) -> Any:  # noqa: N803
        return {"Policy": {"Content": self.policies.get(PolicyId, "{}")}}

    def describe_organization(self) -> Any:
        return {"Organization": {"Id": "o-1", "FeatureSet": self.feature_set, "MasterAccountId": MANAGEMENT}}

    def list_roots(self) -> Any:
        return {"Roots": [{"Id": "r-ab12", "PolicyTypes": self.types}]}

    def list_parents(self, ChildId: str) -> Any:  # noqa: N803
        return {"Parents": [{"Id": self.parents[ChildId]}]}

    def get_caller_identity(self) -> Any:
        return {"Account": self.caller, "Arn": f"arn:aws:sts::{self.caller}:assumed-role/admin/me"}

    def get_parameter(self, **_: Any) -> Any:
        return {"Parameter": {"Value": "30"}}

    def get_role(self, **_: Any) -> Any:
        return {"Role": {"Arn": f"arn:aws:iam::{self.caller}:role/admin"}}

    def simulate_principal_policy(self, **_: Any) -> Any:
        return {"EvaluationResults": [{"EvalDecision": "allowed"}]}

    def describe_availability_zones(self, **_: Any) -> Any:
        status = "opted-in" if self.opted_in else "not-opted-in"
        return {"AvailabilityZones": [{"ZoneName": zone, "OptInStatus": status} for zone in self.zones]}


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(attachment, "sleep", found.append)
    return found


def staged(**more: Any) -> LocalZoneGuardrailsSettings:
    return LocalZoneGuardrailsSettings.model_validate({"targets": (FIRST, SECOND), "attach_by": "command", **more})


def run(name: str, organization: Organization, settings: GuardrailSettings, *arguments: str) -> Answer:
    from argparse import ArgumentParser

    (command,) = [command for command in COMMANDS if command.name == name]
    parser = ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(arguments), CommonSettings(), settings, organization)


# attach and detach


def test_attach_says_what_it_would_do_and_does_it_with_yes_one_target_at_a_time() -> None:
    organization = Organization(staged())
    for arguments, complete in (([], []), (["--yes"], [FIRST]), (["--yes"], [FIRST, SECOND])):
        run("attach", organization, staged(), *arguments)
        assert [t for t in (FIRST, SECOND) if set(organization.policies) <= set(organization.attached[t])] == complete
    again = run("attach", organization, staged(), "--yes")
    assert (list(again.rows), again.notes) == ([], ["Every target has every policy."])


def test_attach_can_take_all_targets_at_once() -> None:
    organization = Organization(staged())
    answer = run("attach", organization, staged(), "--yes", "--all")
    assert [row[2] for row in answer.rows] == ["attached", "attached"]
    assert len(organization.attached[SECOND]) == 3


def test_attach_goes_on_where_it_was_interrupted() -> None:
    organization = Organization(staged())
    organization.attached[FIRST].append("p-Transfer")
    (row, _) = run("attach", organization, staged(), "--yes").rows
    assert row == (FIRST, "Snapshots", "attached")


def test_attach_leaves_room_for_others_or_attaches_nothing() -> None:
    organization = Organization(staged())
    organization.attached[FIRST] += [f"p-{number}" for number in range(8)]
    with pytest.raises(CommandError, match="nothing was attached"):
        run("attach", organization, staged(), "--yes")
    assert not set(organization.policies) & set(organization.attached[FIRST])


@pytest.mark.parametrize("change", ["content", "missing", "surplus"])
def test_attach_wants_what_is_deployed_to_be_what_is_configured(change: str) -> None:
    organization = Organization(staged())
    if change == "content":
        organization.policies["p-Transfer"] = "{}"
    elif change == "missing":
        del organization.policies["p-Transfer"]
    else:
        organization.policies["p-Transfer2"] = "{}"
        organization.of_the_stack.append("p-Transfer2")
    with pytest.raises(CommandError, match=r"differs from the configuration \(Transfer"):
        run("attach", organization, staged(), "--yes")


def test_attach_needs_targets_and_a_deployed_stack() -> None:
    organization = Organization(staged())
    with pytest.raises(CommandError, match="no targets are named"):
        run("attach", organization, LocalZoneGuardrailsSettings(), "--yes")
    organization.stack_exists = False
    with pytest.raises(CommandError, match="cdk deploy -e local-zone-guardrails"):
        run("attach", organization, staged(), "--yes")


def test_each_target_gets_its_own_subnet_policy() -> None:
    settings = staged(subnets_by_target={FIRST: (SUBNET,), SECOND: (SUBNET,)})
    organization = Organization(settings)
    run("attach", organization, settings, "--yes", "--all")
    assert "p-SubnetsOuAb12First567" in organization.attached[FIRST]
    assert "p-SubnetsOuAb12First567" not in organization.attached[SECOND]


def test_detach_takes_everything_off_and_goes_on_when_one_cannot_be() -> None:
    organization = Organization(staged())
    run("attach", organization, staged(), "--yes", "--all")
    organization.refusing = {FIRST}
    answer = run("detach", organization, staged())
    assert not answer.ok
    assert organization.attached[SECOND] == ["p-FullAWSAccess"]
    assert f"Transfer is still attached to {FIRST}: ConcurrentModificationException" in answer.notes
    organization.refusing = set()
    assert run("detach", organization, staged()).ok
    assert organization.attached[FIRST] == ["p-FullAWSAccess"]


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


# check and cost


def look(organization: Organization, settings: GuardrailSettings) -> dict[str, tuple[str, str]]:
    return {f.what: (f.status, f.says) for f in findings(CommonSettings(), settings, organization)}


def test_a_healthy_organization_has_no_problem() -> None:
    settings = staged(zones=("us-west-2-lax-1a",))
    found = look(Organization(settings), settings)
    assert {what for what in found if not what.startswith("note: ")} == {
        "account", "bootstrap", "permissions", "organization", "names", f"target {FIRST}", f"target {SECOND}", "zones"
    }  # fmt: skip
    assert [found[f"note: {key}"] for key, _ in settings.warnings()] == [
        ("ok", says) for _, says in settings.warnings()
    ]
    assert {status for status, _ in found.values()} == {"ok"}


def test_policies_that_are_attached_already_are_not_counted_again() -> None:
    settings = staged(scp_max_per_target=5)
    organization = Organization(settings)
    organization.attached[FIRST] += ["p-1", "p-2"]
    before = look(organization, settings)
    run("attach", organization, settings, "--yes", "--all")
    assert look(organization, settings) == before
    assert before[f"target {FIRST}"] == ("ok", "3 policies of others, 2 of these")


def test_what_would_stop_a_deployment_is_found() -> None:
    settings = staged(zones=("us-west-2-nyc-1a",), targets=(FIRST, MANAGEMENT, "ou-ab12-nowhere1"))
    organization = Organization(settings)
    organization.attached[FIRST] += [f"p-{number}" for number in range(9)]
    found = look(organization, settings)
    assert found[f"target {FIRST}"][0] == "problem"
    assert "management account" in found[f"target {MANAGEMENT}"][1]
    assert found["target ou-ab12-nowhere1"] == ("unknown", "Operation: TargetNotFoundException")
    assert found["zones"][0] == "problem"
    organization.types = []
    assert "not enabled" in look(organization, settings)["organization"][1]
    organization.feature_set = "CONSOLIDATED_BILLING"
    assert look(organization, settings)["organization"][0] == "problem"


def test_another_account_than_the_management_account_may_be_delegated() -> None:
    organization = Organization(LocalZoneGuardrailsSettings())
    organization.caller = "111122223333"
    assert look(organization, LocalZoneGuardrailsSettings())["organization"][0] == "unknown"


@pytest.mark.parametrize(
    ("caller", "status", "says"),
    [
        (MANAGEMENT, "ok", "only check with their credentials"),
        ("111122223333", "problem", "has not opted in to us-west"),
    ],
)
def test_whether_an_account_has_opted_in_to_the_zones_is_asked_with_its_credentials(
    caller: str, status: str, says: str
) -> None:
    settings = staged(zones=("us-west-2-lax-1a",))
    organization = Organization(settings)
    organization.caller, organization.opted_in = caller, False
    found = look(organization, settings)["zones"]
    assert found[0] == status and says in found[1]


def test_targets_below_each_other_with_different_subnets_would_allow_nothing() -> None:
    settings = staged(subnets_by_target={FIRST: (SUBNET,), SECOND: (SUBNET[:-1] + "1",)})
    organization = Organization(settings)
    organization.parents[SECOND] = FIRST
    status, says = look(organization, settings)[f"target {SECOND}"]
    assert status == "problem" and FIRST in says


def test_the_subnet_statement_of_the_other_solution_on_a_target_is_found() -> None:
    settings = staged(subnets=(SUBNET,))
    organization = Organization(settings)
    organization.policies["p-Other"] = OutpostsGuardrailsSettings(subnets=(SUBNET,)).policies[-1].text("aws")
    organization.attached["r-ab12"] = ["p-Other"]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "DenyNotOutpostSubnet" in says


@pytest.mark.parametrize("place", [FIRST, "222233334444", "ou-ab12-nested67", "r-ab12"])
@pytest.mark.parametrize("model", [LocalZoneGuardrailsSettings, OutpostsGuardrailsSettings])
def test_a_subnet_statement_of_another_policy_is_found_above_and_below(
    place: str, model: type[GuardrailSettings]
) -> None:
    """Also of our own Sid: another prefix, or made from files."""
    settings = staged(subnets=(SUBNET,))
    organization = Organization(settings)
    organization.parents |= {"222233334444": "ou-ab12-nested67", "ou-ab12-nested67": FIRST}
    organization.attached |= {"222233334444": [], "ou-ab12-nested67": []}
    organization.policies["p-Other"] = model(subnets=(SUBNET,)).policies[-1].text("aws")
    organization.attached[place].append("p-Other")
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "p-Other" in says


@pytest.mark.parametrize("prefix", ["AWSAccelerator", "Acme"])
def test_where_the_accelerator_has_policies_check_warns(prefix: str) -> None:
    """awslabs/landing-zone-accelerator-on-aws#889: the policies of its sample are named AcceleratorGuardrails1, ...

    Its function detaches what others attach to its units. It tags its policies by its prefix, which is a choice.
    """
    settings = staged()
    organization = Organization(settings)
    organization.attached[FIRST].append("p-AcceleratorGuardrails1")
    organization.tags["p-AcceleratorGuardrails1"] = [{"Key": f"{prefix}Managed", "Value": "Yes"}]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "unknown" and "Landing Zone Accelerator" in says
    assert look(organization, settings)[f"target {SECOND}"][0] == "ok"


def test_a_policy_that_the_stack_has_left_behind_is_none_of_ours_any_more() -> None:
    """It stays in force under its name: it is counted, its subnets intersect with ours, and its name is taken."""
    settings = staged(subnets=(SUBNET,), scp_max_per_target=4)
    organization = Organization(settings)
    organization.of_the_stack.remove("p-Subnets")
    organization.attached[FIRST].append("p-Subnets")
    found = look(organization, settings)
    assert found["names"][0] == "problem" and "local-zone-guardrails-subnets" in found["names"][1]
    assert found[f"target {FIRST}"][0] == "problem" and "2 policies of others" in found[f"target {FIRST}"][1]
    roomy = look(organization, staged(subnets=(SUBNET,)))[f"target {FIRST}"]
    assert roomy[0] == "problem" and "DenyNotLocalZonesSubnet of local-zone-guardrails-subnets" in roomy[1]


def test_before_the_first_deployment_no_policy_is_ours() -> None:
    settings = staged()
    organization = Organization(settings)
    organization.policies, organization.stack_exists = {}, False
    found = look(organization, settings)
    assert found["names"][0] == found[f"target {FIRST}"][0] == "ok"


def test_a_policy_of_one_statement_without_a_list_is_read() -> None:
    settings = staged(subnets=(SUBNET,))
    organization = Organization(settings)
    (statement,) = json.loads(organization.policies["p-Subnets"])["Statement"]
    organization.policies["p-Other"] = json.dumps({"Version": "2012-10-17", "Statement": statement})
    organization.attached["r-ab12"] = ["p-Other"]
    status, says = look(organization, settings)[f"target {FIRST}"]
    assert status == "problem" and "DenyNotLocalZonesSubnet of p-Other" in says


def test_attach_goes_on_while_organizations_changes_something_else(slept: list[float]) -> None:
    settings = staged()
    organization = Organization(settings)
    organization.busy = 3
    assert run("attach", organization, settings, "--yes").ok
    assert set(organization.policies) <= set(organization.attached[FIRST]) and slept[:3] == [1, 2, 4]


def test_attach_says_what_somebody_takes_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = staged()
    organization = Organization(settings)
    monkeypatch.setattr(attachment, "sleep", lambda _: organization.attached[FIRST].clear())
    answer = run("attach", organization, settings, "--yes")
    assert not answer.ok and any("Taken off again" in note for note in answer.notes)


def test_attach_names_what_is_on_a_target_that_was_taken_out() -> None:
    """awslabs/landing-zone-accelerator-on-aws#115, #699"""
    settings = staged()
    organization = Organization(settings)
    run("attach", organization, settings, "--yes", "--all")
    answer = run("attach", organization, staged(targets=(FIRST,)))
    assert any(SECOND in note for note in answer.notes)


def test_a_policy_with_other_line_feeds_is_current() -> None:
    settings = staged()
    organization = Organization(settings)
    organization.policies = {
        name: json.dumps(json.loads(text), indent=1) for name, text in organization.policies.items()
    }
    assert run("attach", organization, settings).rows


def test_policies_are_counted_and_cost_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local_zone_guardrails", "cost", "--json"]) == 0
    (unit,) = json.loads(capsys.readouterr().out)["idle_month"]
    assert (unit["unit"], unit["quantity"]) == ("service_control_policy_month", 2)
    settings = OutpostsGuardrailsSettings(subnets=(SUBNET,))
    (billed,) = outposts_commands.idle_month(CommonSettings(), settings)
    assert billed.quantity == 3
