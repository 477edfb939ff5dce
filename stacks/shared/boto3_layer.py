"""boto3 for a function: the very version that the tests ran, where a runtime's may be too old for a field."""

from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import distribution

from constructs import Construct

from stacks.shared.archive_layer import ArchiveLayer
from stacks.shared.boto3_archive import CACHE, PACKAGES, write_archive

FOLDER = "python/"
"""Where Lambda looks for packages of a layer (https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html)."""


class Boto3Layer(ArchiveLayer):
    """boto3 as requirements.txt pins it.

    Lambda's own comes later than new fields, and leaves out or refuses what it does not know
    (https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-sdk).

    Args:
        services: the services whose clients can be made, as boto3 names them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, services: Sequence[str]) -> None:
        wanted = sorted(services)
        packages = [distribution(name) for name in PACKAGES]
        contents = [FOLDER, *(f"{package.name}=={package.version}" for package in packages), *wanted]
        digest = sha256("\n".join(contents).encode()).hexdigest()
        self.archive = CACHE / f"{digest}.zip"
        if not self.archive.exists():
            write_archive(self.archive, packages, wanted, folder=FOLDER)
        what = f"boto3 {distribution('boto3').version}"
        super().__init__(scope, construct_id, self.archive, digest, description=what, license_id="Apache-2.0")
