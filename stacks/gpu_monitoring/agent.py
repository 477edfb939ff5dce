"""What a configuration of the CloudWatch agent may say: its documented schema, and what this solution needs of it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html

The sections that hosts with GPUs use are modelled: ``agent``, ``metrics``, and ``logs`` of files, of the journal and of
Windows events.
What is not modelled is refused rather than passed on unread.
"""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.wording import sentence, with_got
from stacks.gpu_monitoring.agent_sections import (
    Decorated,
    LinuxConfiguration,
    OfResources,
    Section,
    WindowsConfiguration,
    WindowsMetrics,
)
from stacks.gpu_monitoring.measurements import LINUX, WINDOWS, System, plain_name, unknown

NAMESPACE = "CWAgent"
_STATSD = re.compile(r"(?:127\.0\.0\.1)?:([1-9]\d{0,4})")
"""An address on which the agent takes StatsD from this machine; without a host it takes it from everywhere."""
STANDARD_BYTES, ADVANCED_BYTES = 4_096, 8_192
"""What a parameter holds, by its tier
(https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html)."""
LAST_PORT = 65_535
LONGEST_INTERVAL = 300
"""Seconds: the period of the dashboard and of the alarms."""
GPU = ("utilization_gpu", "memory_used", "memory_total", "temperature_gpu", "power_draw")
"""What dashboard, alarms and functions need of every GPU; the collectors send it."""
COMMITTED = "% Committed Bytes In Use"


def read(path: Path, system: System) -> tuple[str, list[str]]:
    """A configuration as the parameter holds it, without a superfluous byte, and everything that is wrong with it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (OSError, UnicodeDecodeError) as error:
        return "", [f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"]
    except ValueError as error:
        return "", [f"is not JSON: {error}"]
    text = json.dumps(data, separators=(",", ":"))
    return text, list(problems(data, system)) + list(_no_parameter(text))


def statsd_port(text: str) -> int | None:
    """The port of 127.0.0.1 on which an agent with this configuration takes StatsD; None: it takes none there."""
    section = json.loads(text)["metrics"]["metrics_collected"].get("statsd") or {}
    return _port(section.get("service_address"))


def _port(address: str | None) -> int | None:
    found = _STATSD.fullmatch(address or "")
    return int(found[1]) if found and int(found[1]) <= LAST_PORT else None


def problems(data: Any, system: System) -> Iterator[str]:
    """What the agent's schema, the list of measurements or this solution has against a configuration."""
    model = LinuxConfiguration if system == "linux" else WindowsConfiguration
    try:
        # As JSON: pydantic's strict mode takes a list for a tuple then, and still no "60" for 60.
        found: Any = model.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        seen = dict.fromkeys(_explained(each, model) for each in error.errors())
        yield from seen
        return
    for name, section in _sections(found.metrics.metrics_collected):
        place = f"metrics.metrics_collected.{name}"
        if system == "windows" and name not in WINDOWS:
            yield from (f"{place}: {says}" for says in _misnamed(name))
        yield from (f"{place}: {says}" for says in unknown(system, name, section.names))
    for number, process in enumerate(found.metrics.metrics_collected.procstat or ()):
        place = f"metrics.metrics_collected.procstat.{number}"
        yield from (f"{place}: {says}" for says in unknown(system, "procstat", list(process.measurement)))
    yield from _needed(found, system)


def _sections(collected: BaseModel) -> Iterator[tuple[str, Section]]:
    for name, section in [*vars(collected).items(), *(collected.model_extra or {}).items()]:
        if isinstance(section, Section):
            yield name, section


def _misnamed(name: str) -> Iterator[str]:
    if name == "nvidia_gpu":
        yield "the agent has it switched off on Windows; remove it: the same measurements come through statsd"
    elif name in LINUX:
        yield "is a section for Linux; remove it"
    elif close := get_close_matches(name, WINDOWS, n=1, cutoff=0.8):
        yield f"is no performance object that is known here; did you mean {close[0]!r}?"


def _needed(found: Any, system: System) -> Iterator[str]:
    """What dashboard, alarms and functions read must be there, under the names by which they read it."""
    metrics = found.metrics
    if metrics.namespace not in (None, NAMESPACE):
        yield f"metrics.namespace: must be {NAMESPACE}, where dashboard and alarms look, got {metrics.namespace!r}"
    if (metrics.append_dimensions or {}).get("InstanceId") != "${aws:InstanceId}":
        yield 'metrics.append_dimensions: must have "InstanceId": "${aws:InstanceId}"'
    rollups = {frozenset(item) for item in metrics.aggregation_dimensions or ()}
    for wanted in (["InstanceId"], ["InstanceId", "index"]):
        if frozenset(wanted) not in rollups:
            yield f"metrics.aggregation_dimensions: must have {json.dumps(wanted)}, or dashboard and alarms see nothing"
    default = (found.agent.metrics_collection_interval if found.agent else None) or 60
    collected = metrics.metrics_collected
    if system == "linux":
        if collected.nvidia_gpu is not None:
            yield (
                "metrics.metrics_collected.nvidia_gpu: the agent does not start with it where there is no NVIDIA "
                f"driver; remove it: {', '.join(GPU)} and utilization_memory come through statsd"
            )
        yield from _needs(collected.mem, "mem", ("used_percent",), default)
    else:
        yield from _needs((collected.model_extra or {}).get("Memory"), "Memory", (COMMITTED,), default)
    if collected.statsd is None or _port(collected.statsd.service_address) is None:
        yield (
            'metrics.metrics_collected.statsd: must have "service_address": "127.0.0.1:PORT", on which the agent takes '
            "the values of GPUs; 18125 unless something else has it"
        )


def _needs(section: Section | None, name: str, wanted: tuple[str, ...], default: int) -> Iterator[str]:
    place = f"metrics.metrics_collected.{name}"
    if section is None:
        yield f"{place}: is missing; dashboard and alarms need {', '.join(wanted)}"
        return
    there = {plain_name(name, each) for each in section.unchanged}
    if missing := [each for each in wanted if each not in there]:
        yield f"{place}.measurement: dashboard and alarms need {', '.join(missing)}, not renamed"
    if (interval := section.metrics_collection_interval or default) > LONGEST_INTERVAL:
        yield f"{place}: is measured every {interval} s; alarms need it every {LONGEST_INTERVAL} s or more often"


def _no_parameter(text: str) -> Iterator[str]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"""
    if "{{" in text:
        yield "must not have {{, which Parameter Store takes for another parameter and refuses; write it in another way"
    if (size := len(text.encode())) > ADVANCED_BYTES:
        yield f"has {size:,} bytes without white space; a parameter holds {ADVANCED_BYTES:,}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON takes the last of two equal keys in silence."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def _explained(error: ErrorDetails, model: type[BaseModel]) -> str:
    # Which of two alternatives an item of a list was taken for says nothing to who reads it.
    place = ".".join(str(part) for part in error["loc"] if part not in ("Decorated", "constrained-str"))
    if error["type"] == "extra_forbidden":
        known = _keys(model, error["loc"][:-1])
        close = get_close_matches(str(error["loc"][-1]), known, n=1, cutoff=0.7)
        hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
        return f"{place}: unknown key; {hint}"
    if error["type"] == "missing":
        return f"{place}: must be set"
    if error["type"] == "value_error":
        says = str(error["ctx"]["error"])
    else:
        got = "" if isinstance(error["input"], dict | list) else json.dumps(error["input"])[:60]
        says = with_got(sentence(error["type"], error.get("ctx", {})), got)
    return f"{place}: {says}" if place else says


def _keys(model: Any, where: tuple[int | str, ...]) -> list[str]:
    for part in where:
        fields: Mapping[str, Any] = getattr(model, "model_fields", {})
        if part in fields:
            model = _model_in(fields[str(part)].annotation) or model
        elif part == "Decorated":
            model = Decorated
        elif isinstance(part, str) and model is WindowsMetrics:
            model = OfResources
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in getattr(annotation, "__args__", ()) if (found := _model_in(each))), None)
