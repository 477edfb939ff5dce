"""The JSON schema of settings, with the sentences that stand under each of them in the source."""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema


class Described(GenerateJsonSchema):
    """Generates a schema. The sentences are read here, because pydantic would read them at each start of a program."""

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """One model's, with a description of each property."""
        found = super().model_schema(schema)
        for name, sentence in sentences(schema["cls"]).items():
            if name in found.get("properties", {}):
                found["properties"][name].setdefault("description", sentence)
        return found


def sentences(model: type[BaseModel]) -> dict[str, str]:
    """What is said of each setting of a model, by its name; of those that it inherits too."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if issubclass(part, BaseModel) and part is not BaseModel:
            found |= _in_module(part.__module__).get(part.__qualname__, {})
    return found


@cache
def _in_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """The strings under annotated names, by class."""
    module = sys.modules[name]
    tree = ast.parse(inspect.getsource(module))
    return {each.name: dict(_under_names(each)) for each in ast.walk(tree) if isinstance(each, ast.ClassDef)}


def _under_names(definition: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for above, below in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(above, ast.AnnAssign)
            and isinstance(above.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found.append((above.target.id, inspect.cleandoc(below.value.value)))
    return found
