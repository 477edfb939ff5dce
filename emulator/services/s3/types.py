"""AWS::S3::Bucket: its tags and those of its stack, which ministack leaves out, so that GetResources lists no bucket.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html (Tags), and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-resource-tags.html on the stack's.
"""

from typing import Any

from ministack.services import s3

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.resource import Properties, gets_the_tags_of_its_stack

_bucket_tags: Any = private(s3, "_bucket_tags")


def tagged(known: Json) -> Json:
    """ministack's handler with tags."""
    gets_the_tags_of_its_stack("AWS::S3::Bucket")

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Json]:
        return _with_tags(known["create"](logical_id, properties, stack), properties)

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Json]:
        return _with_tags(known["update"](physical_id, old, new, stack), new)

    return {**known, "create": create, "update": update}


def _with_tags(made: tuple[str, Json], properties: Properties) -> tuple[str, Json]:
    """Its set of tags is that of the template and the stack: PutBucketTagging knows no other."""
    _bucket_tags[made[0]] = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or []}
    return made
