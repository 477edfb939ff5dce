"""The fields and small sections of the settings of guardrails."""

from typing import Annotated

from pydantic import Field

from config.models import Section

SubnetArn = Annotated[
    str,
    Field(
        pattern=r"^arn:(\*|aws[a-z-]*):ec2:(\*|[a-z0-9-]+):(\*|\d{12}):subnet/subnet-[0-9a-f]{8,17}$",
        examples=["arn:*:ec2:*:111122223333:subnet/subnet-0123456789abcdef0"],
    ),
]
SubnetArns = Annotated[tuple[SubnetArn, ...], Field(max_length=2_000)]
TargetId = Annotated[
    str,
    Field(pattern=r"^(r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$", examples=["ou-ab12-cdefgh34"]),
]
PrincipalArn = Annotated[
    str,
    Field(
        pattern=r"^arn:(\*|aws[a-z-]*):(iam|sts)::(\*|\d{12}):(root|(role|user|federated-user)/[A-Za-z0-9_+=,.@/*?-]+)$",
        max_length=600,
        examples=["arn:*:iam::*:role/backup"],
    ),
]
Action = Annotated[
    str, Field(pattern=r"^[a-z0-9-]{2,40}:[A-Za-z*][A-Za-z0-9*?]{0,90}$", examples=["rds:CopyDBSnapshot"])
]
Service = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$", examples=["elasticache"])]


class Switches(Section):
    """Which statements there are, by their Sid in the post."""

    DenyCopyToRegion: bool = True
    """No snapshot, image, export or transfer task makes a copy in the Region."""
    DenyDirectTransferToRegion: bool = True
    """Nothing is created or written to in services of the Region that hold data."""
    DenyPutObjectToRegionalBuckets: bool = True
    """No object is put into a bucket of the Region."""


class SubnetTag(Section):
    """The tag that allows a subnet. Whoever may set it decides where data goes, so that a statement protects it."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/=+@-]+$", max_length=128, examples=["residency"])]
    """Key of the tag."""
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9_ .:/=+@-]+$", max_length=256, examples=["in-zone"])]
    """Value of the tag."""
