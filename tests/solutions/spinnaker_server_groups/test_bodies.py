"""The requests to Gate: the post's numbers, each other's names, and the field tables of clouddriver."""

import base64
from pathlib import Path
from typing import Any

import pytest

from stacks.spinnaker_server_groups.bodies import Bodies, ServerGroupNameError
from stacks.spinnaker_server_groups.demo_page import user_data, user_data_base64
from tests.solutions.spinnaker_server_groups.conftest import (
    BALANCERS,
    BALANCERS_NAME,
    ZONES,
    bodies_of,
    settings_of,
    spinnaker_for,
)
from tryout.scenarios.spinnaker_server_groups.clouddriver import Spinnaker
from tryout.scenarios.spinnaker_server_groups.user_data import reads_files

Json = dict[str, Any]

BURSTABLE = {"types": ["t3.large", "t3a.large"]}
SETTINGS: list[Json] = [
    {},
    {**BURSTABLE, "cpu_credits": "standard"},
    {**BURSTABLE, "cpu_credits": "unlimited"},
    {"allocation_strategy": "lowest-price", "lowest_price_pools": 3},
    {"types": ["m7g.large", "c7g.large"], "architecture": "arm64", "scheme": "internal"},
    {"application": "shop", "account_name": "prod", "email": "shop@example.com"},
]


def job(body: Json) -> Json:
    (found,) = body["job"]
    assert body["application"] and body["description"]
    return dict(found)


def done(spinnaker: Spinnaker, *bodies: Json) -> list[str]:
    return [why.sentence for body in bodies for why in spinnaker.done(job(body))]


@pytest.fixture
def default() -> Bodies:
    return bodies_of()


def test_the_server_group_has_the_numbers_of_the_post(default: Bodies) -> None:
    group = job(default.server_group())
    assert group["capacity"] == {"min": 6, "max": 21, "desired": 12}
    assert (group["onDemandBaseCapacity"], group["onDemandPercentageAboveBaseCapacity"]) == (3, 10)
    assert (group["healthCheckType"], group["healthCheckGracePeriod"]) == ("ELB", 600)
    types = [override["instanceType"] for override in group["launchTemplateOverridesForInstanceType"]]
    assert types == list(settings_of().types)
    assert group["capacityRebalance"] is group["setLaunchTemplate"] is group["requireIMDSv2"] is True
    assert group["associatePublicIpAddress"] is False
    assert not {"unlimitedCpuCredits", "spotInstancePools", "spotPrice"} & set(group)
    assert group["availabilityZones"] == {default.place.region: list(ZONES)}
    assert group["iamRole"] == default.place.base_profile and group["amiName"].startswith("ami-")


def test_the_load_balancer_has_the_numbers_of_the_post_and_all_that_have_other_defaults(default: Bodies) -> None:
    balancer = job(default.load_balancer())
    (target_group,) = balancer["targetGroups"]
    assert target_group["attributes"] == {"deregistrationDelay": 90}
    assert type(target_group["attributes"]["deregistrationDelay"]) is int
    assert (target_group["port"], target_group["healthCheckPort"]) == (80, "traffic-port")
    assert (target_group["healthCheckInterval"], target_group["healthyThreshold"]) == (10, 10)
    assert balancer["isInternal"] is False and balancer["deletionProtection"] is False
    assert balancer["loadBalancerType"] == "application" and balancer["regionZones"] == list(ZONES)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_bodies_name_each_other_s_parts(settings: Json) -> None:
    bodies = bodies_of(**settings)
    balancer, group = job(bodies.load_balancer()), job(bodies.server_group())
    (target_group,) = balancer["targetGroups"]
    (listener,) = balancer["listeners"]
    assert group["targetGroups"] == [target_group["name"]]
    assert listener["defaultActions"] == [{"type": "forward", "targetGroupName": target_group["name"]}]
    assert job(bodies.delete_load_balancer())["loadBalancerName"] == balancer["name"]
    assert job(bodies.delete_application())["application"]["name"] == group["application"]
    assert balancer["subnetType"] != group["subnetType"]
    assert max(len(balancer["name"]), len(target_group["name"])) <= 32


@pytest.mark.parametrize("settings", SETTINGS)
def test_spinnaker_takes_every_body_in_its_order_and_the_clean_up_leaves_nothing(settings: Json) -> None:
    bodies = bodies_of(**settings)
    spinnaker = spinnaker_for(bodies)
    spinnaker.world.account = bodies.settings.account_name
    assert done(spinnaker, bodies.application(), bodies.load_balancer(), bodies.server_group()) == []
    assert done(spinnaker, bodies.server_group()) == []
    first, second = sorted(spinnaker.groups)
    assert (first, second) == tuple(f"{bodies.settings.application}-v00{n}" for n in (0, 1))
    assert done(spinnaker, bodies.modify(second), bodies.disable(first), bodies.enable(first)) == []
    *rest, application = bodies.clean_up([first, second])
    assert done(spinnaker, *rest) == []
    spinnaker.remembered.clear()
    assert done(spinnaker, application) == []
    assert not spinnaker.applications and not spinnaker.balancers and not spinnaker.groups


def test_the_largest_names_fit() -> None:
    assert len(bodies_of(application="a" * 20).settings.target_group_name) == 32


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"targetGroups": ["other"]}, "Unable to find target groups named [other]"),
        ({"unlimitedCpuCredits": False}, "bursting.not.supported"),
        ({"spotInstancePools": 2}, "spotInstancePools.not.supported"),
        ({"base64UserData": "YQ==\nYQ=="}, "Illegal base64"),
        ({"requireIMDV2": True}, "no field requireIMDV2"),
        ({"keyPair": "nobody-s"}, "does not exist"),
        ({"iamRole": "BaseRole"}, "Invalid IAM Instance Profile"),
        ({"subnetType": "other"}, "No suitable subnet was found for internal subnet purpose 'other'"),
        ({"capacity": {"min": 2, "max": 3, "desired": 1}}, "desired capacity (1) is not within min/max (2/3) range"),
    ],
)
def test_the_spinnaker_of_the_tests_refuses_what_a_real_one_refuses(default: Bodies, change: Json, says: str) -> None:
    spinnaker = spinnaker_for(default)
    assert done(spinnaker, default.application(), default.load_balancer()) == []
    (why,) = spinnaker.done(job(default.server_group()) | change)
    assert says in why.sentence


def test_a_load_balancer_s_security_group_is_found_by_its_name_and_not_by_its_id(default: Bodies) -> None:
    """clouddriver-aws, UpsertAmazonLoadBalancerV2AtomicOperation: it looks for group-name, in the VPC."""
    balancer = job(default.load_balancer())
    assert balancer["securityGroups"] == [BALANCERS_NAME]
    spinnaker = spinnaker_for(default)
    (why,) = spinnaker.done(balancer | {"securityGroups": [BALANCERS]})
    assert (why.by, why.sentence) == ("operation", f"Missing security groups: {BALANCERS}")
    spinnaker.world.security_groups()[BALANCERS] = (BALANCERS_NAME, "vpc-2")
    assert done(spinnaker, default.load_balancer()) == [f"Missing security groups: {BALANCERS_NAME}"]


def test_a_modification_does_not_say_user_data_that_no_instance_would_get(default: Bodies) -> None:
    """LaunchTemplateService copies that of the version before where ``udf.enabled`` is false, and ignores the job's."""
    assert "base64UserData" not in job(default.modify("demoapp-v000"))


def test_a_server_group_runs_the_bytes_of_the_native_one_and_goes_on_to_after_a_modification(default: Bodies) -> None:
    """Clouddriver puts those of its files before a job's, and takes away what is white around both."""
    spinnaker = spinnaker_for(default)
    made = (default.application(), default.load_balancer(), default.server_group(), default.modify("demoapp-v000"))
    for body in made:
        assert done(spinnaker, body) == []
    assert spinnaker.user_data == {"demoapp-v000": user_data_base64()}


def test_with_the_default_of_clouddriver_a_modification_loses_the_user_data(default: Bodies, tmp_path: Path) -> None:
    """LocalFileUserDataProperties: ``enabled`` is true, and then LaunchTemplateService copies nothing."""
    without = tmp_path / "clouddriver-local.yml"
    without.write_text("aws: {enabled: true}\n")
    assert reads_files(without) and not reads_files()
    spinnaker = spinnaker_for(default)
    spinnaker.files = reads_files(without)
    done(spinnaker, default.application(), default.load_balancer(), default.server_group())
    assert done(spinnaker, default.modify("demoapp-v000")) == []
    assert spinnaker.user_data == {"demoapp-v000": None}


def test_a_purpose_in_two_vpcs_is_none(default: Bodies) -> None:
    spinnaker = spinnaker_for(default)
    spinnaker.world.subnets(default.place.public_purpose).append(("vpc-2", ZONES[0]))
    assert "has no subnets in two zones" in done(spinnaker, default.load_balancer())[0]


def test_an_application_outlives_its_server_groups_in_the_cache(default: Bodies) -> None:
    spinnaker = spinnaker_for(default)
    done(spinnaker, default.application(), default.load_balancer(), default.server_group())
    done(spinnaker, default.destroy("demoapp-v000"))
    (why,) = done(spinnaker, default.delete_application())
    assert why == "Application is associated with one or more clusters"


@pytest.mark.parametrize(("settings", "unlimited"), [(SETTINGS[1], False), (SETTINGS[2], True)])
def test_cpu_credits_are_said_as_spinnaker_says_them(settings: Json, unlimited: bool) -> None:
    assert job(bodies_of(**settings).server_group())["unlimitedCpuCredits"] is unlimited


def test_strategy_and_pools_are_those_of_the_settings() -> None:
    group = job(bodies_of(**SETTINGS[3]).server_group())
    assert (group["spotAllocationStrategy"], group["spotInstancePools"]) == ("lowest-price", 3)
    assert job(bodies_of().server_group())["spotAllocationStrategy"] == "price-capacity-optimized"


def test_the_user_data_is_on_one_line_and_decodes_to_the_native_one() -> None:
    text = user_data_base64()
    assert not any(character.isspace() for character in text)
    assert base64.b64decode(text, validate=True) == user_data().encode()
    assert len(user_data().encode()) <= 16_384


def test_no_key_pair_is_no_field() -> None:
    assert "keyPair" not in job(bodies_of(key_pair=None).server_group())
    assert job(bodies_of().server_group())["keyPair"] == "ops"


@pytest.mark.parametrize("name", ["demoapp", "other-v000", "demoapp-v1", "-v000", "demoapp2-v000"])
def test_a_name_that_is_no_server_group_of_the_application_is_refused(default: Bodies, name: str) -> None:
    for action in (default.modify, default.disable, default.enable, default.destroy):
        with pytest.raises(ServerGroupNameError, match="must name one of demoapp"):
            action(name)


def test_a_cluster_with_stack_and_detail_has_its_moniker(default: Bodies) -> None:
    moniker = job(default.destroy("demoapp-test-blue-v012"))["moniker"]
    assert moniker == {"app": "demoapp", "cluster": "demoapp-test-blue", "sequence": 12}
