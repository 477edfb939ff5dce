"""What an instance does at boot: the script and its unit, where it makes its checks itself."""

from pathlib import Path

from stacks.custom_health_checks.checks import Check
from stacks.custom_health_checks.settings import CustomHealthChecksSettings

FOLDER = Path(__file__).parent / "user_data"
LAUNCH_HOOK = "checked"


def user_data(settings: CustomHealthChecksSettings) -> str:
    """Mode instance: the script and its unit. Mode event: nothing; what an instance does at boot is up to its owner."""
    if settings.mode == "event":
        return "#!/bin/bash\n# The checks of this instance are made from outside. Put here what it has to do at boot.\n"
    script = (FOLDER / "bootstrap.sh").read_text(encoding="utf-8")
    values = {
        "HOOK_NAME": LAUNCH_HOOK,
        "HEARTBEAT_SECONDS": str(settings.heartbeat_seconds),
        "LONGEST_WAIT_SECONDS": str(settings.longest_wait),
        "POLL_SECONDS": str(settings.poll_seconds),
        "CHECKS": "\n".join(line(check) for check in settings.checks),
        "UNIT": (FOLDER / "custom-health-check.service").read_text(encoding="utf-8").strip(),
        "SCRIPT": (FOLDER / "check.sh").read_text(encoding="utf-8").strip(),
    }
    for name, value in values.items():
        script = script.replace(f"\n@{name}@\n", f"\n{value}\n").replace(f"=@{name}@\n", f"={value}\n")
    return script


def line(check: Check) -> str:
    """A check as the script reads it."""
    fields: list[object]
    match check.kind:
        case "tag":
            fields = [check.key, check.success, check.failure]
        case "http":
            fields = [f"http://127.0.0.1:{check.port}{check.path}", check.status]
        case "ssm-document":
            fields = [check.document]
        case "table":
            fields = [check.table, check.key, check.attribute, check.success, check.failure]
    return "|".join([check.kind, *("" if field is None else str(field) for field in fields)])
