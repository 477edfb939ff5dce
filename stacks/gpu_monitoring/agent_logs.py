"""The documented schema of section logs: files, the journal of systemd, and Windows events.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stacks.gpu_monitoring.agent_part import Credentials, Interval, Named, Part, Text, Word

Name = Annotated[str, Field(min_length=1, max_length=512)]
Retention = Literal[
    -1, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
Priority = Literal[
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "0", "1", "2", "3", "4", "5", "6", "7"
]


class Filter(Part):
    """What is sent, or left out, of a log."""

    type: Literal["include", "exclude"]
    expression: Text


class Collected(Part):
    """Where a log goes, and what of it."""

    log_stream_name: Name | None = None
    log_group_class: Literal["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"] | None = None
    retention_in_days: Retention | None = None
    filters: tuple[Filter, ...] | None = None


class LogFile(Collected, Named):
    """A file of ``logs_collected``."""

    file_path: Text
    log_group_name: Name | None = None
    timestamp_format: Text | None = None
    timezone: Literal["UTC", "Local", "LOCAL"] | None = None
    trim_timestamp: bool | None = None
    multi_line_start_pattern: Text | None = None
    encoding: Text | None = None
    auto_removal: bool | None = None
    blacklist: Text | None = None
    publish_multi_logs: bool | None = None
    backpressure_mode: Literal["fd_release"] | None = None


class JournalEntries(Collected):
    """Entries of the journal; newer than the documentation, in the agent since 1.300071."""

    log_group_name: Name
    units: Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(min_length=1)] | None = None
    priority: Priority | None = None
    matches: Annotated[tuple[dict[str, str], ...], Field(min_length=1)] | None = None


class WindowsEvent(Collected):
    """An event log of ``logs_collected``."""

    event_name: Word
    event_levels: tuple[Literal["INFORMATION", "WARNING", "ERROR", "CRITICAL", "VERBOSE"], ...] | None = None
    event_ids: tuple[Annotated[int, Field(ge=0, le=65_535)], ...] | None = None
    event_format: Literal["text", "xml"] | None = None
    log_group_name: Name | None = None

    @model_validator(mode="after")
    def _chooses_events(self) -> "WindowsEvent":
        if not (self.event_levels or self.event_ids or self.filters):
            raise ValueError("needs event_levels, event_ids or filters")
        return self


class LogFiles(Part):
    """``files``."""

    collect_list: Annotated[tuple[LogFile, ...], Field(min_length=1)]


class Journal(Part):
    """``journald``."""

    collect_list: Annotated[tuple[JournalEntries, ...], Field(min_length=1)]


class WindowsEvents(Part):
    """``windows_events``."""

    collect_list: Annotated[tuple[WindowsEvent, ...], Field(min_length=1)]


class LogsCollected(Part):
    """``logs_collected``."""

    files: LogFiles | None = None
    windows_events: WindowsEvents | None = None


class LogsCollectedOnLinux(LogsCollected):
    """``logs_collected`` on Linux."""

    journald: Journal | None = None


class Logs(Named):
    """Section logs on Windows."""

    logs_collected: LogsCollected
    log_stream_name: Word | None = None
    concurrency: Annotated[int, Field(ge=1)] | None = None
    force_flush_interval: Interval | None = None
    endpoint_override: Word | None = None
    credentials: Credentials | None = None


class LogsOnLinux(Logs):
    """Section logs on Linux."""

    logs_collected: LogsCollectedOnLinux
