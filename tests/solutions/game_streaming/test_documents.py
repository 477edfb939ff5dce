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

FRESH: dict[str, Any] = {"games": {}, "bootstrap_ends": "active", "images": {}, "accounts": {}, "tokens": 0}
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
    assert set(operations(oidc=True, deliver="application")) == {"User", "Token", "Application"}
    assert set(operations(oidc=False, deliver="image")) == {"Register", "Token", "Image"}


def test_a_link_goes_into_the_secret_and_nowhere_else(ready: Host) -> None:
    run = ready.document("Register", Email="you@example.com")
    assert run.status == 0, run.output
    assert run.output.split() == ["arn:of:the:secret", "version-1"]
    assert ready.secrets()[-1] == "https://192.0.2.1/?register=you-link"
    assert not any("register=" in word for call in ready.aws() for word in call)
    assert not list((ready.machine.root / "run/game-streaming").iterdir())


def test_a_second_token_ends_the_first(ready: Host) -> None:
    first, second = (ready.document("Token", Name="client-1") for _ in range(2))
    assert first.status == second.status == 0, first.output + second.output
    assert ready.secrets()[-2:] == ["macaroon-client-1-1", "macaroon-client-1-2"]
    assert ready.machine.state["accounts"] == {"client-1": "macaroon-client-1-2"}
    assert "macaroon" not in first.output + second.output
    assert [call[1:3] for call in ready.machine.calls("anbox-cloud-appliance.gateway")][-2:] == [
        ["account", "delete"],
        ["account", "create"],
    ]


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
    assert not (ready.machine.root / "home/ubuntu/delivery-genshin").exists()
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
