"""boto3 for the function: the very version that the tests ran, which knows the newest fields of reservations."""

from hashlib import sha256
from importlib.metadata import distribution

from constructs import Construct

from stacks.shared.archive_layer import ArchiveLayer
from stacks.shared.boto3_asset import CACHE, PACKAGES, write_archive

SERVICES = ("cloudwatch", "ec2", "pricing", "s3", "savingsplans", "sns")
FOLDER = "python/"
"""Where Lambda looks for packages of a layer (https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html)."""


class Boto3Layer(ArchiveLayer):
    """boto3 as requirements.txt pins it: a runtime's may be older, and would leave out whether one is interruptible."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        packages = [distribution(name) for name in PACKAGES]
        contents = [FOLDER, *(f"{package.name}=={package.version}" for package in packages), *SERVICES]
        digest = sha256("\n".join(contents).encode()).hexdigest()
        archive = CACHE / f"{digest}.zip"
        if not archive.exists():
            write_archive(archive, packages, SERVICES, folder=FOLDER)
        what = f"boto3 {distribution('boto3').version}"
        super().__init__(scope, construct_id, archive, digest, description=what, license_id="Apache-2.0")
