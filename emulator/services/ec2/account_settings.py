"""What an account is set to in a Region, and moto lacks: the serial console, and defaults of instance metadata.

Both begin as on AWS: "by default, access to the EC2 serial console is prevented at the account level"
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-access-to-serial-console.html), and an account without
defaults has an empty AccountLevel
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceMetadataDefaults.html).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.core.api import Json, Operation
from emulator.core.store import Store

NO_PREFERENCE = "no-preference"
DEFAULTS = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags", "HttpTokensEnforced")


@dataclass
class _Settings:
    console: bool = False
    metadata: Json = field(default_factory=dict)


_settings: Store[_Settings] = Store(_Settings)


def _console(_: Json) -> Json:
    return {"SerialConsoleAccessEnabled": _settings.here().console}


def _enable_console(parameters: Json) -> Json:
    _settings.here().console = True
    return _console(parameters)


def _disable_console(parameters: Json) -> Json:
    _settings.here().console = False
    return _console(parameters)


def _metadata(_: Json) -> Json:
    return {"AccountLevel": dict(_settings.here().metadata)}


def _modify_metadata(parameters: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html."""
    kept = _settings.here().metadata
    for name in DEFAULTS:
        value = parameters.get(name)
        if value in (NO_PREFERENCE, -1):
            kept.pop(name, None)
        elif value is not None:
            kept[name] = value
    return {"Return": True}


OPERATIONS: Mapping[str, Operation] = {
    "get_serial_console_access_status": _console,
    "enable_serial_console_access": _enable_console,
    "disable_serial_console_access": _disable_console,
    "get_instance_metadata_defaults": _metadata,
    "modify_instance_metadata_defaults": _modify_metadata,
}
