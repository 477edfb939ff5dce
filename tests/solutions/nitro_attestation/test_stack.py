"""What nitro_attestation promises, read off the templates."""

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from config.models import CommonSettings
from stacks.nitro_attestation.guardrail import BLIND_SPOTS, LOOKED_AT
from stacks.nitro_attestation.key_policy import WATCHED, deploying_role
from stacks.nitro_attestation.key_settings import TpmKey
from stacks.shared.agent import AGENT_ACTIONS
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.solutions.nitro_attestation.rendered import SLUG
from tests.template import Match, Template
from tests.variants import ROOT, Json

README = (ROOT / "stacks" / SLUG / "README.md").read_text(encoding="utf-8")


def template(variant: str = variants.DEFAULT) -> Template:
    return Template.from_string(json.dumps(variants.template(variant, SLUG)))


def actions(of: Template, role: str) -> set[str]:
    found: set[str] = set()
    for name, policy in of.find_resources("AWS::IAM::Policy").items():
        if name.startswith(role):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                found |= {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])
    return found


def launch(of: Template, name: str) -> Json:
    (data,) = (
        one["Properties"]["LaunchTemplateData"]
        for logical_id, one in of.find_resources("AWS::EC2::LaunchTemplate").items()
        if logical_id.startswith(name)
    )
    return dict(data)


def test_the_look_reads_and_publishes_and_nothing_else() -> None:
    found = actions(template(), "LookRole")
    assert found >= set(LOOKED_AT) and found >= {"cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"}
    others = {action for action in found if not action.partition(":")[2].startswith(("Describe", "Get"))}
    assert others == {"cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:PutLogEvents"}
    assert {action.partition(":")[0] for action in found} == {"cloudtrail", "cloudwatch", "ec2", "logs"}


def test_the_look_lists_regions_only_where_the_settings_name_none() -> None:
    assert "ec2:DescribeRegions" in actions(template(), "LookRole")
    assert "ec2:DescribeRegions" not in actions(template("attested"), "LookRole")


@pytest.mark.parametrize(
    ("variant", "rate"), [("default", "rate(6 hours)"), ("attested", "rate(1 hour)"), ("enterprise", "rate(1 day)")]
)
def test_the_look_runs_as_often_as_configured(variant: str, rate: str) -> None:
    template(variant).has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": rate})


def test_by_default_there_is_no_policy_and_no_key() -> None:
    of = template()
    for kind in ("AWS::Organizations::Policy", "AWS::KMS::Key"):
        assert not of.find_resources(kind), kind


def test_the_parent_holds_enclaves_and_never_hibernates() -> None:
    data = launch(template("attested"), "Enclave")
    assert data["EnclaveOptions"] == {"Enabled": True}
    assert data["HibernationOptions"] == {"Configured": False}
    assert data["InstanceType"] == "m5.xlarge"
    script = json.dumps(data["UserData"])
    assert "memory_mib: 2048" in script and "cpu_count: 2" in script
    assert not [name for name in ("@CPUS@", "@MEMORY_MIB@", "@REGION@", "@SUFFIX@", "@STACK@") if name in script]


def test_the_instance_with_a_tpm_boots_the_attestable_image_and_no_user_data() -> None:
    data = launch(template("attested"), "Tpm")
    assert data["ImageId"] == "ami-0123456789abcdef0"
    assert "UserData" not in data and data["EnclaveOptions"] == {"Enabled": False}


@pytest.mark.parametrize("name", ["Enclave", "Tpm"])
@pytest.mark.parametrize("variant", ["attested", "enterprise"])
def test_every_template_requires_imdsv2_and_encrypts_its_volume(variant: str, name: str) -> None:
    data = launch(template(variant), name)
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert all(one["Ebs"]["Encrypted"] is True for one in data["BlockDeviceMappings"])
    assert "KeyName" not in data and "SecurityGroupIds" not in data


def test_the_roles_of_the_templates_have_no_right_on_the_key_but_by_its_policy() -> None:
    of = template("attested")
    assert actions(template("enterprise"), "EnclaveRole") == {"cloudwatch:PutMetricData"}
    assert actions(of, "EnclaveRole") == {"cloudwatch:PutMetricData", *AGENT_ACTIONS}  # session_manager
    assert actions(of, "TpmRole") == set()


def test_an_attested_key_encrypts_nothing_of_the_stack() -> None:
    of = template("attested")
    keys = set(of.find_resources("AWS::KMS::Key"))
    rest = {name: one for name, one in of.to_json()["Resources"].items() if one["Type"] != "AWS::Events::Rule"}
    assert len(keys) == 2
    assert not [name for name in rest if name not in keys and any(f'"{key}"' in json.dumps(rest[name]) for key in keys)]


def test_a_key_waits_for_its_role_and_names_the_role_that_deploys() -> None:
    for name, one in template("attested").find_resources("AWS::KMS::Key").items():
        assert any("Role" in needed for needed in one["DependsOn"]), name
        administration = next(
            statement
            for statement in one["Properties"]["KeyPolicy"]["Statement"]
            if statement["Sid"] == "Administration"
        )
        assert "cfn-exec-role" in json.dumps(administration["Principal"])


def test_the_bootstrap_qualifier_is_that_of_the_configuration() -> None:
    found = json.dumps(template("enterprise").find_resources("AWS::KMS::Key"))
    qualifier = variants.configuration("enterprise").common.bootstrap_qualifier or "hnb659fds"
    assert f"cdk-{qualifier}-cfn-exec-role-" in found


def test_another_role_of_cloudformation_takes_the_place_of_the_bootstraps() -> None:
    """aws-solutions/innovation-sandbox-on-aws#31; beside it the other would be a principal that does not exist."""
    own = "arn:aws:iam::123456789012:role/pipeline-cloudformation"
    key = TpmKey(measurements=("tpm.json",), cloudformation_role_arn=own)
    assert deploying_role(key, CommonSettings(), partition="aws", account="1", region="r") == own
    asked = TpmKey(measurements=("tpm.json",), cloudformation_role_arn=own, producer_arns=(own,)).problems()
    assert "must not use the key as well" in {one.key: one.message for one in asked}[("cloudformation_role_arn",)]


def test_kept_data_keeps_the_key_that_has_encrypted_it() -> None:
    for variant, wanted in (("attested", "Delete"), ("enterprise", "Retain")):
        policies = {one["DeletionPolicy"] for one in template(variant).find_resources("AWS::KMS::Key").values()}
        assert policies == {wanted}


@pytest.mark.parametrize("variant", ["attested", "enterprise"])
def test_every_change_of_a_key_is_told_refused_ones_included(variant: str) -> None:
    of = template(variant)
    for key in of.find_resources("AWS::KMS::Key"):
        of.has_resource_properties(
            "AWS::Events::Rule",
            {
                "EventPattern": {
                    "detail-type": ["AWS API Call via CloudTrail"],
                    "detail": {
                        "eventSource": ["kms.amazonaws.com"],
                        "eventName": list(WATCHED),
                        "resources": {"ARN": [{"Fn::GetAtt": [key, "Arn"]}]},
                    },
                },
                "Targets": [Match.object_like({"InputTransformer": Match.any_value()})],
            },
        )
    assert {"PutKeyPolicy", "CreateGrant", "ScheduleKeyDeletion", "DisableKey"} <= set(WATCHED)


@pytest.mark.parametrize(("variant", "alarms"), [("default", 0), ("attested", 1), ("enterprise", 1)])
def test_whoever_has_a_key_hears_that_no_trail_keeps_its_changes(variant: str, alarms: int) -> None:
    found = template(variant).find_resources("AWS::CloudWatch::Alarm").values()
    assert [one["Properties"].get("MetricName") for one in found].count("TrailMissing") == alarms


def test_the_policies_go_to_the_targets_one_after_the_other() -> None:
    found = template("organization").find_resources("AWS::Organizations::Policy")
    assert {one["Properties"]["Type"] for one in found.values()} == {"SERVICE_CONTROL_POLICY", "DECLARATIVE_POLICY_EC2"}
    assert all(one["Properties"]["TargetIds"] == ["ou-ab12-cdefgh34"] for one in found.values())
    assert found["Declarative"]["DependsOn"] == ["OnlyNitro"]
    assert "2026-08-02" in found["OnlyNitro"]["Properties"]["Description"]


def test_the_readme_says_what_the_policy_cannot_see() -> None:
    squeezed = " ".join(README.split())
    assert [spot for spot in BLIND_SPOTS if spot not in squeezed] == []


@pytest.mark.parametrize("variant", ["default", "attested", "enterprise", "organization"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
