"""Events of changed tags."""

from collections.abc import Sequence

from aws_cdk import aws_events as events


def instance_tag_changed(key: str, *, values: Sequence[str] = ()) -> events.EventPattern:
    """Somebody has changed a tag of an instance; has set it to one of some values, if these are given.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html
    """
    detail = {"service": ["ec2"], "resource-type": ["instance"], "changed-tag-keys": [key]}
    return events.EventPattern(
        source=["aws.tag"],
        detail_type=["Tag Change on Resource"],
        detail={**detail, "tags": {key: list(values)}} if values else detail,
    )
