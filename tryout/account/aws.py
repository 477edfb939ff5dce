"""The AWS that a stack was deployed to, as scenarios use it: the embedded one, or an account."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Aws"]


class Aws(Protocol):
    """What the embedded AWS and an account have in common.

    The last four, and ``authority``, are the embedded AWS's alone. An account answers them with StepNotRunError, so
    that no step goes on as if an hour had passed.
    """

    @property
    def account(self) -> str:
        """The 12-digit account id."""

    @property
    def region(self) -> str:
        """The Region of the deployment."""

    @property
    def authority(self) -> Path:
        """The certificate that clients of the embedded AWS must trust."""

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client of whoever tries the solution."""

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of a client process."""

    def control(self, name: str, /, **request: object) -> dict[str, Any]:
        """Calls one of the control endpoints."""

    def age_metrics(self, seconds: float) -> None:
        """Moves every datapoint into the past."""

    def minute_lasts(self, seconds: float) -> None:
        """Lets a minute of metrics and scaling policies last so many seconds."""

    def spot_notice(self, kind: str, instance_id: str, *, act: bool = False) -> None:
        """Announces that EC2 wants a Spot Instance back."""
