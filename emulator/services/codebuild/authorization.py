"""What a call to CodeBuild is judged on."""

import json
from typing import Any

from emulator.core.api import Json
from emulator.core.iam import Call
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
    asked: Any = call.content
    ids = [asked.get("id"), *(asked.get("ids") or [])]
    name = asked.get("projectName") or next((short_id(each).partition(":")[0] for each in ids if each), None)
    name = name or next(iter(asked.get("names") or []), None)
    return arn("codebuild", f"project/{str(name).rpartition('/')[2]}") if name else None


def keys_of(call: Call) -> Json:
    """The condition keys of StartBuild's overrides."""
    if call.action != "StartBuild":
        return {}
    asked: Any = call.content
    return {key: json.dumps(asked[field]) for field, key in KEYS.items() if field in asked}
