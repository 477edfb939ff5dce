"""The measurements that the CloudWatch agent knows: ``documents/measurements.yaml``."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import yaml

System = Literal["linux", "windows"]
Sections = Mapping[str, frozenset[str]]


def _listed() -> dict[str, Sections]:
    path = Path(__file__).parent / "documents" / "measurements.yaml"
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        system: {section: frozenset(names) for section, names in sections.items()}
        for system, sections in listed.items()
    }


_LISTED = _listed()
LINUX, WINDOWS = _LISTED["linux"], _LISTED["windows"]


def plain_name(section: str, measurement: str) -> str:
    """A measurement without its section in front, which the agent takes with or without."""
    return measurement.removeprefix(f"{section}_")


def unknown(system: System, section: str, measurements: list[str]) -> Iterator[str]:
    """What is wrong with the measurements of a section, a sentence for each."""
    allowed = (LINUX if system == "linux" or section == "procstat" else WINDOWS).get(section)
    if allowed is None:
        return
    for name in measurements:
        plain = plain_name(section, name) if system == "linux" else name
        if plain not in allowed:
            close = get_close_matches(plain, sorted(allowed), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(allowed))}"
            yield f"the agent measures no {name!r} in {section}; {hint}"
