"""Every private name of ministack and moto that the server uses or replaces: an upgrade says which one has moved.

What they are used for is tested by the behaviours.
"""

import os
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest

# ministack would start its schedulers when it is imported.
os.environ.setdefault("MINISTACK_TEST_NO_AUTOSTART", "1")
import_module("emulator.core.service").services()
patch: Any = import_module("emulator.core.patch")


def test_the_pinned_versions() -> None:
    assert (version("ministack"), version("moto")) == ("1.5.33", "5.2.5")


@pytest.mark.parametrize("private", patch.registry, ids=lambda private: private.label)
def test_a_private_name_is_what_it_was(private: Any) -> None:
    assert getattr(private.owner, private.name) is not None
    if private.takes is None:
        assert not callable(private.original) or isinstance(private.original, type), "say what it takes"
    else:
        assert patch.parameters(private.original) == private.takes


def test_a_function_is_replaced_once() -> None:
    replaced = next(item for item in patch.registry if isinstance(item, patch.Patch))
    with pytest.raises(ValueError, match="replaced already"):
        patch.patch(replaced.owner, replaced.name, "")(lambda original: original)
