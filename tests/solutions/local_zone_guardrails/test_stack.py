"""What the post on data residency in Local Zones promises, read off the templates."""

import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.guardrails.settings import GuardrailSettings
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Template
from tests.variants import Json

SLUG = "local_zone_guardrails"


def policies(variant: str, slug: str = SLUG) -> dict[str, Json]:
    """Properties of the policies by logical id."""
    found = Template.from_string(json.dumps(variants.templates(variant)[slug])).find_resources(
        "AWS::Organizations::Policy"
    )
    return {name: resource["Properties"] for name, resource in found.items()}


def text(content: Any, partition: str) -> str:
    """The content in a partition."""
    if isinstance(content, str):
        return content
    assert list(content) == ["Fn::Join"]
    separator, pieces = content["Fn::Join"]
    return str(separator.join(piece if isinstance(piece, str) else partition for piece in pieces))


def settings(variant: str, slug: str = SLUG) -> GuardrailSettings:
    found = variants.configuration(variant).solutions[slug]
    assert isinstance(found, GuardrailSettings)
    return found


def warnings(variant: str, slug: str = SLUG) -> list[str]:
    path = variants.assembly(variant) / "validation-report.json"
    if not path.exists():  # nothing was found
        return []
    report = json.loads(path.read_text(encoding="utf-8"))
    return [
        violation["description"]
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        if violation["ruleName"].startswith(f"Annotation::{slug}:")
    ]


EVERY = pytest.mark.parametrize("variant", variants.variants_of(SLUG))


@EVERY
def test_nothing_but_service_control_policies_is_made(variant: str) -> None:
    kinds = {resource["Type"] for resource in variants.template(variant, SLUG)["Resources"].values()}
    assert kinds == {"AWS::Organizations::Policy"}
    assert {policy["Type"] for policy in policies(variant).values()} == {"SERVICE_CONTROL_POLICY"}


@EVERY
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_what_is_deployed_is_what_was_measured_in_any_partition(variant: str, partition: str) -> None:
    wanted = settings(variant)
    for planned in wanted.policies:
        deployed = text(policies(variant)[planned.id]["Content"], wanted.partition or partition)
        assert deployed == planned.text(wanted.partition or partition)
        assert len(deployed) <= planned.characters(wanted.partition) <= wanted.scp_max_characters


@EVERY
def test_every_statement_denies(variant: str) -> None:
    for policy in policies(variant).values():
        for statement in json.loads(text(policy["Content"], "aws"))["Statement"]:
            assert statement["Effect"] == "Deny"


def test_nothing_is_attached_unless_targets_are_named() -> None:
    assert not [policy for policy in policies("default").values() if "TargetIds" in policy]
    assert {tuple(policy["TargetIds"]) for policy in policies("rails").values()} == {
        ("ou-ab12-canary34", "210987654321")
    }


def test_the_command_attaches_what_the_deployment_leaves() -> None:
    assert settings("enterprise").targets and settings("enterprise").attach_by == "command"
    assert not [policy for policy in policies("enterprise").values() if "TargetIds" in policy]


def test_synthesis_is_silent_on_a_section_that_nobody_has_configured_and_check_is_not() -> None:
    assert warnings("default") == []
    said = " ".join(says for _, says in settings("default").warnings())
    assert "AWS Outposts included" in said and "DenyNotLocalZonesSubnet is left out" in said
    assert "names no ec2:Subnet for CreateNetworkInterface" in " ".join(warnings("enterprise"))
    assert "services_in_zone lacks" in " ".join(warnings("rails"))


def test_names_are_those_of_the_stack_so_that_two_copies_differ() -> None:
    names = [policy["Name"] for policy in policies("enterprise").values()]
    assert names == ["acme-local-zone-guardrails-transfer", "acme-local-zone-guardrails-snapshots",
                     "acme-local-zone-guardrails-subnets"]  # fmt: skip


def test_policies_come_one_after_the_other() -> None:
    found = variants.templates("rails")[SLUG]["Resources"]
    assert found["Snapshots"]["DependsOn"] == ["Transfer"]
    assert found["Subnets"]["DependsOn"] == ["Snapshots"]


def test_outputs_name_the_policies_and_the_way_back() -> None:
    outputs = variants.templates("default")[SLUG]["Outputs"]
    assert outputs["TransferPolicyId"]["Value"] == {"Fn::GetAtt": ["Transfer", "Id"]}
    assert outputs["Detach"]["Value"] == f"python -m stacks {SLUG} detach"


@pytest.mark.parametrize("variant", ["default", "rails", "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
