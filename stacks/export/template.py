"""A solution's template that needs no ``cdk bootstrap``, works under any name, and reads its assets from any bucket."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from config.models import CommonSettings, SolutionSettings
from stacks.export import ExportError
from stacks.series import Solution
from stacks.shared.solution import NAME_TO_COME, ExportedApp

ROOT = Path(__file__).parents[2]
MAX_TEMPLATE = 1_000_000
"""Bytes of a template in S3: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
_STACK_NAME = {"Ref": "AWS::StackName"}
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html, Capabilities
_NAMES_IN_IAM = {"GroupName", "InstanceProfileName", "ManagedPolicyName", "RoleName", "UserName"}

Json = dict[str, Any]

_INSTEAD = {"outposts_dashboard": "; set refresh: function"}
"""What to set so that a solution does without the roles of ``cdk bootstrap``."""


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes:
        template: the template; with assets, it has parameters for their bucket and for the beginning of their keys.
        assets: names of the files in the folder of assets; each begins with the hash of its content.
        capabilities: what CloudFormation wants to be told of.
        tags: of the stack; they are not in the template.
        only_name: the one name that the stack may have; None: every name works.
    """

    template: Json
    assets: tuple[str, ...]
    capabilities: tuple[str, ...]
    tags: Mapping[str, str]
    only_name: str | None = None


def exported(
    solution: Solution,
    common: CommonSettings,
    settings: SolutionSettings,
    assets: Path,
    *,
    bucket_in_each_region: bool = False,
) -> Export:
    """Synthesizes a solution for a deployment without the CDK.

    Args:
        assets: a folder for the files that the template refers to; it is made if there are any.
        bucket_in_each_region: whether the names of their buckets end with the Region.

    Raises:
        ExportError: the template needs what only the CDK brings.
    """
    make = partial(_exported, solution, common, settings, assets, bucket_in_each_region=bucket_in_each_region)
    found = make(any_name=True)
    if NAME_TO_COME in text_of(found.template):
        # Logical ids and the like hold the name, for which no reference can stand.
        found = make(any_name=False)
    text = text_of(found.template)
    for made in (f"cdk-{common.bootstrap_qualifier or 'hnb659fds'}-", "cdk-bootstrap/"):
        if made in text:
            raise ExportError(
                f"{solution.slug} cannot be exported with these settings: it uses the roles of cdk bootstrap"
                f"{_INSTEAD.get(solution.slug, '')}"
            )
    if len(text.encode()) > MAX_TEMPLATE:
        raise ExportError(f"{solution.slug} cannot be exported: its template has more than {MAX_TEMPLATE:,} bytes")
    return found


def text_of(template: Json) -> str:
    """A template as CloudFormation reads it, without blanks, which count."""
    return json.dumps(template, separators=(",", ":"))


def _exported(
    solution: Solution,
    common: CommonSettings,
    settings: SolutionSettings,
    assets: Path,
    *,
    any_name: bool,
    bucket_in_each_region: bool,
) -> Export:
    with TemporaryDirectory() as folder:
        # Not validated: the parameters come later, and `make check` validates what is deployed by the CDK.
        options = {"analytics_reporting": False, "builtin_cloud_formation_validation": False}
        where = {"any_name": any_name, "bucket_in_each_region": bucket_in_each_region}
        app = ExportedApp(**where, context=_flags(), outdir=folder, **options)
        solution.build(app, common, settings)
        app.synth()
        assembly = Path(folder)
        manifest = _read(assembly / "manifest.json")
        if manifest.get("missing"):
            raise ExportError(f"{solution.slug} cannot be exported: synthesis would have to look into an account")
        (stack,) = (
            artifact["properties"]
            for artifact in manifest["artifacts"].values()
            if artifact["type"] == "aws:cloudformation:stack"
        )
        template = _read(assembly / stack["templateFile"])
        (listed,) = assembly.glob("*.assets.json")
        names = tuple(_assets(solution, assembly, _read(listed), stack["templateFile"], assets))
    body = {part: _with_name(content) if part in _REFERRING else content for part, content in template.items()}
    if names:
        body["Parameters"] = {**_parameters(solution, common), **body.get("Parameters", {})}
    only_name = None if any_name else solution.stack_name(common)
    return Export(body, names, _capabilities(body), stack.get("tags", {}), only_name)


def _flags() -> Json:
    flags: Json = _read(ROOT / "cdk.json")["context"]
    return flags


def _read(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


_REFERRING = ("Conditions", "Resources", "Outputs")


def _with_name(value: Any) -> Any:
    """A part of a template, in which the name of the stack is a reference."""
    if isinstance(value, str):
        pieces = _pieces(value)
        return value if pieces == [value] else pieces[0] if len(pieces) == 1 else {"Fn::Join": ["", pieces]}
    if isinstance(value, list):
        return [_with_name(item) for item in value]
    if not isinstance(value, dict):
        return value
    match list(value.items()):
        case [("Fn::Sub", content)]:
            text, *more = content if isinstance(content, list) else [content]
            text = text.replace(NAME_TO_COME, "${AWS::StackName}")
            return {"Fn::Sub": [text, *_with_name(more)] if more else text}
        case [("Fn::Join", ["", [*parts]])]:
            split = [
                piece for part in parts for piece in (_pieces(part) if isinstance(part, str) else [_with_name(part)])
            ]
            return {"Fn::Join": ["", split]}
    return {key: _with_name(content) for key, content in value.items()}


def _pieces(text: str) -> list[Any]:
    """A text as the parts of a join."""
    first, *others = text.split(NAME_TO_COME)
    pieces: list[Any] = [first]
    for other in others:
        pieces += [_STACK_NAME, other]
    return [piece for piece in pieces if piece != ""] or [""]


def _parameters(solution: Solution, common: CommonSettings) -> Json:
    return {
        ExportedApp.bucket: {
            "Type": "String",
            "Description": "Bucket that holds the assets, in the Region of the stack, as Lambda wants it",
            "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            "ConstraintDescription": "must be the name of a bucket",
        },
        ExportedApp.prefix: {
            "Type": "String",
            "Description": "What the keys of the assets begin with: empty, or with a slash at its end",
            "Default": f"{solution.stack_name(common)}/",
            "AllowedPattern": r"([A-Za-z0-9!_.*'()-]+/)*",
            "ConstraintDescription": "must be empty or end with a slash",
        },
    }


def _capabilities(template: Json) -> tuple[str, ...]:
    iam = [each for each in template["Resources"].values() if each["Type"].startswith("AWS::IAM::")]
    if any(_NAMES_IN_IAM & each.get("Properties", {}).keys() for each in iam):
        return ("CAPABILITY_NAMED_IAM",)
    return ("CAPABILITY_IAM",) if iam else ()


def _assets(solution: Solution, assembly: Path, listed: Json, template: str, folder: Path) -> Iterator[str]:
    """Writes the files that the template refers to, and names them."""
    if listed.get("dockerImages"):
        raise ExportError(f"{solution.slug} cannot be exported: it has a container image, and a bucket holds none")
    for asset in listed["files"].values():
        path = asset["source"]["path"]
        if path == template:
            continue
        (destination,) = asset["destinations"].values()
        name = destination["objectKey"].removeprefix(f"${{{ExportedApp.prefix}}}")
        folder.mkdir(parents=True, exist_ok=True)
        if asset["source"]["packaging"] == "zip":
            _zip(assembly / path, folder / name)
        else:
            (folder / name).write_bytes((assembly / path).read_bytes())
        yield name


def _zip(source: Path, target: Path) -> None:
    """As the CDK CLI packs it: the same date for every file, so that the same files make the same archive."""
    with ZipFile(target, "w") as archive:
        for path in sorted(each for each in source.rglob("*") if each.is_file()):
            entry = ZipInfo(path.relative_to(source).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED)
