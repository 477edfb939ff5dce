"""Objects of S3. By a client of the caller's."""

from typing import Any


def body_of(s3: Any, bucket: str, key: str) -> bytes | None:
    """What an object holds; None if there is none, which S3 says only to who may list the bucket."""
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    return body
