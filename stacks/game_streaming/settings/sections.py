"""Sections below ``solutions.game_streaming``: logging in, sessions, hours."""

from typing import Annotated

from pydantic import Field

from config.models import Section
from config.schedules import ScheduleExpression, TimeZone
from stacks.game_streaming.settings.names import IssuerUrl
from stacks.game_streaming.sizes import Demand


class Oidc(Section):
    """An OpenID Connect provider for logging in to the dashboard."""

    issuer: Annotated[IssuerUrl, Field(examples=["https://login.example.com"])]
    """URL of the issuer."""
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@-]{1,256}$", examples=["example-client"])]
    """Id of a public client (SPA), which has no secret."""
    audience: Annotated[IssuerUrl, Field(examples=["https://example.auth0.com/api/v2/"])] | None = None
    """Audience, which Auth0 requires."""


class Session(Section):
    """Resources of one session of the largest game; a game's own manifest is checked at its delivery."""

    cpus: Annotated[int, Field(ge=1, le=256)] = 10
    """vCPUs."""
    memory_gb: Annotated[int, Field(ge=3, le=256)] = 25
    """Memory in GB."""
    disk_gb: Annotated[int, Field(ge=3, le=4096)] = 40
    """Disk in GB."""
    gpu_slots: Annotated[int, Field(ge=0, le=32)] = 15
    """GPU slots, of 32."""

    @property
    def demand(self) -> Demand:
        """The demand from which the sizes are computed."""
        return Demand(self.cpus, self.memory_gb, self.disk_gb, self.gpu_slots)


class Hours(Section):
    """Schedule on which the instance stops and starts again."""

    stop: ScheduleExpression
    """When the instance stops, even while somebody plays: running games are lost."""
    start: ScheduleExpression | None = None
    """When the instance starts again. null: you start it."""
    time_zone: TimeZone = "UTC"
    """Time zone of both schedules."""
