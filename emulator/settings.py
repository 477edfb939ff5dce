"""What the embedded AWS is told when it starts, as the environment that its parts read when they are imported."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"

# On the path of every function and script: a sitecustomize that judges their calls by the whole service model.
FULL_MODEL = Path(__file__).parent / "fullmodel"

# Lambda functions inherit the environment of the process, so it starts from these and nothing else of the user's.
KEPT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TZ")


@dataclass(frozen=True)
class Settings:
    """One embedded AWS: where it listens, where it keeps its files, whose account it is.

    Attributes:
        eventual: whether what a role has just made is not known everywhere at once (``emulator.core.eventual``).
        pauses: what the seconds are multiplied by that functions pause between two looks: nothing here takes as long.
    """

    port: int
    state: Path
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    enforce_iam: bool = True
    eventual: bool = False
    pauses: float = 1

    @property
    def certificates(self) -> Path:
        """The folder of the certificate authority and of the server's certificate."""
        return self.state / "tls"

    @property
    def authority(self) -> Path:
        """The certificate that clients must trust."""
        return self.certificates / "authority.pem"

    @property
    def temporary(self) -> Path:
        """The temporary directory: emptied by a clean exit."""
        return self.state / "tmp"

    @property
    def endpoint_url(self) -> str:
        """The one address of every service."""
        return f"https://127.0.0.1:{self.port}"


def server_environment(settings: Settings, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the server process; nothing of *inherited* remains but what ``KEPT`` names."""
    authority = str(settings.authority)
    return {name: inherited[name] for name in KEPT if name in inherited} | {
        "TMPDIR": str(settings.temporary),
        "GATEWAY_PORT": str(settings.port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": settings.account,
        "MINISTACK_REGION": settings.region,
        "AUTH": str(settings.enforce_iam).lower(),
        # The bootstrap bucket refuses requests without TLS, so there is no embedded AWS without it.
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(settings.certificates / "server.pem"),
        "MINISTACK_SSL_KEY": str(settings.certificates / "server.key"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # ministack removes the containers of a Docker that it finds; nothing here is to touch the user's.
        "DOCKER_HOST": f"unix://{settings.temporary / 'no-docker.sock'}",
        "MOTO_ACCOUNT_ID": settings.account,
        "MOTO_ALLOW_NONEXISTENT_REGION": "true",
        # The catalogue of public images takes 1.5 seconds to load; SSM names the images that templates use.
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        # What the Lambda functions see. Their credentials are those of their role, set for each.
        "AWS_ACCESS_KEY_ID": settings.account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(FULL_MODEL),
        **({"EMBEDDED_AWS_PAUSES": str(settings.pauses)} if settings.pauses != 1 else {}),
        "AWS_CA_BUNDLE": authority,
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        "NODE_EXTRA_CA_CERTS": authority,
    }


def client_variables(settings: Settings) -> dict[str, str]:
    """What a client needs to be set: the AWS CLI, the CDK CLI, boto3, or a program that uses one of them."""
    return {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        # A key of twelve digits is the root user of the account with that number.
        "AWS_ACCESS_KEY_ID": settings.account,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": str(settings.authority),
        "NODE_EXTRA_CA_CERTS": str(settings.authority),
        "CDK_HOME": str(settings.state / "cdk-home"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def client_environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """*base* without any variable of an AWS or CDK client that is not ours, and with ours."""
    foreign = ("AWS_", "CDK_")
    return {name: value for name, value in base.items() if not name.startswith(foreign)} | client_variables(settings)
