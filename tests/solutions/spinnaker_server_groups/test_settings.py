"""What the settings of spinnaker_server_groups derive and refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.models import CommonSettings
from stacks.spinnaker_server_groups.settings.spinnaker import sends_in_the_clear
from tests.solutions.spinnaker_server_groups.conftest import settings_of

VPC = {"id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}


def problems(common: CommonSettings | None = None, **settings: object) -> list[str]:
    found = settings_of(**settings)
    both = [*found.problems(), *found.problems_with(common or CommonSettings())]
    return [f"{problem.path[0]}: {problem.message}" for problem in both if not problem.warning]


def test_the_defaults_are_the_numbers_of_the_post() -> None:
    settings = settings_of()
    assert (settings.min_instances, settings.max_instances, settings.desired_instances) == (6, 21, 12)
    assert (settings.on_demand_base, settings.on_demand_percentage) == (3, 10)
    assert settings.types == tuple(f"{name}.large" for name in ("m4", "m5", "m5a", "m5ad", "m5d", "m5dn", "m5n"))
    assert (settings.grace_seconds, settings.deregistration_seconds) == (600, 90)
    assert settings.host is None and settings.allowed_cidrs == () and problems() == []


@given(st.integers(0, 30), st.integers(0, 99), st.integers(0, 40))
def test_no_size_has_more_on_demand_instances_than_instances(base: int, percent: int, size: int) -> None:
    settings = settings_of(on_demand_base=base, on_demand_percentage=percent, max_instances=40)
    assert min(base, size) <= settings.on_demand(size) <= size


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30))
def test_sizes_that_are_accepted_are_in_order(least: int, most: int, desired: int) -> None:
    settings = settings_of(min_instances=least, max_instances=most, desired_instances=desired, on_demand_base=0)
    assert (not list(settings.problems())) == (least <= desired <= most)


@pytest.mark.parametrize("types", [["t3.large", "m5.large"], ["m5.large", "c5.large"]])
def test_cpu_credits_are_refused_with_a_type_that_has_none_by_name(types: list[str]) -> None:
    (problem,) = problems(types=types, cpu_credits="standard")
    assert problem.startswith("cpu_credits") and types[1] in problem and "t3.large" not in problem


@pytest.mark.parametrize(("credits_", "unlimited"), [("standard", False), ("unlimited", True), (None, None)])
def test_cpu_credits_of_burstable_types(credits_: str | None, unlimited: bool | None) -> None:
    settings = settings_of(types=["t3.large", "t3a.large"], cpu_credits=credits_)
    assert not list(settings.problems()) and settings.unlimited_cpu_credits is unlimited


@pytest.mark.parametrize(
    ("strategy", "pools", "accepted"),
    [("lowest-price", 3, True), ("capacity-optimized", 3, False), ("price-capacity-optimized", None, True)],
)
def test_pools_are_of_lowest_price(strategy: str, pools: int | None, accepted: bool) -> None:
    assert (not problems(allocation_strategy=strategy, lowest_price_pools=pools)) == accepted


def test_purposes_hold_the_prefix_and_differ_between_two_copies() -> None:
    copies = [settings_of().purposes(CommonSettings(prefix=prefix)) for prefix in (None, "one", "two")]
    names = [name for purposes in copies for name in purposes or ()]
    assert len(set(names)) == 6 and all(name.startswith("one-") for name in copies[1] or ())


def test_purposes_of_an_existing_network_are_those_that_it_has() -> None:
    common = CommonSettings.model_validate({"vpc": VPC})
    assert settings_of().purposes(common) is None
    assert settings_of(public_purpose="a", private_purpose="b").purposes(common) == ("a", "b")


def test_an_application_that_begins_as_the_stack_does_could_never_be_deleted() -> None:
    assert "spinnaker" in problems(application="spinnaker")[0]
    assert problems(CommonSettings(prefix="demoapp"))[0].startswith("application")
    assert problems(CommonSettings(prefix="acme")) == []


def test_a_host_needs_a_way_to_the_internet() -> None:
    assert problems(host={})[0].startswith("network")
    assert problems(host={}, network="nat") == []
    assert problems(host={"instance_type": "m7g.large"}, network="nat") == []  # the loader asks the section itself
    assert [p.key for p in settings_of(host={"instance_type": "m7g.large"}).host.problems()] == ["instance_type"]  # type: ignore[union-attr]


def test_an_internet_facing_load_balancer_needs_public_subnets_of_an_existing_network() -> None:
    common = CommonSettings.model_validate({"vpc": VPC})
    assert problems(common, scheme="internet-facing")[0].startswith("public_subnet_ids")
    assert problems(common) == problems(common, scheme="internal") == problems(common, native_group=False) == []
    assert settings_of().is_internal(common) and not settings_of().is_internal(CommonSettings())
    assert not settings_of(public_subnet_ids=VPC["subnet_ids"]).is_internal(common)
    assert problems(public_subnet_ids=VPC["subnet_ids"])[0].startswith("public_subnet_ids")


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("http://localhost:8084/api/v1", False),
        ("http://127.0.0.1:8084", False),
        ("https://gate.example.com/", False),
        ("http://gate.example.com/", True),
        ("http://localhost.example.com/", True),
    ],
)
def test_a_token_leaves_this_machine_encrypted_only(url: str, clear: bool) -> None:
    assert sends_in_the_clear(url) == clear
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gate-AbCdEf"
    assert bool(problems(gate_url=url, token_secret_arn=secret)) == clear


@pytest.mark.parametrize("name", ["a", "4711-prod", "k8s.team_a", "A" * 64])
def test_an_account_of_spinnaker_has_the_name_that_somebody_gave_it(name: str) -> None:
    assert settings_of(account_name=name).account_name == name


@pytest.mark.parametrize("name", ["", "aws:prod", "a/b", "a b", "-a", ".a", "é", "a" * 65, "a'", "a\n"])
def test_an_account_of_spinnaker_has_no_name_that_ends_a_key_or_a_text(name: str) -> None:
    with pytest.raises(ValidationError, match="account_name"):
        settings_of(account_name=name)
