"""What a launch needs besides ec2:RunInstances on its instance.

EC2 judges a launch on everything that it uses or makes, asks for ec2:CreateTags where anything is tagged at birth, also
by the launch template, and for iam:PassRole on the role of the instance profile:

- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
- https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-launch-templates.html
"""

import re
from collections.abc import Iterator

from emulator.core.api import Json
from emulator.core.iam import Call
from emulator.core.service import Need
from emulator.core.store import arn, region
from emulator.services.ec2 import patches
from emulator.services.ec2.patches import instance_profile, role_of_profile

_MADE = ("network-interface", "volume")
"""Beside the instance itself, which the call is judged on."""


def needs(call: Call) -> Iterator[Need]:
    """What a call needs besides its own action and resource."""
    if call.action == "AssociateIamInstanceProfile":
        yield from _passes(call.first("IamInstanceProfile.Arn") or call.first("IamInstanceProfile.Name"))
    if call.action == "RunInstances":
        yield from _launch(call)


def _launch(call: Call) -> Iterator[Need]:
    template = _template(call)
    keys: Json = {"ec2:Region": region()}
    if named := call.first("LaunchTemplate.LaunchTemplateId"):
        keys["ec2:LaunchTemplate"] = arn("ec2", f"launch-template/{named}")
        yield Need("ec2:RunInstances", keys["ec2:LaunchTemplate"], keys)
    image = call.first("ImageId") or template.get("ImageId")
    if image:
        yield Need("ec2:RunInstances", arn("ec2", f"image/{image}", account=""), keys)
    for kind in _MADE:
        yield Need("ec2:RunInstances", arn("ec2", f"{kind}/*"), keys)
    for kind, key in (("subnet", "SubnetId"), ("key-pair", "KeyName")):
        if used := call.first(key) or template.get(key):
            yield Need("ec2:RunInstances", arn("ec2", f"{kind}/{used}"), keys)
    groups = [value for name, value in _numbered(call, "SecurityGroupId")] or template.get("SecurityGroupIds") or []
    for group in groups:
        yield Need("ec2:RunInstances", arn("ec2", f"security-group/{group}"), keys)
    for kind, tags in _tags(call, template).items():
        marks = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        yield Need(
            "ec2:CreateTags",
            arn("ec2", f"{kind}/*"),
            {**marks, "aws:TagKeys": list(tags), "ec2:CreateAction": "RunInstances", "ec2:Region": region()},
        )
    profile = template.get("IamInstanceProfile") or {}
    yield from _passes(
        call.first("IamInstanceProfile.Arn")
        or call.first("IamInstanceProfile.Name")
        or profile.get("Arn")
        or profile.get("Name")
    )


def _passes(profile: str | None) -> Iterator[Need]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html."""
    found = instance_profile(profile)
    if found and found["Roles"]:  # a profile may have none
        yield Need("iam:PassRole", role_of_profile(found["Arn"]), {"iam:PassedToService": "ec2.amazonaws.com"})


def _template(call: Call) -> Json:
    """The data of the launch template's version that the call names."""
    wanted, name = call.first("LaunchTemplate.LaunchTemplateId"), call.first("LaunchTemplate.LaunchTemplateName")
    return patches.template_data(wanted, name, call.first("LaunchTemplate.Version"))


def _tags(call: Call, template: Json) -> dict[str, dict[str, str]]:
    """Tags of what the launch makes, by its kind: those of the template and of the request, which win.

    A template also keeps the tags that it was itself created with.
    """
    found: dict[str, dict[str, str]] = {}
    for specification in template.get("TagSpecifications") or []:
        of = found.setdefault(specification["ResourceType"], {})
        of.update({tag["Key"]: tag["Value"] for tag in specification.get("Tags") or []})
    for name, kind in _numbered(call, "TagSpecification", "ResourceType"):
        of = found.setdefault(kind, {})
        prefix = name.removesuffix("ResourceType")
        for key_name in call.parameters:
            if re.fullmatch(rf"{re.escape(prefix)}Tag\.\d+\.Key", key_name):
                of[call.first(key_name)] = call.first(f"{key_name.removesuffix('Key')}Value") or ""
    return {kind: tags for kind, tags in found.items() if tags and kind in ("instance", *_MADE)}


def _numbered(call: Call, name: str, last: str = "") -> Iterator[tuple[str, str]]:
    pattern = rf"{name}\.\d+" + (rf"\.{last}" if last else "")
    for found in call.parameters:
        if re.fullmatch(pattern, found):
            yield found, str(call.first(found))
