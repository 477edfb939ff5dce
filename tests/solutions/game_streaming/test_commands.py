"""``python -m stacks game_streaming``: check, cost, sessions, validate, deliver, admit, token."""

import json
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from config.models import CommonSettings, ExistingVpc
from stacks import program
from stacks.game_streaming import delivery
from stacks.game_streaming.commands import findings, sessions_table
from stacks.game_streaming.delivery import deliver, register, revoke, run_document, token
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.shared.command import CommandError
from tests.answering import Answering
from tests.solutions.game_streaming.conftest import MANIFEST

VPC = ExistingVpc(id="vpc-0123456789abcdef0", subnet_ids=("subnet-0123456789abcdef0",))

SUBNET = {"SubnetId": VPC.subnet_ids[0], "VpcId": VPC.id, "AvailabilityZone": "eu-central-1a"}


def refused(code: str, operation: str = "Operation") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


def outputs(**values: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]
    return {"Stacks": [{"Outputs": listed}]}


def account(**changed: Any) -> Answering:
    """An account in which all is well."""
    return Answering(
        {
            "get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"},
            "get_parameter": {"Parameter": {"Value": "30"}},
            "describe_availability_zones": {"AvailabilityZones": [{"ZoneName": "eu-central-1a"}]},
            "default subnets": [{"Subnets": [{"AvailabilityZone": "eu-central-1a"}]}],
            "describe_stacks": refused("ValidationError"),
            "describe_instances": {"Reservations": []},
            "describe_instance_type_offerings": [{"InstanceTypeOfferings": [{"Location": "eu-central-1a"}]}],
            "get_service_quota": {"Quota": {"Value": 8.0}},
            "describe_images": {"Images": [{"Architecture": "arm64", "RootDeviceName": "/dev/sda1"}]},
            "run_instances": refused("DryRunOperation"),
            "describe_secret": {},
            "describe_subnets": [{"Subnets": [SUBNET]}],
            "describe_route_tables": {"RouteTables": [{"Routes": [{"GatewayId": "igw-1"}]}]},
            **changed,
        }
    )


OURS = ("sessions", "new instance", "place", "quota", "image", "token", "players")


def found(clients: Answering, common: CommonSettings | None = None, **settings: Any) -> dict[str, tuple[str, str, str]]:
    looked = findings(common or CommonSettings(), GameStreamingSettings(**settings), clients)
    return {one.what: (one.status, one.says, one.fix) for one in looked}


def test_where_all_is_well_every_line_says_so() -> None:
    answer = found(account())
    assert {name: answer[name][0] for name in OURS} == dict.fromkeys(OURS, "ok")
    assert answer["sessions"][1] == "1 at the same time on g5g.2xlarge, limited by memory"
    assert answer["quota"][1] == "needs 8 vCPUs, the quota L-DB2E81BA is 8"


@pytest.mark.parametrize(
    ("answers", "settings", "what", "says", "fix"),
    [
        (
            {"get_service_quota": {"Quota": {"Value": 0.0}}},
            {"instance_type": "g5g.xlarge", "session": {"memory_gb": 3}},
            "quota",
            "needs 4 vCPUs, the quota L-DB2E81BA is 0",
            "Request 4",
        ),
        ({"describe_instance_type_offerings": []}, {}, "place", "eu-south-2", "one of these Regions"),
        (
            {"describe_instance_type_offerings": [{"InstanceTypeOfferings": [{"Location": "eu-central-1b"}]}]},
            {},
            "place",
            "eu-central-1a has no g5g.2xlarge; it is in eu-central-1b",
            "Set zone: eu-central-1b",
        ),
        ({"describe_images": {"Images": []}}, {}, "image", "there is no", "Correct image"),
        ({"describe_images": {"Images": [{"Architecture": "x86_64"}]}}, {}, "image", "x86_64", "Arm variant"),
        (
            {"describe_images": {"Images": [{"Architecture": "arm64", "RootDeviceName": "/dev/xvda"}]}},
            {},
            "image",
            "/dev/xvda",
            "Ubuntu",
        ),
        (
            {"run_instances": refused("OptInRequired")},
            {"image": "/aws/service/marketplace/prod-abcdefgh12345/1.30"},
            "image",
            "not subscribed",
            "Subscribe: https://aws.amazon.com/marketplace",
        ),
        (
            {"describe_secret": refused("ResourceNotFoundException")},
            {},
            "token",
            "there is no secret ubuntu-pro-token",
            "create-secret --name ubuntu-pro-token",
        ),
    ],
)
def test_each_obstacle_is_a_problem_with_its_way(
    answers: dict[str, Any], settings: dict[str, Any], what: str, says: str, fix: str
) -> None:
    answer = found(account(**answers), **settings)
    status, said, way = answer[what]
    assert (status, says in said, fix in way) == ("problem", True, True), answer[what]


def test_a_region_without_g5g_names_the_seven() -> None:
    says = found(account(describe_instance_type_offerings=[]))["place"][1]
    assert says.count(",") == 6 and "us-east-1" in says


def test_an_image_of_the_marketplace_needs_no_token() -> None:
    clients = account(describe_secret=refused("ResourceNotFoundException"))
    answer = found(clients, image="/aws/service/marketplace/prod-abcdefgh12345/1.30")
    assert answer["token"][0] == answer["image"][0] == "ok"


def test_what_could_not_be_looked_at_is_never_well() -> None:
    denied = refused("AccessDenied")
    answer = found(
        account(
            get_service_quota=denied,
            describe_instance_type_offerings=denied,
            describe_images=denied,
            describe_secret=denied,
        )
    )
    assert {answer[name][0] for name in ("place", "quota", "image", "token")} == {"unknown"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"channel": "1.31/stable", "deliver": "image"}, "channel"),
        ({"oidc": {"issuer": "https://login.example.com", "client_id": "games"}}, "oidc"),
        ({"data_gib": 200, "domain": "play.example.com"}, "data_gib, domain"),
    ],
)
def test_a_change_that_needs_a_new_instance_is_said_before(changed: dict[str, Any], named: str) -> None:
    installed = "; ".join(f"{key} {value}" for key, value in GameStreamingSettings().installed.items())
    deployed = account(describe_stacks=outputs(Installed=installed))
    assert found(deployed)["new instance"][0] == "ok"
    assert found(deployed, allowed_cidrs=["10.0.0.0/8"], idle_minutes=30)["new instance"][0] == "ok"
    status, says, fix = found(deployed, **changed)["new instance"]
    assert status == "problem" and says.startswith(f"{named}: ") and "instance: false" in fix
    assert found(deployed, instance=False, **changed)["new instance"][0] == "ok"


def in_zone(zone: str) -> dict[str, Any]:
    return {"Reservations": [{"Instances": [{"Placement": {"AvailabilityZone": zone}}]}]}


@pytest.mark.parametrize("common", [CommonSettings(), CommonSettings(vpc=VPC)])
def test_a_zone_that_is_not_the_volumes_is_said_before(common: CommonSettings) -> None:
    installed = "; ".join(f"{key} {value}" for key, value in GameStreamingSettings().installed.items())
    deployed = outputs(Installed=installed, InstanceId="i-1")
    stays = account(describe_stacks=deployed, describe_instances=in_zone("eu-central-1a"))
    assert found(stays, common)["new instance"][0] == "ok"
    moves = account(describe_stacks=deployed, describe_instances=in_zone("eu-central-1b"))
    status, says, fix = found(moves, common)["new instance"]
    assert status == "problem" and "runs in eu-central-1b" in says and "want eu-central-1a" in says
    assert "Set zone: eu-central-1b" in fix and "instance: false" in fix


def test_a_subnet_of_yours_must_lead_to_the_internet() -> None:
    common = CommonSettings(vpc=VPC)
    assert found(account(), common)["route"][0] == "ok"
    private = account(describe_route_tables={"RouteTables": [{"Routes": [{"GatewayId": "local"}]}]})
    assert found(private, common)["route"][0] == "problem"
    elsewhere = account(describe_subnets=[{"Subnets": [SUBNET | {"AvailabilityZone": "eu-central-1c"}]}])
    assert "common.vpc" in found(elsewhere, common)["place"][2]


# Commands


class Instance(Answering):
    """An instance that carries out what it is sent."""

    def __init__(self, *statuses: str, out: str = "", err: str = "", send: Exception | None = None) -> None:
        names = ("Register", "User", "Token", "Revoke", "Application", "Image")
        documents = {f"{name}Document": f"{name.lower()}-document" for name in names}
        super().__init__({"describe_stacks": outputs(InstanceId="i-1", PackagesBucket="packages", **documents)})
        self.statuses, self.out, self.err, self.send = list(statuses), out, err, send
        self.sent: list[dict[str, Any]] = []
        self.uploaded: list[str] = []

    def send_command(self, **request: Any) -> Any:
        if self.send:
            raise self.send
        self.sent.append(request)
        return {"Command": {"CommandId": "c-1"}}

    def get_command_invocation(self, **_: Any) -> Any:
        status = self.statuses.pop(0)
        if status == "unknown":
            raise refused("InvocationDoesNotExist")
        return {"Status": status, "StandardOutputContent": self.out, "StandardErrorContent": self.err}

    def upload_file(self, file: str, bucket: str, key: str) -> None:
        assert Path(file).exists()
        self.uploaded.append(f"{bucket}/{key}")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "POLL_SECONDS", 0.0)


COMMON, SETTINGS = CommonSettings(), GameStreamingSettings()


def test_a_game_is_put_into_the_bucket_and_waited_for(game: Callable[..., Path]) -> None:
    instance = Instance("unknown", "Pending", "InProgress", "Success", out="genshin: version 0 is ready\n")
    answer = deliver(Namespace(folder=game()), COMMON, SETTINGS, instance)
    assert answer.ok and answer.rows == [("genshin", "genshin: version 0 is ready")]
    (sent,) = instance.sent
    assert sent["DocumentName"] == "application-document" and sent["Parameters"]["Name"] == ["genshin"]
    assert instance.uploaded == [f"packages/packages/{sent['Parameters']['Package'][0]}.zip"]


def test_with_images_the_other_document_is_run(game: Callable[..., Path]) -> None:
    instance = Instance("Success")
    deliver(Namespace(folder=game()), COMMON, GameStreamingSettings(deliver="image"), instance)
    assert instance.sent[0]["DocumentName"] == "image-document"


def test_a_bad_game_is_never_sent(game: Callable[..., Path]) -> None:
    instance = Instance()
    answer = deliver(Namespace(folder=game(MANIFEST, "lib/x86_64/libgame.so")), COMMON, SETTINGS, instance)
    assert not answer.ok and not instance.sent and not instance.uploaded


def test_a_failure_is_told_with_its_last_words(game: Callable[..., Path]) -> None:
    instance = Instance("Failed", err="genshin: version 0 ended in error: the package could not be installed\n")
    with pytest.raises(CommandError, match="ended in error: the package"):
        deliver(Namespace(folder=game()), COMMON, SETTINGS, instance)


def test_users_are_registered_or_admitted_by_the_provider() -> None:
    instance = Instance("Success", out="arn version")
    answer = register(Namespace(email="you@example.com"), COMMON, SETTINGS, instance)
    assert instance.sent[0]["DocumentName"] == "register-document" and "hour" in answer.notes[0]
    provider = GameStreamingSettings(oidc={"issuer": "https://a.b", "client_id": "games"})  # type: ignore[arg-type]
    instance = Instance("Success", out="arn version")
    register(Namespace(email="you@example.com"), COMMON, provider, instance)
    assert instance.sent[0]["DocumentName"] == "user-document"


@pytest.mark.parametrize(
    ("run", "options"),
    [
        (token, Namespace(name="a b")),
        (revoke, Namespace(name="x;id")),
        (token, Namespace(name="another")),
        (register, Namespace(email="a'b@example.com")),
    ],
)
def test_names_are_refused_before_anything_is_sent(run: Any, options: Namespace) -> None:
    instance = Instance()
    with pytest.raises(CommandError, match="must"):
        run(options, COMMON, SETTINGS, instance)
    assert instance.sent == []


def test_a_token_is_made_by_its_document() -> None:
    instance = Instance("Success", out="arn version")
    assert token(Namespace(name="portal"), COMMON, SETTINGS, instance).data["says"] == "arn version"
    instance = Instance("Success", out="arn version")
    assert "from clients" in revoke(Namespace(name="portal"), COMMON, SETTINGS, instance).notes[0]
    assert instance.sent[0]["DocumentName"] == "revoke-document"


def test_an_instance_that_is_stopped_is_named() -> None:
    instance = Instance(send=refused("InvalidInstanceId"))
    with pytest.raises(CommandError, match="start it"):
        run_document(COMMON, "Token", {"Name": "client-1"}, instance)


def test_a_document_that_does_not_end_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "POLL_SECONDS", 600.0)
    instance = Instance(*["InProgress"] * 9)
    with pytest.raises(CommandError, match="command c-1"):
        run_document(COMMON, "Token", {"Name": "client-1"}, instance, sleep=lambda _: None)


def test_sessions_and_a_game_are_looked_at_without_an_account(
    game: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["game_streaming", "sessions", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["g5g.xlarge"]["sessions"] == 0 and said["g5g.2xlarge"]["sessions"] == 1
    assert program.main(["game_streaming", "validate", str(game()), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_the_table_of_the_readme_has_every_size() -> None:
    assert sessions_table().count("g5g.") == 6
