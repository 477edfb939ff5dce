"""boto3 for instances: the very packages that requirements.txt pins, in one archive."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.metadata import Distribution, PackagePath, distribution
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from aws_cdk import AssetHashType
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

CACHE = Path(__file__).parents[2] / ".local" / "boto3"
PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
# What the installer adds to a package, which differs from one installer to the next.
INSTALLERS_FILES = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


class NotPurePythonError(Exception):
    """A package has compiled parts; it would not run on another machine."""


class Boto3Asset(Asset):
    """An archive of boto3 and what it needs, to be unpacked into a folder on PYTHONPATH.

    An instance needs no package index at boot, and runs what the tests ran. Of botocore's service models, which are
    most of it, the archive has the wanted ones. It is made once for each set of versions and services, from what
    ``pip install -r requirements.txt`` has put and checked here; they also make its hash.

    Args:
        services: the services whose clients can be made, as boto3 names them.

    Raises:
        NotPurePythonError: a package is not pure Python.

    Attributes:
        archive: the file.
    """

    def __init__(self, scope: Construct, construct_id: str, *, services: Iterable[str]) -> None:
        wanted = sorted(services)
        packages = [distribution(name) for name in PACKAGES]
        contents = [f"{package.name}=={package.version}" for package in packages] + wanted
        digest = sha256("\n".join(contents).encode()).hexdigest()
        self.archive = CACHE / f"{digest}.zip"
        if not self.archive.exists():
            write_archive(self.archive, packages, wanted)
        super().__init__(
            scope, construct_id, path=str(self.archive), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM
        )


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
