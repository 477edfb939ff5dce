"""The settings of discovery and layout, as functions and builds get them from the stack. No AWS in here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Wanted:
    """The settings that discovery and layout share.

    Attributes:
        dashboard_name: name of the first dashboard; that of the others begins with it.
        tag_name: key of the tag by which resources are found.
        tag_values: values that count; none means any.
        by_tag_value: a series of dashboards for each value instead of one for all.
        explorer: whether an explorer widget is on top.
        s3_namespace: where CloudWatch keeps the metrics of S3 on Outposts.
        other_outposts: Outposts that the account's own list may lack, by id: the account that owns each.
        written_by: whose dashboards these are, for the people who read them.
    """

    dashboard_name: str
    tag_name: str
    tag_values: tuple[str, ...]
    by_tag_value: bool
    explorer: bool
    s3_namespace: str
    other_outposts: Mapping[str, str]
    written_by: str

    @classmethod
    def read(cls, text: str) -> "Wanted":
        """Reads what `text` has written.

        Raises:
            TypeError, ValueError: it is something else.
        """
        fields = json.loads(text)
        return cls(**{**fields, "tag_values": tuple(fields["tag_values"])})

    def text(self) -> str:
        """The same for the same settings, byte for byte."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def matches(self, value: str | None) -> bool:
        """Whether a resource with this value of the tag is to be shown; None: it has no such tag."""
        return value is not None and (not self.tag_values or value in self.tag_values)

    def filters(self, most: int) -> Iterator[dict[str, Any]]:
        """Filters as EC2 and EC2 Auto Scaling take them, each with so many values at most."""
        if not self.tag_values:
            yield {"Name": "tag-key", "Values": [self.tag_name]}
        for values in batches(self.tag_values, most):
            yield {"Name": f"tag:{self.tag_name}", "Values": values}


def batches(items: Sequence[str], most: int) -> Iterator[list[str]]:
    """The items in lists of so many at most."""
    for start in range(0, len(items), most):
        yield list(items[start : start + most])


def tags_of(items: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as AWS lists them, None or nothing where there are none, by their keys."""
    return {item["Key"]: item.get("Value", "") for item in items or []}
