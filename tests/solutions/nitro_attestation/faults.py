"""The happy path of the function of nitro_attestation."""

from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend

from emulator.core.api import serve
from shared.aws import client
from tests.faults.subject import Subject, lambda_function, says

NAMESPACE, IMAGE = "ComputeBlog/NitroAttestation", "ami-12345678"


def console(_: Mapping[str, Any]) -> dict[str, Any]:
    """What EC2 answers; moto does not know the call."""
    return {"SerialConsoleAccessEnabled": False}


def defaults(_: Mapping[str, Any]) -> dict[str, Any]:
    """The same."""
    return {"AccountLevel": {"HttpTokens": "required"}}


serve("ec2", {"get_serial_console_access_status": console, "get_instance_metadata_defaults": defaults})


class LookWorld:
    """One instance on Xen and one on Nitro, and no trail."""

    def __init__(self) -> None:
        ec2 = client("ec2")
        for instance_type in ("t2.micro", "m7g.large"):
            ec2.run_instances(ImageId=IMAGE, InstanceType=instance_type, MinCount=1, MaxCount=1)
        self.env: Mapping[str, str] = {
            "ACCOUNT": "123456789012",
            "AWS_REGION": "us-east-1",
            "BUDGET_SECONDS": "200",
            "METRIC_NAMESPACE": NAMESPACE,
            "REGIONS": "us-east-1",
            "STACK": "stack",
        }
        self.event: Any = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}

    def invariant(self) -> None:
        rounds = published()
        assert rounds and rounds[-1] == (1.0, 0.0), f"{rounds}"

    def unharmed(self) -> None:
        """Fewer than there are is said only together with a Region that was not seen."""
        rounds = published()
        assert all(xen == 1.0 or unseen == 1.0 for xen, unseen in rounds), f"{rounds}"


def published() -> list[tuple[float, float]]:
    """Xen instances, and Regions that were not seen, look by look."""
    data = [
        one for one in get_backend("cloudwatch")["123456789012"]["us-east-1"].metric_data if one.namespace == NAMESPACE
    ]
    xen, unseen = ([one.value for one in data if one.name == name] for name in ("XenInstances", "RegionsNotSeen"))
    return list(zip(xen, unseen, strict=True))


SUBJECTS: list[Subject] = [
    # What cannot be looked at is no error of the function: it publishes how much, and an alarm tells.
    lambda_function("nitro_attestation.look", LookWorld, tells=says("RegionsNotSeen")),
]
