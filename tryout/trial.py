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
        exported: whether it is deployed from its export, without the CDK (tryout/run/ways.py).
    """

    slug: str
    variant: str
    stack: str
    folder: Path
    broken: str = ""
    exported: bool = False

    @property
    def name(self) -> str:
        """Names it in messages."""
        how = f", broken: {self.broken}" if self.broken else ", exported" if self.exported else ""
        return f"{self.slug} ({self.variant}{how})"

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "config.yaml"

    @property
    def export_config(self) -> Path:
        """The configuration that the export is made of."""
        return self.folder / "export.yaml"

    @property
    def assembly(self) -> Path:
        """The cloud assembly."""
        return self.folder / "cdk.out"

    def to_json(self) -> Json:
        """For another process."""
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Trial":
        """As another process has sent it."""
        return cls(**{**found, "folder": Path(found["folder"])})
