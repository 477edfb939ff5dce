"""Commands that work on the instance through Systems Manager: they print where a secret is, never its value."""

import re
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import ClientError

from config.models import CommonSettings
from stacks.game_streaming.checks import stack_name
from stacks.game_streaming.package import Game, read_game, write_package
from stacks.game_streaming.script import EMAIL, OPERATIONS
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.shared.command import Answer, CommandError
from stacks.shared.deployed import stack_output
from stacks.shared.preflight import Clients

POLL_SECONDS = 5.0
UNDER_WAY = ("Pending", "InProgress", "Delayed", "Cancelling")
DELIVERY_SECONDS = 600
"""Time for Systems Manager to deliver the command: the instance may be stopped."""


def folder_argument(parser: ArgumentParser) -> None:
    """Argument: the folder of a game."""
    parser.add_argument("folder", type=Path, help="folder with manifest.yaml and one .apk")


def email_argument(parser: ArgumentParser) -> None:
    """Argument: who is admitted."""
    parser.add_argument("email", help="address of the account")


def name_argument(parser: ArgumentParser) -> None:
    """Argument: the name of a client."""
    parser.add_argument("name", help="name of the client, one of clients")


def validate(options: Namespace, common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Answer:
    """Checks a game; without an account."""
    return _shown(read_game(options.folder, settings))


def _shown(game: Game) -> Answer:
    rows = [("problem" if remark.problem else "remark", remark.says) for remark in game.remarks]
    data = {"name": game.name, "ok": game.ok, "remarks": [list(row) for row in rows]}
    notes = [f"{game.name} can be delivered."] if game.ok else ["Nothing was sent."]
    return Answer(("what", "says"), rows, data, notes, ok=game.ok)


def deliver(options: Namespace, common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Answer:
    """Checks a game, puts it into the bucket, and waits until it is ready or has failed."""
    game = read_game(options.folder, settings)
    if not game.ok:
        return _shown(game)
    document = settings.deliver.title()
    bucket = stack_output(stack_name(common), "PackagesBucket", clients)
    with TemporaryDirectory() as folder:
        package = Path(folder) / "package.zip"
        digest = write_package(options.folder, game, package)
        clients("s3").upload_file(str(package), bucket, f"packages/{digest}.zip")
    said = run_document(common, document, {"Name": game.name, "Package": digest}, clients)
    return Answer(("game", "says"), [(game.name, said)], {"name": game.name, "says": said})


def register(options: Namespace, common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Answer:
    """Admits a user: with a link that is valid for an hour, or from the provider."""
    if not re.fullmatch(EMAIL, options.email):
        raise CommandError(f"EMAIL must be an email address, got {options.email!r}; correct it")
    document = "User" if settings.oidc else "Register"
    said = run_document(common, document, {"Email": options.email}, clients)
    notes = [] if settings.oidc else ["The link is in this secret and is valid for an hour; whoever has it may log in."]
    return Answer(("user", "says"), [(options.email, said)], {"user": options.email, "says": said}, notes)


def token(options: Namespace, common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Answer:
    """Makes a token for the gateway; the client's old one ends."""
    notes = ["The gateway is behind the proxy: from outside, only the dashboard can use it."]
    return _of_client("Token", options.name, common, settings, clients, notes)


def revoke(options: Namespace, common: CommonSettings, settings: GameStreamingSettings, clients: Clients) -> Answer:
    """Ends a client's token for the gateway."""
    notes = [f"The secret's value is now 'revoked'. You may remove {options.name} from clients."]
    return _of_client("Revoke", options.name, common, settings, clients, notes)


def _of_client(
    operation: str,
    name: str,
    common: CommonSettings,
    settings: GameStreamingSettings,
    clients: Clients,
    notes: Sequence[str],
) -> Answer:
    if name not in settings.clients:
        known = ", ".join(settings.clients) or "none"
        raise CommandError(f"NAME must be one of clients, {known}, got {name!r}; correct it, or add it and deploy")
    said = run_document(common, operation, {"Name": name}, clients)
    return Answer(("client", "says"), [(name, said)], {"client": name, "says": said}, notes)


def run_document(
    common: CommonSettings,
    operation: str,
    parameters: Mapping[str, str],
    clients: Clients,
    *,
    sleep: Callable[[float], object] = time.sleep,
) -> str:
    """Runs a document on the instance and returns its output.

    Raises:
        CommandError: it failed, the instance does not answer, or it took too long; with its output.
    """
    stack, ssm = stack_name(common), clients("ssm")
    instance = stack_output(stack, "InstanceId", clients)
    document = stack_output(stack, f"{operation}Document", clients)
    try:
        command = ssm.send_command(
            InstanceIds=[instance],
            DocumentName=document,
            Parameters={key: [value] for key, value in parameters.items()},
            TimeoutSeconds=DELIVERY_SECONDS,
        )["Command"]["CommandId"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidInstanceId":
            raise
        raise CommandError(
            f"{instance} does not answer Systems Manager; start it with the command in the output Start"
        ) from None
    left = DELIVERY_SECONDS + 60.0 * OPERATIONS[operation].minutes
    found: dict[str, Any] = {"Status": "Pending"}
    while found["Status"] in UNDER_WAY:
        if left <= 0:
            raise CommandError(f"{operation} has not ended; look at command {command} in Systems Manager")
        sleep(POLL_SECONDS)
        left -= POLL_SECONDS
        found = _invocation(ssm, command, instance)
    said = str(found.get("StandardOutputContent", "")).strip()
    if found["Status"] != "Success":
        why = str(found.get("StandardErrorContent", "")).strip() or said or found.get("StatusDetails", "")
        raise CommandError(f"{operation}: {found['Status']}: {why.splitlines()[-1] if why else 'no reason given'}")
    return said


def _invocation(ssm: Any, command: str, instance: str) -> dict[str, Any]:
    """The invocation may be unknown for a moment after the command."""
    try:
        return dict(ssm.get_command_invocation(CommandId=command, InstanceId=instance))
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvocationDoesNotExist":
            raise
        return {"Status": "Pending"}
