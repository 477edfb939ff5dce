"""boto3 for instances: the very packages that requirements.txt pins, in one archive."""

from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import distribution

from aws_cdk import AssetHashType
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from stacks.shared.boto3_archive import CACHE, PACKAGES, write_archive


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
