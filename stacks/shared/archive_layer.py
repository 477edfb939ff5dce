"""A layer of one archive, which is made once for each content."""

from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


class ArchiveLayer(lambda_.LayerVersion):
    """Packages for functions of Python, for the runtime and the architecture that all of ours have.

    Args:
        archive: a zip with the packages below ``python/``
            (https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html).
        digest: of what is in it; the same content is the same layer.
    """

    def __init__(
        self, scope: Construct, construct_id: str, archive: Path, digest: str, *, description: str, license_id: str
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            code=lambda_.Code.from_asset(str(archive), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM),
            description=description,
            license=license_id,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )
