"""Third-party Python packages for instances: the very ones that requirements.txt pins, in one archive."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.metadata import Distribution, distribution
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from aws_cdk import AssetHashType
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

CACHE = Path(__file__).parents[2] / ".local" / "libraries"
BOTO3 = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
# What the installer adds to a package, which differs from one installer to the next.
INSTALLERS_FILES = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}


class NotPurePythonError(Exception):
    """A package with compiled parts was asked for; it would not run on another machine."""


class LibrariesAsset(Asset):
    """An archive of installed packages, to be unpacked into a folder on PYTHONPATH.

    An instance needs no package index at boot, and runs what the tests ran. The archive is made once for each set of
    versions, from what ``pip install -r requirements.txt`` has put and checked here; its hash is that of the versions.

    Args:
        packages: distributions to take; the dependencies of one are not followed.

    Raises:
        NotPurePythonError: a package is not pure Python.

    Attributes:
        archive: the file.
    """

    def __init__(self, scope: Construct, construct_id: str, *, packages: Iterable[str]) -> None:
        found = sorted((distribution(name) for name in packages), key=lambda d: d.name.lower())
        pins = "\n".join(f"{d.name}=={d.version}" for d in found)
        digest = sha256(pins.encode()).hexdigest()
        path = CACHE / f"{digest}.zip"
        if not path.exists():
            _archive(found, path)
        super().__init__(scope, construct_id, path=str(path), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM)
        self.archive = path


def _archive(packages: Sequence[Distribution], path: Path) -> None:
    for package in packages:
        if "Root-Is-Purelib: true" not in (package.read_text("WHEEL") or ""):
            raise NotPurePythonError(f"{package.name} {package.version} has compiled parts")
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as unfinished, ZipFile(unfinished, "w") as archive:
        for package in packages:
            for file in sorted(package.files or [], key=str):
                if ".." in file.parts or file.suffix == ".pyc" or file.name in INSTALLERS_FILES:
                    continue
                # A fixed date, so that the same packages give the same archive.
                archive.writestr(ZipInfo(str(file), (1980, 1, 1, 0, 0, 0)), file.read_binary(), ZIP_DEFLATED)
    Path(unfinished.name).replace(path)
