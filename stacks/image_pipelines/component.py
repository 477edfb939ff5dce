"""Component documents, checked against the schema that AWS documents.

https://docs.aws.amazon.com/imagebuilder/latest/userguide/toe-use-documents.html and
https://docs.aws.amazon.com/imagebuilder/latest/userguide/toe-action-modules.html. What is inside ``inputs`` is left to
AWSTOE, except that an action which cannot do without them has some.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

ROOT = Path(__file__).parents[2]
Platform = Literal["Linux", "Windows"]

MOST_CHARACTERS = 16_000
"""Of a document in a template; https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateComponent.html."""

_BOTH = ["AppendFile", "Assert", "CopyFile", "CopyFolder", "CreateFile", "CreateFolder", "CreateSymlink", "DeleteFile"]
_BOTH += ["DeleteFolder", "ExecuteBinary", "ExecuteDocument", "ListFiles", "MoveFile", "MoveFolder", "ReadFile"]
_BOTH += ["Reboot", "S3Download", "S3Upload", "SetFileEncoding", "UpdateOS", "WebDownload"]
_LINUX = ["ExecuteBash", "SetFileOwner", "SetFilePermissions", "SetFolderOwner", "SetFolderPermissions"]
_WINDOWS = ["ExecutePowerShell", "InstallMSI", "SetRegistry", "UninstallMSI"]
ACTIONS: Mapping[str, frozenset[str]] = {
    "Linux": frozenset([*_BOTH, *_LINUX]),
    "Windows": frozenset([*_BOTH, *_WINDOWS]),
}
WITHOUT_INPUTS = frozenset({"Reboot", "UpdateOS"})
PHASES = ("build", "validate", "test", "container-host-test")
"""Those that Image Builder runs; AWSTOE takes others too, which then never run."""

_DOCUMENT = {"name", "description", "schemaVersion", "phases", "parameters", "constants"}
_STEP = {"name", "action", "timeoutSeconds", "onFailure", "maxAttempts", "inputs", "if", "loop"}
_ON_FAILURE = ("Abort", "Continue", "Ignore")


class ComponentError(ValueError):
    """A component document is unusable; the message names the file and the place."""


def text_of(path: str) -> str:
    """Reads a file below the repository.

    Raises:
        ComponentError: it cannot be read.
    """
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ComponentError(f"{path}: {reason}; name a YAML file by its path below the repository") from None


def document(path: str, platform: Platform) -> str:
    """Reads a component document.

    Args:
        path: below the repository.

    Returns:
        Its text, as it goes to Image Builder.

    Raises:
        ComponentError: it cannot be read, or breaks the schema; all that is wrong is named.
    """
    text = text_of(path)
    if problems := _problems_of_text(text, platform):
        raise ComponentError(f"{path}: {'; '.join(problems)}")
    return text


@lru_cache(maxsize=128)  # the settings judge a text, and then every recipe that has it
def _problems_of_text(text: str, platform: Platform) -> tuple[str, ...]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return (f"not YAML: {' '.join(str(error).split())}",)
    problems = list(problems_of(content, platform))
    if len(text) > MOST_CHARACTERS:
        problems.append(f"it has {len(text)} characters, a template takes {MOST_CHARACTERS}; split it")
    return tuple(problems)


def problems_of(content: Any, platform: Platform) -> Iterator[str]:
    """What is wrong with a document, each with its place."""
    if not isinstance(content, dict):
        yield "the document must be a mapping with schemaVersion and phases"
        return
    yield from _unknown(content, _DOCUMENT, "")
    if str(content.get("schemaVersion")) != "1.0":
        yield f"schemaVersion must be 1.0, got {content.get('schemaVersion')!r}"
    phases = content.get("phases")
    if not isinstance(phases, list) or not phases:
        yield "phases must be a list of at least one phase"
        return
    yield from _repeated(phases, "phases")
    for number, phase in enumerate(phases):
        yield from _phase(phase, f"phases[{number}]", platform)


def _phase(phase: Any, where: str, platform: Platform) -> Iterator[str]:
    if not isinstance(phase, dict):
        yield f"{where} must be a mapping of name and steps"
        return
    yield from _unknown(phase, {"name", "steps"}, f"{where}.")
    if phase.get("name") not in PHASES:
        yield f"{where}.name must be one of {', '.join(PHASES)}, which Image Builder runs; got {phase.get('name')!r}"
    steps = phase.get("steps")
    if not isinstance(steps, list) or not steps:
        yield f"{where}.steps must be a list of at least one step"
        return
    yield from _repeated(steps, f"{where}.steps")
    for number, step in enumerate(steps):
        yield from _step(step, f"{where}.steps[{number}]", platform)


def _step(step: Any, where: str, platform: Platform) -> Iterator[str]:
    if not isinstance(step, dict):
        yield f"{where} must be a mapping of name, action and inputs"
        return
    yield from _unknown(step, _STEP, f"{where}.")
    if not isinstance(step.get("name"), str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", step["name"]):
        yield f"{where}.name must be letters, digits, - and _, got {step.get('name')!r}"
    action = step.get("action")
    if action not in ACTIONS[platform]:
        elsewhere = [name for name, known in ACTIONS.items() if action in known]
        why = f"is for {elsewhere[0]}" if elsewhere else "is no action module"
        close = get_close_matches(str(action), sorted(ACTIONS[platform]), n=1)
        known = f"on {platform} there are {', '.join(sorted(ACTIONS[platform]))}"
        yield f"{where}.action {action!r} {why}; {f'did you mean {close[0]!r}?' if close else known}"
    if not isinstance(step.get("inputs", {} if action in WITHOUT_INPUTS else None), dict | list):
        yield f"{where}.inputs must be a mapping or a list; {action} needs it"
    if step.get("onFailure", "Abort") not in _ON_FAILURE:
        yield f"{where}.onFailure must be one of {', '.join(_ON_FAILURE)}, got {step['onFailure']!r}"
    timeout = step.get("timeoutSeconds", 7200)
    if not _is_number(timeout) or (timeout < 1 and timeout != -1):
        yield f"{where}.timeoutSeconds must be at least 1, or -1 for none, got {timeout!r}"
    attempts = step.get("maxAttempts", 1)
    if not _is_number(attempts) or attempts < 1:
        yield f"{where}.maxAttempts must be at least 1, got {attempts!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _unknown(mapping: Mapping[Any, Any], known: set[str], where: str) -> Iterator[str]:
    for key in mapping:
        if key not in known:
            yield f"{where}{key} is no key of the schema; there are {', '.join(sorted(known))}"


def _repeated(items: list[Any], where: str) -> Iterator[str]:
    names = [item.get("name") for item in items if isinstance(item, dict)]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield f"{where} has the name {name!r} twice"
