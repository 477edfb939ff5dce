"""The laws of the house: one rule, one test, every solution of the catalogue."""

import ast
import json
import re
import tarfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.described import sentences
from config.loader import load, schema_model
from stacks.catalog import settings_by_slug
from stacks.documents import documents
from stacks.leftovers.looks import DESCRIBED
from stacks.series import SOLUTIONS
from tests import variants
from tests.conformance.schemas import schema
from tests.conformance.templates import every_template
from tests.variants import ROOT, Json

SLUGS = [solution.slug for solution in SOLUTIONS]
VARIANTS = sorted({variant for variant, _ in variants.every()})
every_solution = pytest.mark.parametrize("slug", SLUGS)

# Properties that name a resource for good, so that a second copy of the stack cannot exist.
PHYSICAL_NAMES = {
    "AlarmName", "AutoScalingGroupName", "BucketName", "DBInstanceIdentifier", "DashboardName", "FunctionName",
    "GroupName", "InstanceProfileName", "LaunchTemplateName", "LogGroupName", "ManagedPolicyName", "QueueName",
    "RoleName", "TableName", "TopicName",
}  # fmt: skip
README_PARTS = ("## What it deploys", "## Deploy", "## Try it", "## Settings", "## Cost", "## Clean up", "## Limits")


def resources(variant: str, slug: str) -> dict[str, Json]:
    found: dict[str, Json] = variants.template(variant, slug)["Resources"]
    return found


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


# Law 1: a solution stands alone


@every_solution
def test_a_solution_imports_no_other_solution(slug: str) -> None:
    others = {other for other in SLUGS if other != slug}
    for path in python_files(f"stacks/{slug}", f"lambdas/{slug}"):
        for module in imports(path):
            assert not others & set(module.split(".")), f"{path} imports {module}"


@every_template
def test_no_stack_refers_to_another(variant: str, slug: str) -> None:
    text = json.dumps(variants.template(variant, slug))
    assert "Fn::ImportValue" not in text and "Fn::GetStackOutput" not in text
    assert not [o for o in variants.template(variant, slug)["Outputs"].values() if "Export" in o]


# Law 2: synth is offline and deterministic


@pytest.mark.parametrize("variant", VARIANTS)
def test_synth_looks_nothing_up(variant: str) -> None:
    manifest = json.loads((variants.assembly(variant) / "manifest.json").read_text(encoding="utf-8"))
    assert "missing" not in manifest


# That the same configuration gives the same template, whatever the process: tests/export/test_template.py


def test_stacks_read_neither_the_environment_nor_the_context() -> None:
    for path in python_files("stacks"):
        of_the_program = ("__main__.py", "commands.py", "confirm.py", "preflight.py", "program.py", "session.py")
        if path.name in of_the_program or not {"user_data", "scan"}.isdisjoint(path.parts):
            continue
        text = path.read_text(encoding="utf-8")
        for forbidden in ("os.environ", "getenv", "try_get_context", "from_lookup", "datetime.now", "random"):
            assert forbidden not in text, f"{path}: {forbidden}"


# Law 3: any partition, any Region


def test_no_code_names_a_partition_or_a_region() -> None:
    region = re.compile(r"[\"'](?:us|eu|ap|sa|ca|me|af|cn)-(?:gov-)?[a-z]+-\d")
    for path in python_files("stacks", "lambdas"):
        text = path.read_text(encoding="utf-8")
        assert "arn:aws:" not in text, path
        assert not region.search(text), path


# Law 4: one place for every knob


def test_every_setting_has_a_description_and_is_in_the_shipped_configuration() -> None:
    shipped = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["solutions"]
    for slug, model in settings_by_slug().items():
        assert set(model.model_fields) - {"enabled"} <= set(sentences(model)), slug
        assert slug in shipped


def test_the_shipped_configuration_is_that_of_the_defaults() -> None:
    shipped = load(ROOT / "config/config.yaml", settings_by_slug())
    defaults: Any = schema_model(settings_by_slug())()
    assert dict(shipped.solutions) == {slug: getattr(defaults.solutions, slug) for slug in SLUGS}


# Law 5: generated names


@every_template
def test_nothing_has_a_fixed_name(variant: str, slug: str) -> None:
    named = [
        f"{logical_id}.{key}"
        for logical_id, resource in resources(variant, slug).items()
        for key, value in resource.get("Properties", {}).items()
        if key in PHYSICAL_NAMES and isinstance(value, str)
    ]
    assert named == []


# Law 6: least privilege


@every_template
def test_no_policy_allows_every_action(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        if resource["Type"] != "AWS::IAM::Policy":
            continue
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [action for action in actions if "*" in action], logical_id


# What AWS's own agents and a service in the name of a role call changes with their versions; AWS keeps the policies.
MANAGED_POLICIES = {
    "credential_guard": {"AmazonSSMManagedInstanceCore"},
    "gpu_monitoring": {"AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"},
    "image_pipelines": {"EC2ImageBuilderExecutionPolicy"},
}


@every_template
def test_no_role_has_a_managed_policy_but_for_what_aws_itself_calls(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        arns = resource.get("Properties", {}).get("ManagedPolicyArns", [])
        names = {json.dumps(arn).split(":aws:policy/")[-1].strip('"]}') for arn in arns}
        assert names <= MANAGED_POLICIES.get(slug, set()), logical_id


# Law 7: secure by default


@every_template
def test_nothing_is_open_to_the_internet(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        if resource["Type"] in ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
            properties = resource["Properties"]
            for rule in [*properties.get("SecurityGroupIngress", []), properties]:
                assert rule.get("CidrIp") != "0.0.0.0/0" and rule.get("CidrIpv6") != "::/0", logical_id


@every_template
def test_launch_templates_require_imdsv2_and_encrypted_volumes(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        if resource["Type"] == "AWS::EC2::LaunchTemplate":
            data = resource["Properties"]["LaunchTemplateData"]
            assert data["MetadataOptions"]["HttpTokens"] == "required", logical_id
            assert all(mapping["Ebs"]["Encrypted"] for mapping in data["BlockDeviceMappings"]), logical_id


@every_template
def test_every_log_group_forgets_and_every_function_has_its_own(variant: str, slug: str) -> None:
    found = resources(variant, slug)
    for logical_id, resource in found.items():
        if resource["Type"] == "AWS::Logs::LogGroup":
            assert resource["Properties"]["RetentionInDays"] <= 3653, logical_id
        if resource["Type"] == "AWS::Lambda::Function":
            group = resource["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
            assert found[group]["Type"] == "AWS::Logs::LogGroup"


# Law 8: nothing outlives the stack


@every_template
def test_cdk_destroy_leaves_nothing_unless_data_is_to_be_kept(variant: str, slug: str) -> None:
    from stacks.shared.solution import DATA_TYPES

    kept = {r["Type"] for r in resources(variant, slug).values() if r.get("DeletionPolicy") == "Retain"}
    # Image Builder refuses to delete a component that a recipe of images that are kept still names.
    data = {*DATA_TYPES, "AWS::ImageBuilder::Component"}
    assert kept <= (data if variant == "enterprise" else set())


@every_template
def test_what_ec2_tags_of_a_stack_can_be_looked_at_by_leftovers(variant: str, slug: str) -> None:
    """Else it lists what is deleted for as long as the tagging API shows it.

    Kinds as ARNs have them: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html.
    """
    names = {"eip": "elastic-ip", "flow-log": "vpc-flow-log", "nat-gateway": "natgateway"}
    for kind in {r["Type"] for r in resources(variant, slug).values() if r["Type"].startswith("AWS::EC2::")}:
        described = schema(kind)
        if described.get("tagging", {}).get("taggable", "Tags" in described["properties"]):
            words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", kind.rpartition("::")[2]).lower()
            assert f"ec2:{names.get(words, words)}" in DESCRIBED, kind


@every_template
def test_no_function_is_written_in_another_language(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        if resource["Type"] == "AWS::Lambda::Function":
            assert resource["Properties"]["Runtime"].startswith("python3."), logical_id


# Law 9: handlers


def test_domain_modules_know_no_aws() -> None:
    for path in python_files("lambdas"):
        if path.name == "handler.py" or path.parent == ROOT / "lambdas/shared":
            continue
        assert not {"boto3", "botocore"} & {module.split(".")[0] for module in imports(path)}, path


def test_handlers_do_not_import_the_cdk_and_swallow_nothing() -> None:
    for path in python_files("lambdas"):
        assert "aws_cdk" not in {module.split(".")[0] for module in imports(path)}, path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("everything", "Exception", "BaseException"), f"{path}:{node.lineno}"


def test_points_of_metrics_are_told_from_answers_that_are_none() -> None:
    """GetMetricData may say InternalError or Forbidden of a series in an answer without an error.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataResult.html
    """
    for path in python_files("lambdas"):
        text = path.read_text(encoding="utf-8")
        assert '"get_metric_data"' not in text or '"StatusCode"' in text, f"{path}: take shared.metric_data"


# Law 10: a change reaches what runs


@every_template
def test_every_group_replaces_its_instances_when_their_template_changes(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        if resource["Type"] == "AWS::AutoScaling::AutoScalingGroup":
            assert "AutoScalingRollingUpdate" in resource.get("UpdatePolicy", {}), logical_id


# Law 12: alarms say what to do

RUNBOOKS = {"enterprise": "https://runbooks.example.com/ec2/solutions/{}/alarms/"}
"""How the link begins in the variants that have `common.runbook_url`."""
LONGEST_RUNBOOK_URL = 400 + len("/solutions//alarms/") + max(map(len, SLUGS))


@every_template
def test_the_section_that_an_alarm_points_to_exists(variant: str, slug: str) -> None:
    for logical_id, resource in resources(variant, slug).items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            description = resource["Properties"]["AlarmDescription"]
            begin, _, anchor = description.partition("#")
            assert begin.endswith(f" {RUNBOOKS.get(variant, 'stacks/{}/README.md').format(slug)}"), logical_id
            headings = re.findall(
                r"^#+ (.+)$", (ROOT / f"stacks/{slug}/README.md").read_text(encoding="utf-8"), re.MULTILINE
            )
            anchors = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{logical_id}: {description}"
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
            assert len(description) - len(begin.rpartition(" ")[2]) + LONGEST_RUNBOOK_URL <= 1024, logical_id


# The catalogue and the documents


def test_every_solution_has_all_its_parts() -> None:
    libraries = {"shared", "guardrails", "stack_sets"}  # of two solutions or more
    folders = {path.parent.name for path in (ROOT / "stacks").glob("*/stack.py")} - libraries
    assert folders == set(SLUGS), "a folder of stacks/ is not in the catalogue, or the other way round"
    for slug in SLUGS:
        for part in (
            f"stacks/{slug}/README.md",
            f"stacks/{slug}/unconfirmed.md",
            f"tests/solutions/{slug}/test_stack.py",
            f"tryout/scenarios/{slug}/scenario.py",
        ):
            assert (ROOT / part).exists(), f"{part} is missing"


@every_solution
def test_settings_and_commands_do_not_load_the_cdk(slug: str) -> None:
    folder = ROOT / "stacks" / slug
    settings = [folder / "settings.py", *(folder / "settings").glob("*.py")]  # one file, or a folder where it is long
    paths = [path for path in (*settings, folder / "commands.py", folder / "cost.py") if path.exists()]
    assert any(path in paths for path in settings), "a solution has settings"
    for path in paths:
        assert "aws_cdk" not in {module.split(".")[0] for module in imports(path)}, path


@every_solution
def test_the_readme_has_the_parts_that_readers_look_for(slug: str) -> None:
    text = (ROOT / f"stacks/{slug}/README.md").read_text(encoding="utf-8")
    solution = next(solution for solution in SOLUTIONS if solution.slug == slug)
    assert solution.blog_url in text
    assert "```mermaid" in text
    assert [part for part in README_PARTS if f"\n{part}" not in text] == []


def test_generated_documents_are_current() -> None:
    for name, text in documents().items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run 'make docs'"


def test_every_output_and_stack_is_described() -> None:
    for solution in SOLUTIONS:
        template = variants.template(variants.DEFAULT, solution.slug)
        assert solution.blog_url in template["Description"]
        assert template["Outputs"] and all(output.get("Description") for output in template["Outputs"].values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_stack_carries_the_tags(variant: str) -> None:
    manifest = json.loads((variants.assembly(variant) / "manifest.json").read_text(encoding="utf-8"))
    stacks = [a["properties"] for a in manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
    assert stacks and all(stack["tags"]["project"] == "snapshot" for stack in stacks)


# The repository


def test_the_feature_flags_are_those_that_the_library_recommends() -> None:
    library = find_spec("aws_cdk")  # to import it would start its language kernel
    assert library and library.origin
    (archive,) = (Path(library.origin).parent / "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(archive) as tar:
        # The first of this name: to look for the last would unpack everything.
        file = tar.extractfile(next(item for item in tar if item.name == "package/recommended-feature-flags.json"))
        assert file is not None
        recommended = json.load(file)
    ours = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    assert {key: ours.get(key) for key in recommended} == recommended


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils.py", "helpers.py", "constants.py", "common.py", "misc.py"}
    folders = ("stacks", "lambdas", "config", "emulator", "tests", "benchmarks")
    assert [path for path in python_files(*folders) if path.name in drawers] == []
