"""Templates of settings that no variant has: made with those of the variants, so that tests read them as JSON.

A test that asks for one names its state here or in its solution's ``conformance.py`` (LARGEST, PREPARED). What the
rules judge in every way is a variant (tests/variants.py); what one test looks at is this.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stacks.series import SOLUTIONS
from tests import variants
from tests.conformance.told import told
from tests.conformance.updates.states import REGION, State
from tests.template import Template
from tests.variants import Json

BOOT_AMAZON_LINUX = (
    "custom_health_checks",
    "instance_connect_endpoint",
    "local_zone_wordpress",
    "nitro_attestation",
    "odcr_asg",
    "spinnaker_server_groups",
    "spot_asg",
    "sqs_target_scaling",
)
"""Solutions whose instances boot the newest Amazon Linux unless ``common.linux_images`` names images."""
IMAGES = {"arm64": "ami-0123456789abcdef0", "x86_64": "ami-0123456789abcdef1"}


def largest(slug: str) -> list[State]:
    """The largest legal settings of a solution."""
    sections: list[tuple[Json, Json]] = told(slug, "LARGEST", [])
    return [State(slug, f"largest {number}", *one) for number, one in enumerate(sections)]


def govcloud(slug: str) -> State:
    """A solution in GovCloud."""
    from tests.conformance.regions import GOVCLOUD, needed_settings  # takes a second, for the schemas of cfn-lint

    return State(slug, "govcloud", {"region": GOVCLOUD[1]}, needed_settings(slug, "aws-us-gov"))


def pinned(slug: str) -> State:
    """A solution whose instances boot images that are named."""
    return State(slug, "pinned", {**REGION, "linux_images": IMAGES}, {})


def named(slug: str, name: str) -> State:
    """One of PREPARED, which a solution's own tests look at."""
    return State(slug, name, *_named(slug)[name])


def states(slug: str) -> Iterator[State]:
    """All that is made of a solution."""
    yield from largest(slug)
    yield govcloud(slug)
    if slug in BOOT_AMAZON_LINUX:
        yield pinned(slug)
    yield from (named(slug, name) for name in _named(slug))


def template(state: State) -> Json:
    """The template of one of the states. It is shared: tests only read it."""
    return _read(file_of(state, variants.folder()))


def prepared(slug: str, name: str) -> Template:
    """The template of one of PREPARED, as tests ask about it."""
    return Template(template(named(slug, name)))


def file_of(state: State, folder: Path) -> Path:
    """Where its template is below the folder of all templates."""
    digest = hashlib.sha256(state.text.encode()).hexdigest()[:16]
    return folder / "states" / f"{state.slug}-{digest}.json"


def told_of_all() -> str:
    """What the solutions tell of their states, for the digest of what templates depend on."""
    return json.dumps([[told(one.slug, "LARGEST", []), _named(one.slug)] for one in SOLUTIONS], sort_keys=True)


def _named(slug: str) -> dict[str, tuple[Json, Json]]:
    return told(slug, "PREPARED", {})


@cache
def _read(path: Path) -> Json:
    assert path.exists(), "no such state is made: name it in tests/prepared.py, or in PREPARED of conformance.py"
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found
