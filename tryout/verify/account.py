"""A real account in the place of the embedded AWS: clients by a named profile, and no control over anything."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import boto3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from stacks.shared.preflight import CREDENTIALS
from tryout.steps import StepNotRunError

# They would go before the profile: https://docs.aws.amazon.com/cli/latest/topic/config-vars.html
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE")


class VerifyError(Exception):
    """Nothing can be verified; the message is one sentence for the user."""


class Account:
    """An account and a Region as the named profile reaches them.

    Raises:
        VerifyError: nobody answers, or the profile has no credentials that count.
    """

    def __init__(self, profile: str, region: str) -> None:
        self._profile, self._region = profile, region
        self._clients: dict[tuple[object, ...], Any] = {}
        self._making_clients = threading.Lock()
        with self.reached():
            self._session = boto3.Session(profile_name=profile, region_name=region)
            soon = ClientConfig(retries={"total_max_attempts": 2}, connect_timeout=10, read_timeout=20)
            caller = self._session.client("sts", config=soon).get_caller_identity()
        self.caller = str(caller["Arn"])
        """Who calls."""
        self._account = str(caller["Account"])

    @contextmanager
    def reached(self) -> Iterator[None]:
        """What is done in it fails with a sentence where the account cannot be reached."""
        who = f"profile {self._profile!r} in {self._region}"
        try:
            yield
        except NoCredentialsError:
            raise VerifyError(f"{who} has no credentials; add them, or log in: aws sso login --profile NAME") from None
        except BotoCoreError as error:
            said = str(error).splitlines()[0].rstrip(".")
            raise VerifyError(f"{who}: {said}; check the profile, the Region and the network") from None
        except ClientError as error:
            code, said = error.response["Error"]["Code"], error.response["Error"].get("Message", "").rstrip(".")
            fix = "log in again, or enable the Region in this account" if code in CREDENTIALS else "allow it this call"
            raise VerifyError(f"{who}: {error.operation_name}: {code}: {said}; {fix}") from None

    @property
    def account(self) -> str:
        """The 12-digit account id."""
        return self._account

    @property
    def region(self) -> str:
        """The Region."""
        return self._region

    @property
    def emulated(self) -> bool:
        """Whether the profile leads to an emulator on this machine, where minutes need not be waited for."""
        host = urlsplit(self.client("sts").meta.endpoint_url).hostname
        return host in ("127.0.0.1", "localhost", "::1")

    @property
    def authority(self) -> NoReturn:
        """Not of an account."""
        raise StepNotRunError("only the embedded AWS has a certificate of its own")

    def client(self, service: str, **options: Any) -> Any:
        """A client with the permissions of the profile; the same one for the same call."""
        key = (service, *sorted((name, str(value)) for name, value in options.items()))
        with self._making_clients:
            if key not in self._clients:
                patient = ClientConfig(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10)
                self._clients[key] = self._session.client(service, **{"config": patient, **options})
            return self._clients[key]

    def for_commands(self, service: str, region: str | None = None, /) -> Any:
        """The same, as the commands of a solution ask for it."""
        return self.client(service, **({"region_name": region} if region else {}))

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a client process: this one's, with profile and Region, and no keys that go before them."""
        inherited = os.environ if base is None else base
        kept = {name: value for name, value in inherited.items() if name not in KEYS}
        named = {"AWS_PROFILE": self._profile, "AWS_REGION": self._region, "AWS_DEFAULT_REGION": self._region}
        return {**kept, **named, "CDK_DISABLE_CLI_TELEMETRY": "true"}

    def control(self, name: str, /, **_: object) -> NoReturn:
        """Not of an account."""
        raise StepNotRunError(f"only the embedded AWS can be told to: {name}")

    def age_metrics(self, seconds: float) -> NoReturn:
        """Not of an account."""
        raise StepNotRunError(f"only the embedded AWS can let {seconds:g} s pass at once")

    def minute_lasts(self, seconds: float) -> NoReturn:
        """Not of an account."""
        raise StepNotRunError(f"only in the embedded AWS can a minute last {seconds:g} s")

    def spot_notice(self, kind: str, instance_id: str, *, act: bool = False) -> NoReturn:
        """Not of an account."""
        raise StepNotRunError(f"only the embedded AWS can be told to announce: {kind}")
