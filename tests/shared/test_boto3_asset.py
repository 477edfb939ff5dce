"""The archive of packages that an instance unpacks."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from stacks.shared.boto3_archive import PACKAGES, NotPurePythonError, write_archive
from stacks.sqs_target_scaling.settings import SERVICES

WORKER = {"python_version": "3.13", "platform_system": "Linux", "sys_platform": "linux", "extra": ""}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    path = tmp_path_factory.mktemp("boto3") / "boto3.zip"
    write_archive(path, [distribution(name) for name in PACKAGES], SERVICES)
    with ZipFile(path) as opened:
        yield opened


def test_every_dependency_of_boto3_is_taken() -> None:
    needed = {
        requirement.name
        for package in PACKAGES
        for text in distribution(package).requires or []
        if (requirement := Requirement(text)).marker is None or requirement.marker.evaluate(WORKER)
    }
    assert needed <= set(PACKAGES)


def test_the_archive_holds_the_packages_and_nothing_of_this_machine(archive: ZipFile) -> None:
    names = archive.namelist()
    assert {"boto3/__init__.py", "botocore/session.py", "six.py"} <= set(names)
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert not [name for name in names if name.endswith((".pyc", ".so")) or ".." in Path(name).parts]


def test_clients_of_the_wanted_services_can_be_made_from_it_alone(archive: ZipFile, tmp_path: Path) -> None:
    archive.extractall(tmp_path)
    code = (
        "import boto3, botocore; "
        f"assert botocore.__file__.startswith({str(tmp_path)!r}), botocore.__file__; "
        f"clients = [boto3.client(name, region_name='eu-central-1') for name in {SERVICES!r}]; "
        "print(*[client.meta.endpoint_url for client in clients])"
    )
    environment = {"PYTHONPATH": str(tmp_path), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = subprocess.run(
        [sys.executable, "-s", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(".eu-central-1.amazonaws.com" in url for url in done.stdout.split())


def test_the_same_packages_give_the_same_bytes(archive: ZipFile, tmp_path: Path) -> None:
    write_archive(tmp_path / "again.zip", [distribution(name) for name in PACKAGES], SERVICES)
    assert archive.filename is not None
    assert (tmp_path / "again.zip").read_bytes() == Path(archive.filename).read_bytes()


def test_a_package_with_compiled_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotPurePythonError, match="pydantic_core"):
        write_archive(tmp_path / "any.zip", [distribution("pydantic_core")], [])
