"""Releases of the Anbox Cloud Appliance: their features, requirements and removals.

https://documentation.ubuntu.com/anbox-cloud/reference/deprecation-notices/ and the release notes beside it.
"""

from dataclasses import dataclass
from functools import total_ordering

# A release needs the driver that it was tested with: 1.29 needed 570 and broke with 580
# (https://bugs.launchpad.net/bugs/2142120).
DRIVERS = {(1, 30): "580"}


@total_ordering
@dataclass(frozen=True)
class Release:
    """A minor release; *latest* is whatever Canonical serves."""

    major: int
    minor: int
    latest: bool = False

    @classmethod
    def of(cls, channel: str) -> "Release":
        """The release of a channel such as 1.30/stable."""
        track = channel.split("/")[0]
        if track == "latest":
            return cls(0, 0, latest=True)
        major, minor = track.split(".")
        return cls(int(major), int(minor))

    def __lt__(self, other: "Release") -> bool:
        return (self.major, self.minor) < (other.major, other.minor)

    def __str__(self) -> str:
        return "latest" if self.latest else f"{self.major}.{self.minor}"

    @property
    def applications_deprecated(self) -> bool:
        """Whether applications are, or may be, deprecated."""
        return self.latest or self >= Release(1, 31)

    @property
    def without_applications(self) -> bool:
        """Whether the release certainly has no applications."""
        return not self.latest and self >= Release(1, 32)


OLDEST = Release(1, 30)


def driver_series(release: Release) -> str:
    """Series of NVIDIA's driver for a release; empty if it is not known."""
    return DRIVERS.get((release.major, release.minor), "")
