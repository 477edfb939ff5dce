"""The administrator's stacks: the stack set, the buckets of its code, and what ``cdk deploy`` puts into them."""

import json
import re
from typing import Any

import pytest

from stacks.series import SOLUTIONS
from tests import variants
from tests.conformance.authorization.rule import authorization
from tests.conformance.deliveries.rule import look
from tests.conformance.templates import Template

Json = dict[str, Any]

EVERYWHERE = [solution.slug for solution in SOLUTIONS if solution.accounts == "every account"]
REGIONS = ("eu-central-1", "us-east-1")
CONFIG = variants.configuration(variants.STACK_SETS)
every_set = pytest.mark.parametrize("slug", EVERYWHERE)
every_region = pytest.mark.parametrize("region", REGIONS)


def read(name: str) -> Json:
    found: Json = json.loads((variants.folder() / variants.STACK_SETS / name).read_text(encoding="utf-8"))
    return found


def of_type(template: Json, kind: str) -> list[Json]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def stack_set(slug: str) -> Json:
    (found,) = of_type(read(f"{slug}_stack_set.json"), "AWS::CloudFormation::StackSet")
    return found


def manifest(slug: str) -> Json:
    files: Json = read(f"assembly/{slug.replace('_', '-')}-stack-set.assets.json")["files"]
    return files


def template_of(slug: str) -> Json:
    """The template that the stack set deploys: the file to which its address leads."""
    (hashed,) = re.findall(r"/([0-9a-f]{64})\.json$", stack_set(slug)["TemplateURL"]["Fn::Sub"])
    return read(f"assembly/{manifest(slug)[hashed]['source']['path']}")


def test_there_is_a_stack_for_each_set_one_for_each_region_and_no_other() -> None:
    names = {path.stem for path in (variants.folder() / variants.STACK_SETS).glob("*.json")}
    sets = {f"{slug}_stack_set" for slug in EVERYWHERE}
    assert names == sets | {f"stack_set_assets_{region.replace('-', '_')}" for region in REGIONS}


@every_set
def test_the_organization_names_the_accounts_and_the_configuration_everything_else(slug: str) -> None:
    assert CONFIG.stack_sets
    wanted, found = CONFIG.stack_sets.solutions[slug], stack_set(slug)
    assert found["PermissionModel"] == "SERVICE_MANAGED" and found["CallAs"] == "DELEGATED_ADMIN"
    assert found["StackInstancesGroup"] == [
        {
            "DeploymentTargets": {"OrganizationalUnitIds": list(wanted.organizational_unit_ids)},
            "Regions": list(wanted.regions),
        }
    ]
    assert found["OperationPreferences"] == {
        "FailureTolerancePercentage": wanted.failure_tolerance_percent,
        "MaxConcurrentPercentage": 100,
        "ConcurrencyMode": wanted.concurrency_mode,
        "RegionConcurrencyType": wanted.region_concurrency,
        "RegionOrder": list(wanted.regions),
    }
    # "Specify only if Enabled is set to True", says the type's schema.
    automatic = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert found["AutoDeployment"] == (automatic if wanted.auto_deployment else {"Enabled": False})
    assert {"Key": "solution", "Value": slug} in found["Tags"] and found["Capabilities"] == ["CAPABILITY_IAM"]


@every_set
def test_the_stacks_are_of_no_account_no_region_and_no_bootstrap(slug: str) -> None:
    template = template_of(slug)
    text = json.dumps(template)
    assert "BootstrapVersion" not in text and "cdk-hnb659fds" not in text
    assert not any(region in text for region in REGIONS)
    # The default execution role of StackSets can deploy neither.
    assert "Transform" not in template and not of_type(template, "AWS::CloudFormation::Stack")
    keys = {each["ParameterKey"] for each in stack_set(slug)["Parameters"]}
    needed = {name for name, each in template["Parameters"].items() if "Default" not in each}
    assert needed <= keys <= template["Parameters"].keys()


@every_set
def test_every_name_fits_under_the_longest_name_that_stack_sets_give_a_stack(slug: str) -> None:
    # StackSet-<name>-<UUID>, and 31 characters of a prefix with a hyphen.
    longest = f"StackSet-{'p' * 31}-{slug.replace('_', '-')}-{'0' * 36}"
    assert len(longest) <= 128  # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
    template = template_of(slug)
    names = [
        properties[key]
        for kind, key in (("AWS::SSM::Association", "AssociationName"), ("AWS::SSM::Parameter", "Name"))
        for properties in of_type(template, kind)
        if key in properties
    ]
    for name in names:
        parts = name["Fn::Join"][1] if isinstance(name, dict) and "Fn::Join" in name else [name]
        text = "".join(longest if isinstance(part, dict) else part for part in parts)
        assert len(text) <= 128, text


@every_set
def test_every_asset_goes_to_the_bucket_that_the_template_reads_in_each_region(slug: str) -> None:
    assert CONFIG.stack_sets
    regions = CONFIG.stack_sets.solutions[slug].regions
    values = {each["ParameterKey"]: each["ParameterValue"] for each in stack_set(slug)["Parameters"]}
    code = [each["Code"] for each in of_type(template_of(slug), "AWS::Lambda::Function")]
    assert code
    for each in code:
        bucket, key = (each[name]["Fn::Sub"] for name in ("S3Bucket", "S3Key"))
        file = manifest(slug)[key.replace("${AssetsPrefix}", values["AssetsPrefix"])]
        assert read_bytes(file["source"]["path"]).startswith(b"PK")
        named = {region: bucket.replace("${AssetsBucket}", values["AssetsBucket"]) for region in regions}
        assert {one["region"]: one["bucketName"] for one in file["destinations"].values()} == {
            region: name.replace("${AWS::Region}", region) for region, name in named.items()
        }


@pytest.mark.parametrize(
    "name",
    [*(f"{slug}_stack_set" for slug in EVERYWHERE), *(f"stack_set_assets_{r.replace('-', '_')}" for r in REGIONS)],
)
def test_the_rules_of_aws_hold_for_the_administrators_stacks_too(name: str) -> None:
    slug = name.removesuffix("_stack_set") if name.endswith("_stack_set") else EVERYWHERE[0]
    template = Template(variants.STACK_SETS, slug, read(f"{name}.json"), CONFIG.solutions[slug], CONFIG.common)
    found = [*authorization(template), *(each for one in look(template) for each in one.findings())]
    assert not found, "\n".join(map(str, found))


def read_bytes(name: str) -> bytes:
    return (variants.folder() / variants.STACK_SETS / "assembly" / name).read_bytes()


@every_set
def test_the_buckets_are_there_before_the_stack_set_and_before_its_assets(slug: str) -> None:
    assert CONFIG.stack_sets
    artifact = read("assembly/manifest.json")["artifacts"][f"{slug.replace('_', '-')}-stack-set"]
    wanted = {f"stack-set-assets-{region}" for region in CONFIG.stack_sets.solutions[slug].regions}
    assert wanted <= set(artifact["dependencies"])


@every_region
def test_the_organization_reads_a_bucket_the_bootstrap_role_writes_and_nobody_else(region: str) -> None:
    template = read(f"stack_set_assets_{region.replace('-', '_')}.json")
    (bucket,), (policy,) = of_type(template, "AWS::S3::Bucket"), of_type(template, "AWS::S3::BucketPolicy")
    assert bucket["BucketName"] == f"acme-stack-sets-{region}"
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    reads, writes = allowed
    assert reads["Action"] == "s3:GetObject" and reads["Principal"] == {"AWS": "*"}
    assert reads["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert f"-{region}" in json.dumps(writes["Principal"]) and "file-publishing-role" in json.dumps(writes["Principal"])
    assert not any("Delete" in action or "*" in action for action in writes["Action"])
    # Code that an account runs may be old; the emptier takes it with the bucket.
    assert "LifecycleConfiguration" not in bucket
