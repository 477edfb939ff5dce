"""The documented schema of the CloudWatch agent's configuration: the file, its section agent, and metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stacks.gpu_monitoring.agent_logs import Logs, LogsOnLinux
from stacks.gpu_monitoring.agent_part import (
    Credentials,
    Dimensions,
    DimensionValue,
    Interval,
    Named,
    Part,
    Resources,
    Text,
    Word,
    Words,
)


class Decorated(Part):
    """A measurement under another name or unit."""

    name: Word
    rename: Word | None = None
    unit: Word | None = None


class Section(Part):
    """One section of ``metrics_collected``."""

    measurement: Annotated[tuple[Word | Decorated, ...], Field(min_length=1)]
    metrics_collection_interval: Interval | None = None
    append_dimensions: Dimensions | None = None
    drop_original_metrics: Words | None = None

    @property
    def names(self) -> list[str]:
        """The measurements, as the agent calls them."""
        return [item if isinstance(item, str) else item.name for item in self.measurement]

    @property
    def unchanged(self) -> list[str]:
        """Those that are not renamed."""
        return [name for name, item in zip(self.names, self.measurement, strict=True) if not _renamed(item)]


def _renamed(item: str | Decorated) -> bool:
    return isinstance(item, Decorated) and item.rename is not None


class OfResources(Section):
    """A section that measures several of a kind."""

    resources: Resources | None = None


class Cpu(Section):
    """Section cpu."""

    resources: Annotated[tuple[Literal["*"], ...], Field(max_length=1)] | None = None
    totalcpu: bool | None = None


class Disk(OfResources):
    """Section disk."""

    ignore_file_system_types: Resources | None = None
    drop_device: bool | None = None


class Statsd(Named):
    """Section statsd."""

    service_address: Word | None = None
    metrics_collection_interval: Interval | None = None
    metrics_aggregation_interval: Annotated[int, Field(ge=0, le=172_800)] | None = None
    metric_separator: Word | None = None
    allowed_pending_messages: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    drop_original_metrics: Words | None = None


class Ethtool(Part):
    """Section ethtool."""

    interface_include: Words | None = None
    interface_exclude: Words | None = None
    metrics_include: Words | None = None
    append_dimensions: Dimensions | None = None
    drop_original_metrics: Words | None = None


class Efa(Part):
    """Section efa: the Elastic Fabric Adapter, which GPU clusters use."""

    measurement: Annotated[tuple[Word | Decorated, ...], Field(min_length=1)]
    metrics_collection_interval: Interval | None = None
    drop_original_metrics: Words | None = None


class Collectd(Named):
    """Section collectd."""

    service_address: Word | None = None
    name_prefix: Word | None = None
    collectd_auth_file: Text | None = None
    collectd_security_level: Literal["none", "sign", "encrypt"] | None = None
    collectd_typesdb: Annotated[tuple[Text, ...], Field(max_length=10)] | None = None
    metrics_aggregation_interval: Annotated[int, Field(ge=0, le=172_800)] | None = None
    append_dimensions: Dimensions | None = None
    drop_original_metrics: Words | None = None


class Procstat(Part):
    """One process of section procstat."""

    measurement: Words
    pid_file: Word | None = None
    exe: Word | None = None
    pattern: Word | None = None
    metrics_collection_interval: Interval | None = None
    append_dimensions: Dimensions | None = None
    drop_original_metrics: Words | None = None

    @model_validator(mode="after")
    def _names_a_process(self) -> "Procstat":
        if not (self.pid_file or self.exe or self.pattern):
            raise ValueError("needs pid_file, exe or pattern")
        return self


class LinuxMetrics(Part):
    """``metrics_collected`` on Linux."""

    collectd: Collectd | None = None
    cpu: Cpu | None = None
    disk: Disk | None = None
    diskio: OfResources | None = None
    efa: Efa | None = None
    ethtool: Ethtool | None = None
    mem: Section | None = None
    net: OfResources | None = None
    netstat: Section | None = None
    nvidia_gpu: Any = None
    processes: Section | None = None
    procstat: tuple[Procstat, ...] | None = None
    statsd: Statsd | None = None
    swap: Section | None = None


class WindowsMetrics(BaseModel):
    """``metrics_collected`` on Windows: any performance object is a section."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, OfResources] = Field(init=False)

    procstat: tuple[Procstat, ...] | None = None
    statsd: Statsd | None = None


class Agent(Named):
    """Section agent."""

    metrics_collection_interval: Interval | None = None
    region: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    credentials: Credentials | None = None
    debug: bool | None = None
    aws_sdk_log_level: str | None = None
    logfile: Annotated[str, Field(max_length=4_096)] | None = None
    omit_hostname: bool | None = None
    run_as_user: Word | None = None
    user_agent: Word | None = None
    quiet: bool | None = None
    use_dualstack_endpoint: bool | None = None


class Metrics(Named):
    """Section metrics, but for what is collected."""

    namespace: Word | None = None
    append_dimensions: Dimensions | None = None
    aggregation_dimensions: Annotated[tuple[tuple[DimensionValue, ...], ...], Field(min_length=1)] | None = None
    endpoint_override: Word | None = None
    metrics_collected: Any
    force_flush_interval: Interval | None = None
    credentials: Credentials | None = None


class LinuxMetricsSection(Metrics):
    """Section metrics on Linux."""

    metrics_collected: LinuxMetrics


class WindowsMetricsSection(Metrics):
    """Section metrics on Windows."""

    metrics_collected: WindowsMetrics


class LinuxConfiguration(Part):
    """The file on Linux."""

    agent: Agent | None = None
    metrics: LinuxMetricsSection
    logs: LogsOnLinux | None = None


class WindowsConfiguration(Part):
    """The file on Windows."""

    agent: Agent | None = None
    metrics: WindowsMetricsSection
    logs: Logs | None = None
