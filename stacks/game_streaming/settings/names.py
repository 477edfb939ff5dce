"""What the settings of game_streaming name: instance types, images, secrets, clients, domains, issuers."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from stacks.game_streaming.script import ACCOUNT_NAME
from stacks.game_streaming.sizes import SIZES

UBUNTU = "ubuntu"


def _type(value: str) -> str:
    if value in SIZES:
        return value
    if re.fullmatch(r"g(4dn|5|6|6e)\..+", value):
        raise ValueError(f"must be a G5g type, because {value.split('.')[0]} has x86 processors; choose g5g.2xlarge")
    raise ValueError(f"must be a G5g type, with an Arm processor and a GPU; choose one of {', '.join(SIZES)}")


def _issuer(value: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[\w.~/-]*)?", value):
        raise ValueError("must be an https URL; write the issuer of your identity provider")
    if value.rstrip("/").endswith("/oidc/callback"):
        raise ValueError("must be the issuer, not the redirect address of the appliance; write the provider's URL")
    return value


def _secret(value: str) -> str:
    """A name or an ARN; https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html."""
    if value.startswith("arn:"):
        if re.fullmatch(r"arn:aws(-[a-z]+)*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}", value):
            return value
        raise ValueError("must be the secret's complete ARN, with the six characters at its end; copy it again")
    if not re.fullmatch(r"[\w/+=.@-]{1,505}", value) or re.fullmatch(r"C1[A-Za-z0-9]{20,}", value):
        # The words ", got " keep the value, which may be the token, out of the message.
        raise ValueError(
            "must be the name or ARN of a secret that holds the token, got what may be the token itself; make a secret"
        )
    return value


def _image(value: str) -> str:
    if value == UBUNTU or re.fullmatch(r"ami-[0-9a-f]{8,17}|/aws/service/marketplace/prod-[a-z0-9]+/[\w.-]+", value):
        return value
    raise ValueError("must be ubuntu, an AMI id, or a parameter such as /aws/service/marketplace/prod-.../latest")


Image = Annotated[str, Field(examples=["ubuntu"]), AfterValidator(_image)]
IssuerUrl = Annotated[str, Field(max_length=512), AfterValidator(_issuer)]
Client = Annotated[str, Field(pattern=ACCOUNT_NAME, examples=["portal"])]
SecretName = Annotated[str, Field(examples=["ubuntu-pro-token"]), AfterValidator(_secret)]
GameType = Annotated[str, Field(examples=["g5g.2xlarge"]), AfterValidator(_type)]
Domain = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$", max_length=253, examples=["play.example.com"]
    ),
]
