"""What a call to CodeBuild is judged on."""

import json
from collections.abc import Iterator
from typing import Any

from emulator.core.api import Json
from emulator.core.iam import Call
from emulator.core.service import Need
from emulator.core.store import arn
from emulator.services.codebuild.model import short_id

# https://docs.aws.amazon.com/codebuild/latest/userguide/action-context-keys.html: a key is there with its field alone.
KEYS = {
    "buildspecOverride": "codebuild:source.buildspec",
    "environmentVariablesOverride": "codebuild:environment.environmentVariables",
    "imageOverride": "codebuild:environment.image",
    "secondarySourcesOverride": "codebuild:secondarySources",
    "serviceRoleOverride": "codebuild:serviceRole",
    "sourceLocationOverride": "codebuild:source.location",
}


def judged_on(call: Call) -> str | None:
    """The project: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodebuild.html."""
    return next(iter(_projects(call)), None)


def needs(call: Call) -> Iterator[Need]:
    """A call that names builds or projects of several is judged on each of them."""
    for project in _projects(call)[1:]:
        yield Need(f"codebuild:{call.action}", project)


def _projects(call: Call) -> list[str]:
    """The ARNs of the projects that a call names, each once."""
    asked: Any = call.content
    builds = [short_id(each).partition(":")[0] for each in (asked.get("id"), *(asked.get("ids") or [])) if each]
    named = [asked["projectName"]] if asked.get("projectName") else builds or asked.get("names") or []
    return list(dict.fromkeys(arn("codebuild", f"project/{str(name).rpartition('/')[2]}") for name in named))


def keys_of(call: Call) -> Json:
    """The condition keys of StartBuild's overrides."""
    if call.action != "StartBuild":
        return {}
    asked: Any = call.content
    return {key: json.dumps(asked[field]) for field, key in KEYS.items() if field in asked}
