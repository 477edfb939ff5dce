"""What a check is, in ``checks`` of section ``solutions.custom_health_checks``. No aws_cdk in here."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from config.models import Problem, Section, rule

# What the instance's script and a shell can take without quoting: no quotes, no dollar, no line feed, no |. And what
# the shorthand of the AWS CLI leaves as it is: it cuts blanks off at both ends, and takes no value that begins with =.
# https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html
_FIRST, _INNER, _LAST = "[A-Za-z0-9_.:/+@-]", "[A-Za-z0-9_ .:/=+@-]", "[A-Za-z0-9_.:/=+@-]"
TagKey = Annotated[str, Field(pattern=f"^{_FIRST}({_INNER}{{0,126}}{_LAST})?$", examples=["Compliance-Check"])]
TagValue = Annotated[str, Field(pattern=f"^{_FIRST}({_INNER}{{0,253}}{_LAST})?$", examples=["Successful"])]
AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,255}$", examples=["instance_id"])]


class TagCheck(Section):
    """The post's check: a tag of the instance has the value that stands for success."""

    kind: Literal["tag"] = "tag"
    """tag."""
    key: TagKey = "Compliance-Check"
    """Key of the tag."""
    initial: TagValue = "UnSuccessful"
    """Value that every new instance gets from the group."""
    success: TagValue = "Successful"
    """Value that lets an instance in."""
    failure: TagValue | None = "Failed"
    """Value that fails an instance at once. null: none; it fails when its time is over."""

    @property
    def name(self) -> str:
        """The key as a part of a CloudFormation name, which takes letters and digits only."""
        return "".join(letter for letter in self.key.title() if letter.isalnum())

    @rule
    def _is_yours_to_set(self) -> Iterator[Problem]:
        if self.key.lower().startswith("aws:"):
            yield Problem("key", "must not begin with 'aws:', which belongs to AWS; choose another key")

    @rule
    def _values_differ(self) -> Iterator[Problem]:
        known: dict[str, str] = {}
        for name in ("initial", "success", "failure"):
            value = getattr(self, name)
            if value is not None and (other := known.setdefault(value, name)) != name:
                yield Problem(
                    name, f"must differ from {other}, or an instance passes or fails at its start; change one"
                )


class HttpCheck(Section):
    """An HTTP endpoint on the instance answers. Asked from inside the VPC (event) or on the instance (instance)."""

    kind: Literal["http"]
    """http."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 80
    """Port on the instance."""
    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./~%=&?,:@+-]{0,255}$", examples=["/health"])] = "/health"
    """Path, with a query if it needs one."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The one status that passes; with any other answer, or none, the check goes on."""


class SsmDocumentCheck(Section):
    """A Systems Manager command document ran on the instance with success; it is started if it never ran there."""

    kind: Literal["ssm-document"]
    """ssm-document."""
    document: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,128}$", examples=["AcmeComplianceCheck"])]
    """Name of a command document of this account, or of AWS, without parameters that it must be given."""


class TableCheck(Section):
    """A DynamoDB table has an entry for the instance: the post's configuration management database."""

    kind: Literal["table"]
    """table."""
    table: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", examples=["inventory"])]
    """Name of an existing table in this account and Region."""
    key: AttributeName = "instance_id"
    """Its partition key, a string: the instance's id. The table has no sort key."""
    attribute: AttributeName | None = None
    """Attribute of the entry with the state of the instance. null: an entry is enough."""
    success: TagValue | None = None
    """Value of the attribute that passes."""
    failure: TagValue | None = None
    """Value of the attribute that fails an instance at once. null: none."""

    @rule
    def _attribute_and_values_belong_together(self) -> Iterator[Problem]:
        if (self.attribute is None) != (self.success is None):
            there, missing = ("success", "attribute") if self.attribute is None else ("attribute", "success")
            yield Problem(missing, f"must be set with {there}; set both, or neither if an entry is enough")
        elif self.failure is not None and self.attribute is None:
            yield Problem("failure", "must be left out without attribute, whose value it is; set attribute and success")
        if self.failure is not None and self.failure == self.success:
            yield Problem("failure", "must differ from success; change one")


Check = Annotated[TagCheck | HttpCheck | SsmDocumentCheck | TableCheck, Field(discriminator="kind")]


def belongs_to_aws(document: str) -> bool:
    """Whether a document is one of AWS, which is of no account: nobody else may give such a name.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
    """
    return document.lower().startswith(("aws", "amazon", "amzn"))
