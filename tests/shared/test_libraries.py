"""The archive of packages that an instance unpacks."""

from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from aws_cdk import App, Stack
from packaging.requirements import Requirement

from stacks.shared.libraries import BOTO3, LibrariesAsset, NotPurePythonError

WORKER = {"python_version": "3.13", "platform_system": "Linux", "sys_platform": "linux", "extra": ""}


def test_every_dependency_of_boto3_is_taken() -> None:
    needed = {
        requirement.name
        for package in BOTO3
        for text in distribution(package).requires or []
        if (requirement := Requirement(text)).marker is None or requirement.marker.evaluate(WORKER)
    }
    assert needed <= set(BOTO3)


def test_the_archive_holds_the_packages_and_nothing_of_this_machine() -> None:
    asset = LibrariesAsset(Stack(App(), "Any"), "Libraries", packages=BOTO3)
    with ZipFile(asset.archive) as archive:
        names = archive.namelist()
        assert {name.date_time for name in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {"boto3/__init__.py", "botocore/session.py", "botocore/data/sqs/2012-11-05/service-2.json.gz"} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".so")) or ".." in Path(name).parts]


def test_a_package_with_compiled_parts_is_refused() -> None:
    with pytest.raises(NotPurePythonError, match="pydantic_core"):
        LibrariesAsset(Stack(App(), "Any"), "Libraries", packages=["pydantic_core"])
