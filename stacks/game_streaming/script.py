"""The shell of the Systems Manager documents, as an instance runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stacks.shared.filled import filled

DOCUMENTS = Path(__file__).parent / "documents"
ACCOUNT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{2,62}$"
GAME_NAME = r"^[A-Za-z0-9][A-Za-z0-9_:.-]{2,254}$"
IMAGE_NAME = r"^[a-z0-9][a-z0-9-]{1,55}[a-z0-9]$"
EMAIL = r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}$"
PACKAGE = r"^[0-9a-f]{64}$"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a document. The script has it between single quotes, which its pattern excludes."""

    description: str
    pattern: str


@dataclass(frozen=True)
class Operation:
    """One document.

    Attributes:
        files: files of documents/ after common.sh, in order.
    """

    description: str
    files: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    minutes: int = 5


_NAME = Parameter("Name of the game", GAME_NAME)
_PACKAGE = Parameter("SHA-256 of the package in the bucket", PACKAGE)
OPERATIONS: Mapping[str, Operation] = {
    "Register": Operation(
        "Registers an Ubuntu SSO user with the dashboard; the link goes into a secret",
        ("register",),
        {"Email": Parameter("Primary address of the Ubuntu SSO account", EMAIL)},
    ),
    "User": Operation(
        "Admits a user of the OpenID Connect provider",
        ("user",),
        {"Email": Parameter("Address of the user at the provider", EMAIL)},
    ),
    "Token": Operation(
        "Makes a token for the gateway's API and puts it into the client's secret; the old one ends",
        ("client", "token"),
        {"Name": Parameter("Name of the client", ACCOUNT_NAME)},
    ),
    "Revoke": Operation(
        "Ends a client's token for the gateway's API",
        ("client", "revoke"),
        {"Name": Parameter("Name of the client", ACCOUNT_NAME)},
    ),
    "Idle": Operation("Checks again whether a game runs, and stops the instance if none does", ("idle",), {}),
    "Application": Operation(
        "Makes an application of a game, or a new version of it, and waits until it is ready",
        ("package", "deliver"),
        {"Name": _NAME, "Package": _PACKAGE},
        minutes=40,
    ),
    "Image": Operation(
        "Makes an image of a game and waits until it is active",
        ("package", "deliver_image"),
        {"Name": Parameter("Name of the game", IMAGE_NAME), "Package": _PACKAGE},
        minutes=60,
    ),
}


def operations(*, oidc: bool, deliver: str, clients: Sequence[str], idle: bool) -> dict[str, Operation]:
    """The documents of a stack, which depend on the provider and on what a game becomes."""
    names = ["User" if oidc else "Register", deliver.title()]
    names += ["Token", "Revoke"] if clients else []
    names += ["Idle"] if idle else []
    return {name: OPERATIONS[name] for name in names}


def lines(
    operation: Operation, *, registration_secret: str, token_secrets: Mapping[str, str], bucket: str
) -> list[str]:
    """The script, line by line.

    Args:
        token_secrets: ARN of each client's secret, by the client's name.
    """
    common = filled(
        DOCUMENTS / "common.sh",
        REGISTRATION_SECRET=registration_secret,
        TOKEN_SECRETS=" ".join(f"{name}={arn}" for name, arn in token_secrets.items()),
        BUCKET=bucket,
    )
    texts = [common, *((DOCUMENTS / f"{name}.sh").read_text(encoding="utf-8") for name in operation.files)]
    # #! because the agent would use sh: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html
    return ["#!/bin/bash", *(line for text in texts for line in text.splitlines())]
