"""Amazon S3, by ministack."""

from emulator.core.service import Service
from emulator.services.s3.types import tagged

SERVICE = Service(
    "s3",
    wraps={"AWS::S3::Bucket": tagged},
    modelled=("tags of buckets that stacks make",),
)
