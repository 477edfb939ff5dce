"""Python imports this by itself in every process whose PYTHONPATH has this folder: functions, and scripts of instances.

It imports nothing of botocore: which botocore a function has is decided by its own path. When that is loaded, the
judge of calls (full_model.py) is put in. Where EMBEDDED_AWS_PAUSES says so, pauses between two looks are shorter.
"""

import importlib.abc
import importlib.machinery
import os
import sys
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

HANDLERS = "botocore.handlers"

PAUSES = float(os.environ.get("EMBEDDED_AWS_PAUSES", "1"))


class _Judged(importlib.abc.Loader):
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        from full_model import judge  # type: ignore[import-not-found]  # beside this file

        module.BUILTIN_HANDLERS.append(("before-parameter-build", judge))


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != HANDLERS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec and spec.loader:
            spec.loader = _Judged(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())

if PAUSES != 1:
    _sleep = time.sleep
    time.sleep = lambda seconds: _sleep(float(seconds) * PAUSES)
