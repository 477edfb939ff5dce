"""An account and a stack in it, as the request bodies and Spinnaker see them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from config.models import CommonSettings
from stacks.spinnaker_server_groups.bodies import Bodies
from stacks.spinnaker_server_groups.place import Place
from stacks.spinnaker_server_groups.settings import SpinnakerServerGroupsSettings
from tryout.scenarios.spinnaker_server_groups.clouddriver import Spinnaker
from tryout.scenarios.spinnaker_server_groups.gate import LoopbackGate
from tryout.scenarios.spinnaker_server_groups.user_data import reads_files

REGION = "eu-central-1"
ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
VPC, IMAGE, PROFILE, KEY = "vpc-1", "ami-0123456789abcdef0", "spinnaker-server-groups-Profile-1", "ops"
BALANCERS, INSTANCES = "sg-1", "sg-2"
BALANCERS_NAME = "spinnaker-server-groups-NetworkLoadBalancers-1"


@dataclass
class Account:
    """What Spinnaker's caches have of an account with the stack in it."""

    account: str = "my-aws-account"
    region: str = REGION
    purposes: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    groups: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {
            BALANCERS: (BALANCERS_NAME, VPC),
            INSTANCES: ("spinnaker-server-groups-NetworkInstances-1", VPC),
        }
    )

    def subnets(self, purpose: str) -> list[tuple[str, str]]:
        return self.purposes.get(purpose, [])

    def security_groups(self) -> dict[str, tuple[str, str]]:
        return self.groups

    def instance_profiles(self) -> set[str]:
        return {PROFILE}

    def key_pairs(self) -> set[str]:
        return {KEY}

    def images(self) -> set[str]:
        return {IMAGE}


def settings_of(**settings: Any) -> SpinnakerServerGroupsSettings:
    return SpinnakerServerGroupsSettings.model_validate(settings)


def bodies_of(prefix: str | None = None, key_pair: str | None = KEY, **settings: Any) -> Bodies:
    """The bodies for a deployed stack."""
    found = settings_of(**settings)
    common = CommonSettings(prefix=prefix)
    purposes, internal = found.purposes(common), found.is_internal(common)
    assert purposes
    place = Place(REGION, ZONES, VPC, IMAGE, PROFILE, BALANCERS_NAME, INSTANCES, *purposes, internal, key_pair=key_pair)
    return Bodies(found, place)


def spinnaker_for(bodies: Bodies) -> Spinnaker:
    """A Spinnaker whose account has the place of the bodies."""
    purposes = (bodies.place.public_purpose, bodies.place.private_purpose)
    account = Account(purposes={purpose: [(VPC, zone) for zone in ZONES] for purpose in purposes})
    return Spinnaker(account, files=reads_files())


@pytest.fixture
def gate() -> Iterator[LoopbackGate]:
    """A Gate that takes everybody."""
    with LoopbackGate(spinnaker_for(bodies_of())) as server:
        yield server
