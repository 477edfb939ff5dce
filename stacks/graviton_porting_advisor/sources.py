"""The location of a source, and the names of its build, reports and metrics."""

import re
from dataclasses import dataclass
from typing import Literal, Self, cast
from zlib import crc32

Provider = Literal["github", "gitlab", "bitbucket", "codecommit", "s3"]

_PART = r"[A-Za-z0-9_.-]+"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, and keys without characters that IAM
# reads as a pattern or a variable.
_S3 = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.()/-]+(?:\.zip|/)"
SHAPES = rf"^((?:(?:gitlab|bitbucket):)?{_PART}(?:/{_PART})+|codecommit:{_PART}|{_S3})$"

HOSTS = {"github": "https://github.com", "gitlab": "https://gitlab.com", "bitbucket": "https://bitbucket.org"}
LONGEST_SLUG = 60


@dataclass(frozen=True)
class Location:
    """A location from the settings, in its parts.

    Attributes:
        name: the provider's name for it: owner/name, a repository, or bucket/key.
    """

    provider: Provider
    name: str

    @classmethod
    def read(cls, text: str) -> Self:
        """The location from the settings' text, which has one of the known forms."""
        if text.startswith("s3://"):
            return cls("s3", text.removeprefix("s3://"))
        provider, colon, name = text.partition(":")
        return cls(cast(Provider, provider), name) if colon else cls("github", text)

    @property
    def identity(self) -> str:
        """The same for two locations of one source: only S3 and CodeCommit are case-sensitive."""
        cases = self.provider in ("s3", "codecommit")
        return f"{self.provider}/{self.name if cases else self.name.casefold().removesuffix('.git')}"

    @property
    def label(self) -> str:
        """The name for people and for the metrics' dimension: unique, ASCII, at most 255 characters."""
        text = f"{self.provider}/{self.name}"
        return text if len(text) <= 255 else f"{text[:240]}~{crc32(text.encode()):08x}"

    @property
    def slug(self) -> str:
        """Part of S3 keys; a checksum makes it unique, and no slug is a prefix of another one's folder."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.identity.lower()).strip("-")[:LONGEST_SLUG].rstrip("-")
        return f"{plain}-{crc32(self.identity.encode()):08x}"

    @property
    def bucket(self) -> str:
        """The bucket of an S3 source."""
        return self.name.partition("/")[0]

    @property
    def key(self) -> str:
        """The key of an S3 source: an object, or a prefix that ends with a slash."""
        return self.name.partition("/")[2]

    @property
    def address(self) -> str:
        """The address of a Git repository."""
        return f"{HOSTS[self.provider]}/{self.name.removesuffix('.git')}.git"
