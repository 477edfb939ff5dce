"""Packages of pure Python in one archive, of botocore's service models only those that are wanted."""

from collections.abc import Sequence
from importlib.metadata import Distribution, PackagePath
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

CACHE = Path(__file__).parents[2] / ".local" / "boto3"
PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
# What the installer adds to a package, which differs from one installer to the next.
INSTALLERS_FILES = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


class NotPurePythonError(Exception):
    """A package has compiled parts; it would not run on another machine."""


def write_archive(path: Path, packages: Sequence[Distribution], services: Sequence[str], *, folder: str = "") -> None:
    """Packs the files of pure Python packages as they are installed here.

    Args:
        folder: of the archive that they go to, with a slash at its end.

    Raises:
        NotPurePythonError: a package is not pure Python.
    """
    for package in packages:
        if "Root-Is-Purelib: true" not in (package.read_text("WHEEL") or ""):
            raise NotPurePythonError(f"{package.name} {package.version} has compiled parts")
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as unfinished, ZipFile(unfinished, "w") as archive:
        for package in packages:
            for file in sorted(package.files or [], key=str):
                if _belongs(file, services):
                    # A fixed date, so that the same packages give the same archive.
                    archive.writestr(
                        ZipInfo(f"{folder}{file}", (1980, 1, 1, 0, 0, 0)), file.read_binary(), ZIP_DEFLATED
                    )
    Path(unfinished.name).replace(path)


def _belongs(file: PackagePath, services: Sequence[str]) -> bool:
    if ".." in file.parts or file.suffix == ".pyc" or file.name in INSTALLERS_FILES:
        return False
    is_model = file.parts[:2] in (("botocore", "data"), ("boto3", "data")) and len(file.parts) > 3
    return not is_model or file.parts[2] in services
