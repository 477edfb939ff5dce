"""The scripts of user_data/, with the names between two @ replaced."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.shared.filled import filled, shared_part

if TYPE_CHECKING:  # tests read these files without the CDK
    from aws_cdk import Stack

_COMMENT = re.compile(r"^ *# .*\n", re.MULTILINE)
FOLDER = Path(__file__).parent / "user_data"
PARTS = {"RETRY": shared_part("retry.sh"), "METADATA": shared_part("metadata.sh")}
"""What common.sh has of ``stacks/shared/user_data``."""


def read(name: str, **values: str) -> str:
    """A file of user_data/ with its values, without the line feed at its end and without the lines that are comments.

    EC2 takes 16 KiB of user data, of which comments would be a fifth; they are for whoever reads the file here.
    """
    return _COMMENT.sub("", filled(FOLDER / name, **values)).strip()


def script(stack: "Stack", name: str, *, logical_id: str, **values: str) -> str:
    """A user data script with common.sh in it.

    Args:
        logical_id: of the instance or group that CloudFormation waits for.
    """
    common = read("common.sh", **PARTS, REGION=stack.region, STACK=stack.stack_id, LOGICAL_ID=logical_id)
    return read(name, COMMON=common, **values) + "\n"


def watch(stack: "Stack", check: str, *, tells: str = "") -> str:
    """The part of a group's user data that has an instance replaced while *check* fails.

    Args:
        check: a command as a unit of systemd has it.
        tells: what the unit's environment has besides, so that health.sh tells of a disk.
    """
    unit = read("wordpress-health.service", REGION=stack.region, CHECK=check, TELLS=tells)
    return read("watch.sh", HEALTH=read("health.sh"), UNIT=unit)
