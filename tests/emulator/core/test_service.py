"""The registry: what is found by its folder, and what a reset forgets."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import emulator
from emulator.client import EmbeddedAws

os.environ.setdefault("MINISTACK_TEST_NO_AUTOSTART", "1")
service: Any = import_module("emulator.core.service")
store: Any = import_module("emulator.core.store")
resource: Any = import_module("emulator.core.resource")
controls: Any = import_module("emulator.core.controls")

FOLDER = Path(emulator.__file__).parent
FLAT = 12


def test_every_folder_is_a_service() -> None:
    folders = {path.parent.name for path in FOLDER.glob("services/*/__init__.py")}
    assert len(service.services()) == len(folders) >= 20
    assert {"ec2", "autoscaling", "ssm"} <= {item.name for item in service.services()}


@pytest.mark.parametrize("folder", [FOLDER, *(path.parent for path in FOLDER.rglob("__init__.py"))], ids=str)
def test_no_folder_is_flat_and_long(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= FLAT


def test_controls_have_one_owner_each() -> None:
    own = sum(len(item.controls) for item in service.services())
    assert len(controls.controls()) == own + 7


def test_a_store_keeps_what_belongs_to_an_account_and_a_region_until_it_is_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "stores", [])  # this process has no server, but others of its tests have stores
    kept = store.Store(dict)
    with store.request_scope("111111111111", "eu-west-1"):
        kept.here()["a"] = 1
    with store.request_scope("111111111111", "eu-west-2"):
        assert kept.here() == {}
    assert dict(kept.everywhere()) == {("111111111111", "eu-west-1"): {"a": 1}, ("111111111111", "eu-west-2"): {}}
    store.reset()
    assert list(kept.everywhere()) == []


def test_every_store_of_a_module_is_one_that_a_reset_knows() -> None:
    """No state of a service lives in a plain dictionary of its module that a request may fill."""
    names = [
        path.relative_to(FOLDER.parent).with_suffix("")
        for path in FOLDER.glob("services/*/**/*.py")
        if path.stem != "__init__"
    ]
    found = [
        f"{name}.{key}"
        for name in (".".join(path.parts) for path in names)
        for key, value in vars(import_module(name)).items()
        if key.startswith("_") and not key.startswith("__") and key[1:2].islower() and value in ({}, [], set())
    ]
    assert found == []


def test_a_reset_forgets_that_tasks_are_held(aws: EmbeddedAws) -> None:
    aws.control("hold-root-volume-tasks", held=True)
    aws.reset()
    assert aws.control("hold-root-volume-tasks", held=False) == {"held": False}


def test_a_control_that_nobody_has_is_no_control(aws: EmbeddedAws) -> None:
    with pytest.raises(emulator.client.EmulatorError):
        aws.control("no-such-control")


def test_the_readme_says_what_the_services_say() -> None:
    documents: Any = import_module("emulator.documents")
    assert documents.PAGE.read_text(encoding="utf-8") == documents.page(), "run 'make docs'"
