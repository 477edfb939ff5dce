"""What the settings refuse, and what they derive."""

from typing import Any

import pytest

from config.models import CommonSettings
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.game_streaming.settings.sections import Oidc
from stacks.game_streaming.sizes import Demand, fit, offered, smallest

POST = Demand(10, 25, 50, 15)


def problems(**settings: Any) -> list[tuple[Any, str, bool]]:
    made = GameStreamingSettings(**settings)
    return [(problem.key, problem.message, problem.warning) for problem in made.problems()]


@pytest.mark.parametrize(
    ("kind", "why"), [("g5.xlarge", "x86"), ("t4g.large", "a GPU"), ("g4dn.xlarge", "x86"), ("g5g.huge", "G5g")]
)
def test_only_arm_with_a_gpu(kind: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        GameStreamingSettings(instance_type=kind)


def test_the_posts_manifest_does_not_fit_its_instance() -> None:
    ((key, says, warning),) = problems(instance_type="g5g.xlarge")
    assert key == "instance_type" and not warning
    assert "25GB > 16GB" in says and "g5g.2xlarge" in says
    assert fit("g5g.xlarge", POST, 200).sessions == 0
    assert fit("g5g.2xlarge", POST, 200).sessions == 1


@pytest.mark.parametrize(
    ("kind", "demand", "data", "sessions", "limit"),
    [
        ("g5g.4xlarge", POST, 1000, 2, "memory"),
        ("g5g.8xlarge", POST, 1000, 2, "GPU slots"),
        ("g5g.xlarge", Demand(2, 3, 3, 1), 100, 5, "memory"),
        ("g5g.xlarge", Demand(8, 3, 3, 1), 100, 2, "vCPUs"),
        ("g5g.16xlarge", Demand(1, 3, 10, 0), 100, 9, "disk"),
        ("g5g.16xlarge", Demand(1, 3, 3, 1), 1000, 32, "GPU slots"),
    ],
)
def test_sessions_by_size(kind: str, demand: Demand, data: int, sessions: int, limit: str) -> None:
    found = fit(kind, demand, data)
    assert (found.sessions, found.limit) == (sessions, limit)


def test_what_fits_nowhere_has_no_size() -> None:
    assert smallest(Demand(1, 257, 10, 1), 1000) is None
    assert smallest(POST, 200) == "g5g.2xlarge"


def test_a_disk_that_holds_no_bootstrap_beside_a_session_is_warned_of() -> None:
    session = {"disk_gb": 50}
    ((key, says, warning),) = problems(session=session)
    assert key == "data_gib" and warning and "110" in says
    assert problems(session=session, data_gib=110) == []


def test_everybody_needs_the_safety_switch() -> None:
    ((key, says, _),) = problems(allowed_cidrs=["0.0.0.0/0"])
    assert key == "allowed_cidrs" and "everybody" in says
    assert problems(allowed_cidrs=["0.0.0.0/0"], confirm_open_to_the_world=True) == []


@pytest.mark.parametrize(
    ("channel", "deliver", "key", "warning"),
    [
        ("latest/stable", "application", "channel", True),
        ("1.31/stable", "application", "channel", True),
        ("1.32/stable", "application", "deliver", False),
        ("1.29/stable", "application", "channel", False),
    ],
)
def test_applications_go(channel: str, deliver: str, key: str, warning: bool) -> None:
    ((found, says, warned),) = problems(channel=channel, deliver=deliver)
    assert (found, warned) == (key, warning)
    assert "1.32" in says or channel == "1.29/stable"


@pytest.mark.parametrize("channel", ["latest/stable", "1.31/stable", "1.32/stable", "2.0/stable"])
def test_images_stay(channel: str) -> None:
    assert problems(channel=channel, deliver="image") == []


def test_driver_and_channel_are_a_pair() -> None:
    assert GameStreamingSettings().driver_series == "580"
    assert GameStreamingSettings(channel="1.31/stable").driver_series == ""


@pytest.mark.parametrize("issuer", ["http://login.example.com", "https://play.example.com/oidc/callback", "login"])
def test_an_issuer_is_the_providers_https_url(issuer: str) -> None:
    with pytest.raises(ValueError, match=r"must be (an https URL|the issuer)"):
        Oidc(issuer=issuer, client_id="games")


def test_a_token_is_never_a_setting() -> None:
    with pytest.raises(ValueError, match="may be the token itself"):
        GameStreamingSettings(pro_token_secret="C1" + 24 * "x")
    with pytest.raises(ValueError, match="complete ARN"):
        GameStreamingSettings(pro_token_secret="arn:aws:secretsmanager:eu-central-1:123456789012:secret:pro")


@pytest.mark.parametrize("image", ["ubuntu-24.04", "ami-1", "/aws/service/canonical/x"])
def test_an_image_is_named_in_one_of_three_ways(image: str) -> None:
    with pytest.raises(ValueError, match="must be ubuntu"):
        GameStreamingSettings(image=image)


@pytest.mark.parametrize(
    ("settings", "common", "key"),
    [
        ({"image": "ami-0123456789abcdef0"}, {}, "image"),
        ({}, {"region": "cn-north-1"}, "instance"),
        ({"zone": "eu-central-1a"}, {"region": "us-east-1"}, "zone"),
        (
            {"pro_token_secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:pro-AbCdEf"},
            {"region": "us-east-1"},
            "pro_token_secret",
        ),
    ],
)
def test_places_agree(settings: dict[str, Any], common: dict[str, Any], key: str) -> None:
    found = GameStreamingSettings(**settings).problems_with(CommonSettings(**common))
    assert [problem.key for problem in found] == [key]


def test_the_image_parameter_is_that_of_the_release() -> None:
    assert GameStreamingSettings().image_parameter == (
        "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"
    )
    older = GameStreamingSettings(ubuntu="22.04").image_parameter
    assert older and "22.04" in older and "ebs-gp2" in older


def test_seven_regions_have_g5g() -> None:
    assert len(offered()) == 7 and offered()["eu-central-1"] == ["euc1-az1"]
