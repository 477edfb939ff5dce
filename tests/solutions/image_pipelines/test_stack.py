"""What the post on image pipelines promises, read off the templates."""

import json
import re
from functools import partial
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.image_pipelines.component import ROOT
from stacks.image_pipelines.names import component_names, fingerprint
from tests import variants
from tests.prepared import prepared
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, allowed, synthesized
from tests.variants import Json

SLUG = "image_pipelines"
DEPENDENCIES = "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE"
ALWAYS = "EXPRESSION_MATCH_ONLY"
MARK, PROOF = "stacks/image_pipelines/documents/mark", "stacks/image_pipelines/documents/parent"


template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def windows() -> Template:
    return template("nat")


def named(of: Template, kind: str, name: str) -> Json:
    (found,) = [r for r in of.find_resources(f"AWS::ImageBuilder::{kind}").values() if r["Properties"]["Name"] == name]
    return dict(found)


def arns(recipe: Json) -> list[str]:
    return [re.sub(r"\W+", " ", json.dumps(item["ComponentArn"])) for item in recipe["Properties"]["Components"]]


# The cascade


def test_gold_is_the_newest_public_image_with_updates_and_own_components(default: Template) -> None:
    recipe = named(default, "ImageRecipe", "image-pipelines-gold")
    parent = "ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    assert recipe["Properties"]["ParentImage"] == parent
    updates, own, mark = arns(recipe)
    assert "aws component update linux x x x" in updates
    assert "GetAtt" in own and "baseline" in own
    assert "GetAtt" in mark and "mark" in mark


def test_updates_come_first_and_the_stig_last_with_its_level(enterprise: Template) -> None:
    recipe = named(enterprise, "ImageRecipe", "acme-image-pipelines-gold")
    updates, _, stig = arns(recipe)
    assert "update linux" in updates and "stig build linux x x x" in stig
    assert recipe["Properties"]["Components"][-1]["Parameters"] == [{"Name": "Level", "Value": ["High"]}]


def test_hardened_images_and_what_is_built_on_them_run_components_outside_of_tmp(
    default: Template, enterprise: Template
) -> None:
    """STIG mounts /tmp noexec, and components run there by default: https://github.com/aws/aws-parallelcluster/pull/7515."""
    for recipe in enterprise.find_resources("AWS::ImageBuilder::ImageRecipe").values():
        assert recipe["Properties"]["WorkingDirectory"] == "/opt"
    assert "WorkingDirectory" not in json.dumps(default.to_json())


@pytest.mark.parametrize(
    ("name", "parent"), [("web-shop", "gold"), ("batch", "web-shop")], ids=["workload", "workload of a workload"]
)
def test_a_workload_s_parent_is_the_parameter_that_its_parent_s_distribution_writes(
    enterprise: Template, name: str, parent: str
) -> None:
    recipe = named(enterprise, "ImageRecipe", f"acme-image-pipelines-{name}")
    written = named(enterprise, "DistributionConfiguration", f"acme-image-pipelines-{parent}")
    here, there = written["Properties"]["Distributions"]
    public, parameter = (one["ParameterName"] for one in here["SsmParameterConfigurations"])
    assert [one["ParameterName"] for one in there["SsmParameterConfigurations"]] == [public]
    assert parameter == f"{public}/parent-ubuntu-24.04-x86_64", "another base must be another parameter"
    assert recipe["Properties"]["ParentImage"] == f"ssm:{parameter}"
    seeds = enterprise.find_resources("Custom::NewestImageParameter")
    (seed,) = [key for key, item in seeds.items() if item["Properties"]["Name"] == parameter]
    assert seed in recipe["DependsOn"], "the recipe could come before its parent's parameter"
    assert seeds[seed]["Properties"]["Source"].startswith("/aws/service/canonical/ubuntu/server/24.04/")


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_what_children_build_on_changes_at_once_and_what_people_launch_from_is_an_image(variant: str) -> None:
    """An event starts the children: a value of the type aws:ec2:image could still be the one before.

    Launch templates and instance refreshes take that type only: https://github.com/aws-samples/cdk-image-pipeline/issues/290.
    """
    of = template(variant)
    seeds = of.find_resources("Custom::NewestImageParameter").values()
    for_children = {seed["Properties"]["Name"] for seed in seeds if seed["Properties"]["Source"]}
    for distribution in of.find_resources("AWS::ImageBuilder::DistributionConfiguration").values():
        for target in distribution["Properties"]["Distributions"]:
            for written in target.get("SsmParameterConfigurations", []):
                kind = "text" if written["ParameterName"] in for_children else "aws:ec2:image"
                assert written["DataType"] == kind, written


def test_only_what_others_build_on_is_seeded_and_never_what_people_launch_from(enterprise: Template) -> None:
    seeds = enterprise.find_resources("Custom::NewestImageParameter").values()
    sources = {
        item["Properties"]["Name"].split("pipelines/")[1]: (bool(item["Properties"]["Source"])) for item in seeds
    }
    base = "parent-ubuntu-24.04-x86_64"
    assert sources == {
        "gold": False,
        f"gold/{base}": True,
        "web-shop": False,
        f"web-shop/{base}": True,
        "batch": False,
    }
    shown = [value["Value"] for name, value in enterprise.find_outputs("*").items() if name.endswith("Parameter")]
    assert shown and not any(base in json.dumps(value) for value in shown)


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_every_image_proves_that_its_parent_was_built_before_anything_else_is_done(variant: str) -> None:
    of = template(variant)
    files = {
        name: item["Properties"]["Data"] for name, item in of.find_resources("AWS::ImageBuilder::Component").items()
    }

    def lineage(recipe: Json, title: str) -> list[tuple[int, str]]:
        found = []
        for index, component in enumerate(recipe["Properties"]["Components"]):
            arn = component["ComponentArn"]
            reference = arn.get("Fn::GetAtt", [""])[0] if isinstance(arn, dict) else ""
            if files.get(reference, "").startswith(f"name: {title}\n"):
                (parameter,) = component["Parameters"]
                assert parameter["Name"] == "Pipeline"
                found.append((index, parameter["Value"][0]))
        return found

    recipes = {one["Properties"]["Name"]: one for one in of.find_resources("AWS::ImageBuilder::ImageRecipe").values()}
    marks = {name: [mark for _, mark in lineage(recipe, "Mark")] for name, recipe in recipes.items()}
    for name, recipe in recipes.items():
        proofs = lineage(recipe, "Parent")
        if "/aws/service/" in recipe["Properties"]["ParentImage"]:
            assert not proofs and name.endswith("-gold")
            continue
        ((index, parent),) = proofs
        assert index == 0 and marks[parent] == [parent], f"{name} is not held to {parent}"
        assert recipe["Properties"]["ParentImage"].split("/")[-2] == parent.split("image-pipelines-")[1]


@pytest.mark.parametrize(("platform", "asks"), [("linux", "test -e"), ("windows", "Test-Path")])
def test_the_proof_looks_for_the_file_that_the_mark_makes(platform: str, asks: str) -> None:
    mark, proof = ((ROOT / f"{path}-{platform}.yaml").read_text(encoding="utf-8") for path in (MARK, PROOF))
    path = {"linux": "/etc/image-pipelines/{{ Pipeline }}", "windows": "image-pipelines\\{{ Pipeline }}"}[platform]
    assert path in mark and path in proof and asks in proof and "exit 1" in proof


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_parameters_are_where_the_service_s_own_role_may_read_them(variant: str) -> None:
    text = json.dumps(variants.template(variant, SLUG))
    assert re.findall(r'"ParameterName": "(/[^"]+)"', text)
    assert all(name.startswith("/imagebuilder/") for name in re.findall(r'"ParameterName": "(/[^"]+)"', text))


def test_the_execution_role_has_two_rights_of_its_own_and_its_own_parameter(default: Template) -> None:
    parameter, describe, *_ = default.statements("GoldRole")
    assert parameter["Action"] == "ssm:PutParameter"
    ends = [re.search(r":parameter(/[^\"]+)", json.dumps(arn))[1] for arn in parameter["Resource"]]  # type: ignore[index]
    assert ends == [f"/imagebuilder/image-pipelines/gold{more}" for more in ("", "/parent-al2023-arm64")]
    assert (describe["Action"], describe["Resource"]) == ("ec2:DescribeImages", "*")
    pipeline = named(default, "ImagePipeline", "image-pipelines-gold")
    assert "GoldRole" in json.dumps(pipeline["Properties"]["ExecutionRole"])


def test_the_execution_role_may_build_and_neither_write_elsewhere_nor_pass_another_role(default: Template) -> None:
    """Image Builder does by it all that it does for the pipeline, not the parameter alone."""
    (role,) = [found for name, found in default.find_resources("AWS::IAM::Role").items() if name.startswith("GoldRole")]
    (policy,) = role["Properties"]["ManagedPolicyArns"]
    assert json.dumps(policy).endswith(':iam::aws:policy/EC2ImageBuilderExecutionPolicy"]]}')
    denied = [s for s in default.statements("GoldRole") if s["Effect"] == "Deny"]
    assert [statement["Action"] for statement in denied] == ["ssm:PutParameter", "iam:PassRole"]
    others = [json.dumps(arn) for arn in denied[0]["NotResource"]]
    assert all(":ssm:*:" in arn and ":parameter/imagebuilder/image-pipelines/gold" in arn for arn in others)
    assert denied[1]["NotResource"]["Fn::GetAtt"][0].startswith("BuildRole")


def test_the_workloads_write_their_parameters_and_never_gold_s(enterprise: Template) -> None:
    """One role for all of them; all of them build on gold's."""
    below = ":parameter/imagebuilder/acme-image-pipelines/"
    allowed, *_ = enterprise.statements("WorkloadRole")
    assert allowed["Action"] == "ssm:PutParameter"
    assert [json.dumps(arn).split(below)[1][0] for arn in allowed["Resource"]] == ["*", "*"], "here and in eu-west-1"
    elsewhere, _, gold = [s for s in enterprise.statements("WorkloadRole") if s["Effect"] == "Deny"]
    assert json.dumps(elsewhere["NotResource"]).count(f"{below}*") == 1
    ends = [re.search(f'{below}([^"]+)', json.dumps(arn))[1] for arn in gold["Resource"]]  # type: ignore[index]
    assert (gold["Action"], ends) == ("ssm:PutParameter", ["gold", "gold/*"])
    assert all(":ssm:*:" in json.dumps(arn) for arn in gold["Resource"])


def test_the_execution_role_may_publish_to_an_encrypted_topic(enterprise: Template) -> None:
    *_, key = enterprise.statements("GoldRole")
    assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


# Schedules


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_gold_builds_on_schedule_when_a_dependency_has_changed_and_the_others_after_their_parents(variant: str) -> None:
    of = template(variant)
    rules = json.dumps([r for name, r in of.find_resources("AWS::Events::Rule").items() if "Follow" in name])
    for name, pipeline in of.find_resources("AWS::ImageBuilder::ImagePipeline").items():
        schedule = pipeline["Properties"].get("Schedule")
        is_gold = pipeline["Properties"]["Name"].endswith("-gold")
        assert is_gold or f'["{name}", "Arn"]' in rules, f"{name} follows nothing"
        if schedule or is_gold:
            assert schedule["PipelineExecutionStartCondition"] == (ALWAYS if "Batch" in name else DEPENDENCIES)
            assert schedule["AutoDisablePolicy"] == {"FailureCount": 3}
            assert schedule["Timezone"] and schedule["ScheduleExpression"].startswith("cron(")


def test_a_schedule_may_build_whatever_has_changed(enterprise: Template) -> None:
    """As AWS's golden-AMI sample builds its patches."""
    batch = named(enterprise, "ImagePipeline", "acme-image-pipelines-batch")["Properties"]["Schedule"]
    assert batch["PipelineExecutionStartCondition"] == ALWAYS


def test_whoever_starts_what_follows_may_start_the_workloads_only(enterprise: Template) -> None:
    (starting,) = enterprise.statements("FollowRole")
    ends = [json.dumps(arn).rsplit("/", 1)[1].split('"')[0] for arn in starting["Resource"]]
    assert sorted(ends) == [f"acme-image-pipelines-{name}" for name in ("batch", "job-container", "web-shop")]


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_services_take_roles_in_the_name_of_this_account_only(variant: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html; those below act for one resource.

    The lifecycle service is not known to send the account: its role trusts it as AWS's guide does.
    """
    for name, role in template(variant).find_resources("AWS::IAM::Role").items():
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = json.dumps(trust["Principal"])
        plain = any(f"{one}.amazonaws.com" in service for one in ("lambda", "ec2", "vpc-flow-logs"))
        if not plain and not name.startswith("LifecycleRole"):
            assert "aws:SourceAccount" in trust["Condition"]["StringEquals"], name


def test_own_components_are_named_exactly_and_those_of_aws_by_their_newest(enterprise: Template) -> None:
    for kind in ("ImageRecipe", "ContainerRecipe"):
        for recipe in enterprise.find_resources(f"AWS::ImageBuilder::{kind}").values():
            for component in recipe["Properties"].get("Components", []):
                text = json.dumps(component["ComponentArn"])
                assert "Fn::GetAtt" in text or (":aws:component/" in text and "/x.x.x" in text), text


# Versions


def test_components_and_recipes_have_the_version_that_is_chosen_at_deployment(enterprise: Template) -> None:
    chosen = enterprise.find_resources("Custom::ImageBuilderVersion")
    for kind in ("Component", "ImageRecipe", "ContainerRecipe"):
        for resource in enterprise.find_resources(f"AWS::ImageBuilder::{kind}").values():
            properties = resource["Properties"]
            wanted = chosen[properties["Version"]["Ref"]]["Properties"]
            assert wanted["Name"] == properties["Name"]
            assert re.fullmatch("[0-9a-f]{64}", wanted["Content"])
    majors = {item["Properties"]["Name"]: item["Properties"]["MajorMinor"] for item in chosen.values()}
    assert majors["acme-image-pipelines-gold"] == "3.1" and majors["acme-image-pipelines-batch"] == "2.0"


def test_another_version_of_gold_is_another_version_of_what_has_gold_s_components(default: Template) -> None:
    """They are built anew under gold's version, and a recipe that names another build of one is replaced."""
    other = prepared(SLUG, "another version")
    before, after = (
        {item["Properties"]["Name"]: item["Properties"] for item in of.values()}
        for of in (one.find_resources("Custom::ImageBuilderVersion") for one in (default, other))
    )
    assert before["image-pipelines-parent-linux"]["MajorMinor"] != after["image-pipelines-parent-linux"]["MajorMinor"]
    assert before["image-pipelines-web"]["Content"] != after["image-pipelines-web"]["Content"]
    assert before["image-pipelines-web"]["MajorMinor"] == after["image-pipelines-web"]["MajorMinor"]


def test_parameters_of_another_path_are_read_and_removed_by_a_policy_that_no_path_changes(default: Template) -> None:
    moved = prepared(SLUG, "another path")
    for of, path in ((default, "/imagebuilder/image-pipelines"), (moved, "/imagebuilder/acme")):
        for action, below in (
            ("ssm:GetParameters", "/imagebuilder"),
            ("ssm:ListTagsForResource", "/imagebuilder"),
            ("ssm:DeleteParameter", "/imagebuilder"),
            ("ssm:PutParameter", path),
        ):
            (statement,) = allowed(of, "SeedFunctionRole", action)
            assert json.dumps(statement["Resource"]).count(f":parameter{below}/*") == 1, action


def test_gold_is_built_again_for_a_new_path_and_the_workloads_after_it(default: Template) -> None:
    moved = prepared(SLUG, "another path")
    (gold, web), (new_gold, new_web) = (
        sorted((b["Properties"] for b in one.find_resources("Custom::ImageBuild").values()), key=_has_parent)
        for one in (default, moved)
    )
    assert (
        new_gold["Parameters"]
        == [f"/imagebuilder/acme/gold{more}" for more in ("", "/parent-al2023-arm64")]
        != gold["Parameters"]
    )
    assert new_web["Ancestors"] != web["Ancestors"]


def _has_parent(build: Json) -> bool:
    return bool(build["ParentPipeline"])


def test_content_has_one_fingerprint_and_other_content_another() -> None:
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_a_recipe_s_fingerprint_follows_its_components_and_its_parent() -> None:
    found = [
        {item["Properties"]["Name"].split("pipelines-")[1]: item["Properties"]["Content"] for item in chosen.values()}
        for chosen in (template(v).find_resources("Custom::ImageBuilderVersion") for v in variants.variants_of(SLUG))
    ]
    assert len({one["gold"] for one in found}) > 1, "another base is another content"


@pytest.mark.parametrize(("variant", "policy"), [("default", "Delete"), ("enterprise", "Retain")])
def test_replaced_versions_are_kept_by_setting_and_the_current_ones_go_with_the_stack(
    variant: str, policy: str
) -> None:
    for kind in ("Component", "ImageRecipe", "ContainerRecipe"):
        for resource in template(variant).find_resources(f"AWS::ImageBuilder::{kind}").values():
            # A recipe that stays may have the current component in it, which then cannot be deleted.
            deletion = policy if kind == "Component" else "Delete"
            assert (resource["UpdateReplacePolicy"], resource["DeletionPolicy"]) == (policy, deletion)


def test_two_files_of_one_name_are_two_components() -> None:
    assert component_names("s", ["a/x.yaml", "b/x.yaml", "c/y.yml"]) == {
        "a/x.yaml": "s-a-x",
        "b/x.yaml": "s-b-x",
        "c/y.yml": "s-y",
    }


def test_what_a_deployment_changes_is_built_after_whoever_hears_of_it_is_there(default: Template) -> None:
    builds = default.find_resources("Custom::ImageBuild")
    assert {item["Properties"]["ParentPipeline"] == "" for item in builds.values()} == {True, False}
    for build in builds.values():
        assert any(name.startswith("TrackingAvailable") for name in build["DependsOn"])


def test_the_first_build_of_an_account_may_make_the_service_s_own_role_and_no_other(default: Template) -> None:
    (making,) = [s for s in default.statements("BuildsFunctionRole") if s["Action"] == "iam:CreateServiceLinkedRole"]
    own = ":role/aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder"
    assert json.dumps(making["Resource"]).endswith(f'{own}"]]}}')
    assert making["Condition"] == {"StringEquals": {"iam:AWSServiceName": "imagebuilder.amazonaws.com"}}


@pytest.mark.parametrize("role", ["BuildsFunctionRole", "FollowRole"])
def test_whoever_starts_a_build_may_read_the_pipeline_which_image_builder_does_in_its_name(
    enterprise: Template, role: str
) -> None:
    (starting,) = [s for s in enterprise.statements(role) if "imagebuilder:StartImagePipelineExecution" in s["Action"]]
    assert {"imagebuilder:GetImagePipeline", "imagebuilder:StartImagePipelineExecution"} <= set(starting["Action"])


def test_a_workload_s_build_waits_for_all_that_it_is_built_on(enterprise: Template) -> None:
    builds = enterprise.find_resources("Custom::ImageBuild")
    of = {name.split("Pipeline")[0]: item["Properties"] for name, item in builds.items()}
    assert len({of[name]["Ancestors"] for name in ("Gold", "WebShop", "Batch")}) == 3
    second = template("second").find_resources("Custom::ImageBuild").values()
    others = {item["Properties"]["ParentPipeline"] != "": item["Properties"]["Ancestors"] for item in second}
    assert of["Gold"]["Ancestors"] == others[False], "gold has none"
    assert of["WebShop"]["Ancestors"] != others[True], "another gold is another ancestor"
    written = of["Batch"]["ParentParameter"]
    assert written == "/imagebuilder/acme-image-pipelines/web-shop/parent-ubuntu-24.04-x86_64"


def test_nothing_is_built_at_deployment_if_that_is_not_wanted(windows: Template) -> None:
    windows.resource_count_is("Custom::ImageBuild", 0)


# Where builds run and go


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_build_instances_require_imdsv2_and_images_are_encrypted(variant: str) -> None:
    of = template(variant)
    for resource in of.find_resources("AWS::ImageBuilder::InfrastructureConfiguration").values():
        assert resource["Properties"]["InstanceMetadataOptions"]["HttpTokens"] == "required"
        assert resource["Properties"]["SecurityGroupIds"] and resource["Properties"]["SubnetId"]
        assert resource["Properties"]["SnsTopicArn"]
    for resource in of.find_resources("AWS::ImageBuilder::ImageRecipe").values():
        assert all(device["Ebs"]["Encrypted"] for device in resource["Properties"]["BlockDeviceMappings"])


def test_images_go_to_regions_and_accounts_under_the_keys_of_each(enterprise: Template) -> None:
    distribution = named(enterprise, "DistributionConfiguration", "acme-image-pipelines-gold")
    here, there = distribution["Properties"]["Distributions"]
    assert (here["Region"], there["Region"]) == ("eu-central-1", "eu-west-1")
    assert ":kms:eu-west-1:" in there["AmiDistributionConfiguration"]["KmsKeyId"]
    for target in (here, there):
        shared = target["AmiDistributionConfiguration"]["LaunchPermissionConfiguration"]
        assert shared == {"UserIds": ["210987654321"]}
        assert "{{ imagebuilder:buildDate }}" in target["AmiDistributionConfiguration"]["Name"]
    parameter, *_ = enterprise.statements("GoldRole")
    assert "eu-west-1" in json.dumps(parameter["Resource"])


def test_a_launch_template_is_updated_by_setting(enterprise: Template) -> None:
    distribution = named(enterprise, "DistributionConfiguration", "acme-image-pipelines-web-shop")
    here, there = distribution["Properties"]["Distributions"]
    wanted = [{"LaunchTemplateId": "lt-0123456789abcdef0", "SetDefaultVersion": True}]
    assert here["LaunchTemplateConfigurations"] == wanted and "LaunchTemplateConfigurations" not in there


def test_a_container_is_built_on_a_host_with_docker_and_follows_its_parent_s_event(
    default: Template, enterprise: Template
) -> None:
    recipe = named(enterprise, "ContainerRecipe", "acme-image-pipelines-job-container")["Properties"]
    assert recipe["ParentImage"] == "public.ecr.aws/ubuntu/ubuntu:24.04"
    parameter = "ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    assert recipe["InstanceConfiguration"]["Image"] == parameter
    (device,) = recipe["InstanceConfiguration"]["BlockDeviceMappings"]
    assert device["DeviceName"] == "/dev/xvda"
    assert "VolumeSize" not in device["Ebs"], "20 GiB do not hold an image of 30"
    assert "{{{ imagebuilder:parentImage }}}" in recipe["DockerfileTemplateData"]
    images = {"prefix": Match.string_like_regexp(":image/acme-image-pipelines-web-shop/$")}
    enterprise.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {"resources": [Match.object_like(images)], "detail": {"state": {"status": ["AVAILABLE"]}}},
            "Targets": [
                Match.object_like({"Id": name, "RoleArn": Match.any_value(), "DeadLetterConfig": Match.any_value()})
                for name in ("batch", "job")
            ],
        },
    )
    hops = enterprise.find_resources("AWS::ImageBuilder::InfrastructureConfiguration").values()
    options = [item["Properties"]["InstanceMetadataOptions"]["HttpPutResponseHopLimit"] for item in hops]
    assert sorted(options) == [1, 2]
    job = named(enterprise, "ImagePipeline", "acme-image-pipelines-job-container")["Properties"]
    assert job["ExecutionRole"]["Fn::GetAtt"][0].startswith("ContainerRole")
    denied = [s for s in enterprise.statements("ContainerRole") if s["Effect"] == "Deny"]
    assert (denied[0]["Action"], denied[0]["Resource"]) == ("ssm:PutParameter", "*")


def test_a_container_may_be_built_on_its_parent_s_image() -> None:
    recipe = named(template("second"), "ContainerRecipe", "second-image-pipelines-job-container")["Properties"]
    parameter = "ssm:/imagebuilder/second-image-pipelines/gold/parent-al2023-arm64"
    assert recipe["InstanceConfiguration"]["Image"] == parameter


def test_another_kind_is_another_resource_under_another_name(enterprise: Template) -> None:
    """CloudFormation changes no type under one logical id, and Image Builder no pipeline from one kind to the other."""
    for kind, ending in (("ContainerRecipe", "-container"), ("ImageRecipe", "")):
        for name, recipe in enterprise.find_resources(f"AWS::ImageBuilder::{kind}").items():
            assert name.split("Recipe")[0].endswith("Container" if ending else "Pipeline")
            assert recipe["Properties"]["Name"].endswith("-container") == bool(ending)


def test_scanning_is_by_setting(default: Template, enterprise: Template) -> None:
    for of, wanted in ((default, False), (enterprise, True)):
        for pipeline in of.find_resources("AWS::ImageBuilder::ImagePipeline").values():
            assert pipeline["Properties"]["ImageScanningConfiguration"]["ImageScanningEnabled"] is wanted


# Old images


def rules(of: Template, name: str) -> dict[str, Json]:
    details = named(of, "LifecyclePolicy", name)["Properties"]["PolicyDetails"]
    assert len({rule["Action"]["Type"] for rule in details}) == len(details), "one rule for each action"
    return {rule["Action"]["Type"]: rule for rule in details}


def test_by_default_images_are_only_deprecated_and_no_role_may_delete(default: Template) -> None:
    assert set(rules(default, "image-pipelines-gold")) == {"DEPRECATE"}
    text = json.dumps(default.statements("LifecycleRole"))
    assert "Deregister" not in text and "Delete" not in text


def test_without_a_rule_there_is_no_role_for_rules() -> None:
    of = template("nat")
    assert not of.find_resources("AWS::ImageBuilder::LifecyclePolicy")
    assert not [name for name in of.find_resources("AWS::IAM::Role") if "Lifecycle" in name]


def test_with_the_second_key_old_images_go_and_some_always_stay(enterprise: Template) -> None:
    found = rules(enterprise, "acme-image-pipelines-gold")
    assert list(found) == ["DEPRECATE", "DISABLE", "DELETE"]
    assert found["DELETE"]["Filter"] == {"Type": "AGE", "Unit": "DAYS", "Value": 365, "RetainAtLeast": 3}
    assert found["DELETE"]["ExclusionRules"]["Amis"]["TagMap"] == {"keep": "true"}
    assert set(rules(enterprise, "acme-image-pipelines-job-container")) == {"DELETE"}
    for statement in enterprise.statements("LifecycleRole"):
        if "ec2:DeleteSnapshot" in statement["Action"] or "ec2:DeregisterImage" in statement["Action"]:
            assert statement["Condition"]["StringEquals"] == {"aws:ResourceTag/CreatedBy": "EC2 Image Builder"}


def test_the_lifecycle_role_sees_images_and_deletes_those_of_its_own_repositories_only(
    default: Template, enterprise: Template
) -> None:
    """As EC2ImageBuilderLifecycleExecutionPolicy; without DescribeImages no rule does anything."""
    for of in (default, enterprise):
        assert {"ec2:DescribeImages", "tag:GetResources"} in [
            set(statement["Action"]) for statement in of.statements("LifecycleRole")
        ]
    assert "ecr:" not in json.dumps(default.statements("LifecycleRole"))
    (images,) = [s for s in enterprise.statements("LifecycleRole") if "ecr:BatchDeleteImage" in s["Action"]]
    assert images["Action"] == ["ecr:BatchDeleteImage", "ecr:BatchGetImage"]
    assert images["Resource"]["Fn::GetAtt"][0].startswith("JobRepository")


def test_every_version_of_a_recipe_is_covered(default: Template, windows: Template) -> None:
    selection = named(default, "LifecyclePolicy", "image-pipelines-gold")["Properties"]["ResourceSelection"]
    assert selection == {"Recipes": [{"Name": "image-pipelines-gold", "SemanticVersion": "x.x.x"}]}
    windows.resource_count_is("AWS::ImageBuilder::LifecyclePolicy", 0)


# Who is told


def test_the_rules_match_images_of_these_pipelines_only(default: Template) -> None:
    for status in ("AVAILABLE", "FAILED"):
        default.has_resource_properties(
            "AWS::Events::Rule",
            {
                "EventPattern": {
                    "source": ["aws.imagebuilder"],
                    "detail-type": ["EC2 Image Builder Image State Change"],
                    "detail": {"state": {"status": [status]}},
                    "resources": [{"prefix": Match.any_value()}],
                }
            },
        )
    default.has_resource_properties(
        "AWS::Events::Rule",
        {"EventPattern": {"detail-type": ["EC2 Image Builder Image Pipeline Automatically Disabled"]}},
    )


def test_the_tracker_also_looks_once_a_day_and_writes_one_table(default: Template) -> None:
    default.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(1 day)"})
    actions = [statement["Action"] for statement in default.statements("TrackerRole")]
    assert actions == [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        "dynamodb:PutItem",
        "imagebuilder:ListImagePipelineImages",
        "imagebuilder:GetImage",
    ]


def test_logs_are_below_the_path_that_the_service_s_own_role_may_write(default: Template) -> None:
    for pipeline in default.find_resources("AWS::ImageBuilder::ImagePipeline").values():
        for reference in pipeline["Properties"]["LoggingConfiguration"].values():
            group: Any = default.find_resources("AWS::Logs::LogGroup")[reference["Ref"]]
            assert group["Properties"]["LogGroupName"]["Fn::Join"][1][0] == "/aws/imagebuilder/"


def test_windows_has_its_own_components_device_and_ports(windows: Template) -> None:
    recipe = named(windows, "ImageRecipe", "nat-image-pipelines-gold")["Properties"]
    assert recipe["ParentImage"] == "ssm:/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
    assert recipe["BlockDeviceMappings"][0]["DeviceName"] == "/dev/sda1"
    assert "update-windows" in json.dumps(recipe["Components"])
    ports = [
        rule["ToPort"]
        for group in windows.find_resources("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"]["SecurityGroupEgress"]
    ]
    assert sorted(ports) == [80, 443]


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise", "nat"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
