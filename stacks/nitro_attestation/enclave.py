"""What a parent of enclaves does at boot."""

from pathlib import Path

from stacks.nitro_attestation.settings import Enclave

USER_DATA = Path(__file__).parent / "user_data"


def enclave_script(settings: Enclave, *, namespace: str, stack: str, region: str, suffix: str) -> str:
    """The user data of a parent."""
    script = (USER_DATA / "enclave.sh").read_text(encoding="utf-8")
    values = {
        "CPUS": str(settings.cpus),
        "MEMORY_MIB": str(settings.memory_mib),
        "REGION": region,
        "SUFFIX": suffix,
        "NAMESPACE": namespace,
        "STACK": stack,
    }
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return script
