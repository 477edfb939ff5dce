"""What ranges of addresses say together."""

from collections.abc import Sequence
from typing import Any

import pytest

from config.ranges import admits_everybody, never_routed
from stacks.catalog import settings_by_slug
from stacks.instance_connect_endpoint.rules import is_open_to_everyone
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings

HALVES = ("0.0.0.0/1", "128.0.0.0/1")
OPENED = {
    name: settings
    for name, settings in settings_by_slug().items()
    if {"allowed_cidrs", "confirm_open_to_the_world"} <= set(settings.model_fields)
}
"""Solutions that may be opened to everybody, by a second key."""


@pytest.mark.parametrize(
    ("cidrs", "place"),
    [
        ((), None),
        (("0.0.0.0/0",), 0),
        (("203.0.113.0/24", "0.0.0.0/0"), 1),
        (HALVES, 1),
        (("128.0.0.0/2", "0.0.0.0/1", "192.0.0.0/2", "10.0.0.0/8"), 2),
        (("0.0.0.0/1", "10.0.0.0/8"), None),
        (("::/0",), 0),
        (("::/1", "128.0.0.0/1"), None),
    ],
)
def test_everybody_is_let_in_by_one_range_or_by_several(cidrs: Sequence[str], place: int | None) -> None:
    assert admits_everybody(cidrs) == place


@pytest.mark.parametrize(
    ("cidr", "within"),
    [
        ("127.0.0.1/32", "127.0.0.0/8"),
        ("239.1.0.0/16", "224.0.0.0/4"),
        ("240.0.0.0/4", "240.0.0.0/4"),
        ("0.0.0.0/0", None),
        ("10.0.0.0/8", None),
        ("128.0.0.0/1", None),
    ],
)
def test_a_range_is_never_routed_if_none_of_it_is(cidr: str, within: str | None) -> None:
    found = never_routed(cidr)
    assert (None if found is None else str(found)) == within


def test_solutions_that_may_be_open_are_found() -> None:
    assert {"game_streaming", "local_zone_wordpress", "spinnaker_server_groups"} <= set(OPENED)


@pytest.mark.parametrize("name", OPENED)
@pytest.mark.parametrize("cidrs", [("0.0.0.0/0",), HALVES])
def test_no_halves_slip_past_the_second_key(name: str, cidrs: tuple[str, ...]) -> None:
    def said(confirmed: bool) -> list[Any]:
        changes = {"allowed_cidrs": cidrs, "confirm_open_to_the_world": confirmed}
        found = OPENED[name]().model_copy(update=changes).problems()
        return [problem for problem in found if "confirm_open_to_the_world to true" in problem.message]

    assert len(said(False)) == 1 and not said(True)


def test_no_vpc_is_made_of_addresses_that_none_takes() -> None:
    def said(cidr: str) -> list[str]:
        return [found.message for found in LocalZoneWordpressSettings(vpc_cidr=cidr).problems()]

    assert any("which no VPC takes" in message for message in said("224.0.0.0/16"))
    assert not said("10.1.0.0/16")


def test_a_doctor_sees_a_port_that_is_open_by_halves() -> None:
    def rule(*ranges: str) -> dict[str, Any]:
        return {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": each} for each in ranges]}

    assert is_open_to_everyone([rule(HALVES[0]), rule(HALVES[1])], 22)
    assert not is_open_to_everyone([rule(HALVES[0])], 22)
