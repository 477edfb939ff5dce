"""One variant of a solution as it is tried: its folder, and the configuration in it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """One variant of a solution, with a folder for its configuration, cloud assembly, logs and scenario.

    Attributes:
        broken: the fault that is put into its template (tryout/breaks.py); empty: none.
    """

    slug: str
    variant: str
    stack: str
    folder: Path
    broken: str = ""

    @property
    def name(self) -> str:
        """Names it in messages."""
        return f"{self.slug} ({self.variant}{f', broken: {self.broken}' if self.broken else ''})"

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "config.yaml"

    @property
    def assembly(self) -> Path:
        """The cloud assembly."""
        return self.folder / "cdk.out"

    def to_json(self) -> Json:
        """For another process."""
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, found: Mapping[str, str]) -> "Trial":
        """As another process has sent it."""
        return cls(found["slug"], found["variant"], found["stack"], Path(found["folder"]), found["broken"])
