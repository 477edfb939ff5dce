"""Files of a solution in which names between two @ stand for values: user data, and documents of Systems Manager."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PARTS = Path(__file__).parent / "user_data"


def filled(path: Path, **values: str) -> str:
    """The text of a file in which each @NAME@ is what *values* says.

    Values that are files of their own are put in first: they have names to be replaced too.
    """
    text = path.read_text(encoding="utf-8")
    for name, value in sorted(values.items(), key=lambda item: "\n" not in item[1]):
        text = text.replace(f"@{name}@", value)
    return text


def shared_part(name: str) -> str:
    """A part of the user data of several solutions, as the value of a name in theirs.

    Args:
        name: a file of ``stacks/shared/user_data``.
    """
    return (PARTS / name).read_text(encoding="utf-8").strip()


def filled_document(content: Any, values: Mapping[str, Any]) -> Any:
    """A document in which each string "@NAME@" is what *values* says, of whatever type that is."""
    if isinstance(content, dict):
        return {key: filled_document(item, values) for key, item in content.items()}
    if isinstance(content, list):
        return [filled_document(item, values) for item in content]
    if isinstance(content, str) and content.startswith("@") and content.endswith("@"):
        return values[content.strip("@")]
    return content
