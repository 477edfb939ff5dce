"""A template from the export equals the deployed one but for bucket, bootstrap and the name of the stack."""

import copy
import json
import re
from typing import Any

import pytest

from stacks.series import SOLUTIONS
from tests import variants

BOOTSTRAP_BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
NAME_TO_COME = "nameofthestacktocome"  # of stacks.shared.solution, which would load the CDK
FIXED = {"image_pipelines"}  # its components' logical ids hold the stack's name
UNIQUE = {"odcr_asg": ("ReservationsPool7446BD8E", "Name")}  # the CDK makes it unique by a hash of the stack's name
every_solution = pytest.mark.parametrize("slug", [solution.slug for solution in SOLUTIONS])


def exported(slug: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((variants.exported(slug) / "template.json").read_text(encoding="utf-8"))
    return found


def plain(value: Any, name: str) -> Any:
    """A part of a template with the stack's name and the place of assets told, and joins made as short as they are."""
    if isinstance(value, list):
        return [plain(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": "AWS::StackName"}:
        return name
    if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        text = value["Fn::Sub"].replace("${AWS::StackName}", name).replace(BOOTSTRAP_BUCKET, "${AssetsBucket}")
        text = text.replace("${AssetsPrefix}", "")
        return {"Fn::Sub": text} if "${" in text else text
    if value.keys() == {"Fn::Join"} and value["Fn::Join"][0] == "":
        parts: list[Any] = []
        for part in plain(value["Fn::Join"][1], name):
            if parts and isinstance(part, str) and isinstance(parts[-1], str):
                parts[-1] += part
            else:
                parts.append(part)
        return parts[0] if len(parts) == 1 else {"Fn::Join": ["", parts]}
    return {key: plain(content, name) for key, content in value.items()}


@every_solution
def test_it_equals_the_deployed_one_but_for_the_assets_and_the_bootstrap(slug: str) -> None:
    """In their order, too: another process has made it (tests/synthesis.py), with another seed for sets and hashes."""
    deployed = variants.template("default", slug)
    name = slug.replace("_", "-")
    found = exported(slug)
    if slug in UNIQUE:
        resource, key = UNIQUE[slug]
        deployed = copy.deepcopy(deployed)
        del deployed["Resources"][resource]["Properties"][key]
        assert {"Ref": "AWS::StackName"} in found["Resources"][resource]["Properties"].pop(key)["Fn::Join"][1]
    for part in ("Parameters", "Rules"):
        own = {"AssetsBucket", "AssetsPrefix", "BootstrapVersion", "CheckBootstrapVersion"}
        left, right = (
            {key: value for key, value in body.get(part, {}).items() if key not in own} for body in (found, deployed)
        )
        assert list(left.items()) == list(right.items())
    for part in (found.keys() | deployed.keys()) - {"Parameters", "Rules"}:
        ours, theirs = plain(found.get(part), name), plain(deployed.get(part), name)
        assert ours == theirs and json.dumps(ours) == json.dumps(theirs), part


@every_solution
def test_nothing_of_a_bootstrap_and_no_name_is_left_in_it(slug: str) -> None:
    text = json.dumps(exported(slug))
    assert NAME_TO_COME not in text and "cdk-hnb659fds" not in text and "BootstrapVersion" not in text
    told = json.loads((variants.exported(slug) / "export.json").read_text(encoding="utf-8"))
    assert told["only_name"] == ("image-pipelines" if slug in FIXED else None)
    if slug not in FIXED:  # what the name of a stack begins: topics, groups and logs would refuse another
        assert f":alarm:{slug.replace('_', '-')}-" not in text


@every_solution
def test_every_asset_that_it_names_is_beside_it_and_no_other(slug: str) -> None:
    text = json.dumps(exported(slug))
    folder = variants.exported(slug) / "assets"
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    assert set(re.findall(r"\$\{AssetsPrefix\}([0-9a-f]{64}\.\w+)", text)) == there
    assert ("AssetsBucket" in exported(slug).get("Parameters", {})) == bool(there)
