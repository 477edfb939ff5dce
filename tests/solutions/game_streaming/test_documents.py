"""The documents of Systems Manager: their patterns, and their scripts, run over the stand-ins."""

import re
from pathlib import Path
from typing import Any

import pytest

from stacks.game_streaming.package import read_game, write_package
from stacks.game_streaming.script import ACCOUNT_NAME, EMAIL, OPERATIONS, operations
from stacks.game_streaming.settings import GameStreamingSettings
from tests.solutions.game_streaming.test_package import Make
from tryout.scenarios.game_streaming.offline import Host, made

FRESH: dict[str, Any] = {
    "games": {}, "bootstrap_ends": "active", "images": {}, "accounts": {}, "tokens": 0, "instances": [],
    "reachable": True, "powered_off": False, "unschedulable": False,
}  # fmt: skip
FEW = {"ATTEMPTS": "3"}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Host:
    host = made(tmp_path_factory.mktemp("host"))
    runs = host.installed()
    assert runs[-1].status == 0, runs[-1].output
    host.machine.variables = {**host.machine.variables, **FEW}
    return host


@pytest.fixture(autouse=True)
def again(request: pytest.FixtureRequest) -> None:
    if "ready" in request.fixturenames:
        request.getfixturevalue("ready").machine.set(**FRESH)


def put(host: Host, folder: Path, **settings: Any) -> str:
    """A package in the bucket, and its digest."""
    game = read_game(folder, GameStreamingSettings(**settings))
    target = host.machine.root / "bucket/package.zip"
    digest = write_package(folder, game, target)
    target.rename(target.with_name(f"{digest}.zip"))
    return digest


@pytest.mark.parametrize("name", ["a b", "x;id", "ab", "'quoted'", "$(id)", "-rf-", ""])
def test_a_clients_name_is_no_shell(name: str) -> None:
    assert not re.fullmatch(ACCOUNT_NAME, name)


@pytest.mark.parametrize("email", ["a'b@example.com", "a@b;id", "$(id)@example.com", "nobody"])
def test_an_address_is_no_shell(email: str) -> None:
    assert not re.fullmatch(EMAIL, email)


def test_every_parameter_stands_between_quotes_that_its_pattern_admits_none_of() -> None:
    for operation in OPERATIONS.values():
        for parameter in operation.parameters.values():
            assert not re.fullmatch(parameter.pattern, "a'aaaa") and parameter.pattern.startswith("^")


def test_with_a_provider_nobody_registers() -> None:
    found = operations(oidc=True, deliver="application", clients=["portal"], idle=True)
    assert set(found) == {"User", "Token", "Revoke", "Application", "Idle"}
    assert set(operations(oidc=False, deliver="image", clients=[], idle=False)) == {"Register", "Image"}


def test_a_link_goes_into_the_secret_and_nowhere_else(ready: Host) -> None:
    run = ready.document("Register", Email="you@example.com")
    assert run.status == 0, run.output
    assert run.output.split() == ["arn:of:the:secret", "version-1"]
    assert ready.secrets()[-1] == "arn:link https://192.0.2.1/?register=you-link"
    assert not any("register=" in word for call in ready.aws() for word in call)
    assert not list((ready.machine.root / "run/game-streaming").iterdir())


def test_a_second_token_ends_the_first(ready: Host) -> None:
    first, second = (ready.document("Token", Name="client-1") for _ in range(2))
    assert first.status == second.status == 0, first.output + second.output
    assert ready.secrets()[-2:] == ["arn:token macaroon-client-1-1", "arn:token macaroon-client-1-2"]
    assert ready.machine.state["accounts"] == {"client-1": "macaroon-client-1-2"}
    assert "macaroon" not in first.output + second.output
    assert [call[1:3] for call in ready.machine.calls("anbox-cloud-appliance.gateway")][-2:] == [
        ["account", "delete"],
        ["account", "create"],
    ]


def test_a_clients_token_is_in_its_own_secret_and_ends_alone(ready: Host) -> None:
    for client in ("client-1", "client-2"):
        assert ready.document("Token", Name=client).status == 0
    assert ready.secrets()[-2:] == ["arn:token macaroon-client-1-1", "arn:other macaroon-client-2-2"]
    run = ready.document("Revoke", Name="client-1")
    assert run.status == 0, run.output
    assert ready.secrets()[-1] == "arn:token revoked"
    assert set(ready.machine.state["accounts"]) == {"client-2"}
    assert ready.document("Revoke", Name="client-1").status == 1, "it has no account any more"


def test_a_name_that_is_no_clients_has_no_secret_to_go_into(ready: Host) -> None:
    run = ready.document("Token", Name="client-3")
    assert run.status == 1 and "not one of this stack's clients" in run.output
    assert ready.machine.state["accounts"] == {}


def test_the_client_of_another_user_is_no_client_without_a_session(ready: Host) -> None:
    """Root alone falls back to the system's bus for a scope: sandbox/cgroup/tracking.go of canonical/snapd."""
    run = ready.machine.run(
        "HOME=$ROOT/root runuser -u ubuntu -- anbox-cloud-appliance.amc ls --filter type=base --format json"
    )
    assert run.status == 1 and "is not a snap cgroup" in run.output


RUNNING: dict[str, str] = {"type": "regular", "status": "running"}


@pytest.mark.parametrize(
    ("instances", "stops"),
    [([], True), ([RUNNING | {"status": "stopped"}], True), ([RUNNING], False), ([RUNNING | {"type": "base"}], False)],
)
def test_an_idle_instance_looks_once_more_and_takes_no_game_while_it_stops(
    ready: Host, instances: list[dict[str, str]], stops: bool
) -> None:
    ready.machine.set(instances=instances)
    ready.machine.forget()
    run = ready.document("Idle")
    assert (run.status, run.output.split(":")[0]) == (0, "stops" if stops else "goes on"), run.output
    state = ready.machine.state
    assert (state["powered_off"], state["unschedulable"]) == (stops, stops)
    node = [call[2:] for call in ready.machine.calls("anbox-cloud-appliance.amc")]
    assert node[0] == ["set", "lxd0", "unschedulable", "true"], "closed before it looks"


def test_an_instance_that_cannot_look_does_not_stop(ready: Host) -> None:
    ready.machine.set(reachable=False)
    run = ready.document("Idle")
    assert run.status != 0 and not ready.machine.state["powered_off"]
    ready.machine.set(reachable=True, instances=["of another shape"])
    assert ready.document("Idle").status != 0
    assert (ready.machine.state["powered_off"], ready.machine.state["unschedulable"]) == (False, False)


def test_the_next_boot_takes_games_again(tmp_path: Path) -> None:
    host = made(tmp_path)
    host.installed()
    assert host.document("Idle").status == 0 and host.machine.state["unschedulable"]
    (boot,) = host.machine.boot()
    assert boot.status == 0 and not host.machine.state["unschedulable"], boot.output


def test_a_refused_token_fails_the_document(ready: Host) -> None:
    ready.machine.program("anbox-cloud-appliance.gateway", "exit 1")
    run = ready.document("Token", Name="client-1")
    assert run.status == 1 and "refused" in run.output


def test_a_user_of_a_provider_is_admitted_once(tmp_path: Path) -> None:
    host = made(tmp_path)
    host.user_data(OIDC_ISSUER="https://login.example.com", OIDC_CLIENT_ID="games")
    assert host.machine.boot()[-1].status == 0
    for _ in range(2):
        run = host.document("User", Email="you@example.com")
        assert run.status == 0 and run.output.strip() == "you@example.com may log in", run.output
    assert host.machine.state["identities"] == [{"id": "id0", "name": "you@example.com", "groups": ["admin"]}]


def test_nothing_is_done_before_the_installation(host: Host) -> None:
    host.user_data()
    run = host.document("Token", Name="client-1")
    assert run.status == 1 and "not installed yet" in run.output


def test_a_game_is_delivered_and_then_updated(ready: Host, game: Make) -> None:
    digest = put(ready, game(apk="game.apk"))
    for version in range(2):
        run = ready.document("Application", Name="genshin", Package=digest)
        assert run.status == 0 and run.output.strip() == f"genshin: version {version} is ready", run.output
    assert not (ready.machine.root / "root/delivery-genshin").exists()
    assert ready.machine.state["undocumented"] == []


@pytest.mark.parametrize(
    ("ends", "why"),
    [
        ("error", "ended in error: the package could not be installed"),
        ("initializing", "which is the limit of a bootstrap"),
    ],
)
def test_a_game_that_fails_fails_the_document(ready: Host, game: Make, ends: str, why: str) -> None:
    ready.machine.set(bootstrap_ends=ends)
    run = ready.document("Application", Name="genshin", Package=put(ready, game()))
    assert run.status == 1 and why in run.output


def test_a_game_becomes_an_image(ready: Host, game: Make) -> None:
    run = ready.document("Image", Name="genshin", Package=put(ready, game(), deliver="image"))
    assert run.status == 0 and run.output.strip() == "genshin: the image is ready", run.output
    launch = next(call for call in ready.machine.calls() if "launch" in call)
    assert launch[2] == "jammy:android15:arm64" and launch[launch.index("--memory") + 1] == "25GB"
    assert ready.machine.state["built"] == {}


def test_an_image_that_was_not_built_fails(ready: Host, game: Make) -> None:
    folder = game()
    digest = put(ready, folder, deliver="image")
    (ready.machine.root / f"bucket/{digest}.zip").unlink()
    assert ready.document("Image", Name="genshin", Package=digest).status == 1
