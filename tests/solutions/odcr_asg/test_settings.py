"""What the settings of odcr_asg derive."""

from typing import Any

import pytest

from config.models import CommonSettings, ExistingVpc
from emulator.services.ec2.patches import CATALOGUE
from stacks.odcr_asg.settings import OdcrAsgSettings

SUBNETS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")


def settings(**values: Any) -> OdcrAsgSettings:
    return OdcrAsgSettings.model_validate(values)


@pytest.mark.parametrize(
    ("values", "zones", "each"),
    [({}, 3, 3), ({"zones": 2}, 2, 6), ({"zones": 6}, 6, 2), ({"zone_names": ("eu-west-1a", "eu-west-1b")}, 2, 6)],
)
def test_each_zone_reserves_what_the_others_need_without_it(values: dict[str, Any], zones: int, each: int) -> None:
    found = settings(**values)
    assert (found.zone_count(CommonSettings()), found.reserved_per_zone(CommonSettings())) == (zones, each)


def test_an_existing_network_has_a_zone_for_each_subnet() -> None:
    common = CommonSettings(vpc=ExistingVpc(id="vpc-01234567", subnet_ids=SUBNETS))
    assert settings().zone_count(common) == 2
    assert settings().reserved_per_zone(common) == 6
    assert list(settings().problems_with(common)) == []


def test_an_existing_network_of_one_subnet_survives_nothing_and_is_refused() -> None:
    common = CommonSettings(vpc=ExistingVpc(id="vpc-01234567", subnet_ids=SUBNETS[:1]))
    (problem,) = settings().problems_with(common)
    assert problem.key == "enabled" and "1 subnet in common.vpc" in problem.message


@pytest.mark.parametrize(
    ("zones", "names", "refused"),
    [
        (3, ("eu-west-1a", "eu-west-1b"), False),
        (2, ("eu-west-1a", "eu-west-1b"), False),
        (4, ("eu-west-1a",) * 2, True),
    ],
)
def test_the_names_of_zones_win_over_the_default_number_that_a_file_states(
    zones: int, names: tuple[str, ...], refused: bool
) -> None:
    found = [problem.key for problem in settings(zones=zones, zone_names=names).problems()]
    assert ("zones" in found) is refused


def test_the_architecture_is_read_off_every_types_name_as_ec2_has_it() -> None:
    for name, item in CATALOGUE.items():
        if not name.startswith("mac"):
            supported = item["ProcessorInfo"]["SupportedArchitectures"]
            assert settings(instance_type=name).architecture in supported, name


def test_the_end_date_is_told_to_ec2_in_utc() -> None:
    assert settings(end_date="2027-01-31T19:00:00+01:00").ends_at == "2027-01-31T18:00:00Z"
    assert settings().ends_at is None
