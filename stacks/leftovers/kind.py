"""A kind of resource, and the command that removes one of it."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

# https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
DOMAINS = {"aws-cn": "amazonaws.com.cn"}
AGAIN = "(for pause in 0 5 10 20 40 80; do sleep $pause; {command} && break; done)"
"""Tries a command until it succeeds; in parentheses, so that ``set -e`` ends after the last failure."""


def named_by(arn: str) -> tuple[str, str]:
    """Service and type of what an ARN names, and its name: ``dynamodb:table``, ``items``.

    Buckets, queues and topics have no type.
    """
    service, resource = arn.split(":")[2], arn.split(":", 5)[5].removesuffix(":*")
    sign = min((sign for sign in "/:" if sign in resource), key=resource.index, default="")
    if not sign or service in ("s3", "sns", "sqs"):
        return service, resource
    kind, _, name = resource.partition(sign)
    return f"{service}:{kind}", name


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        name: as people call it.
        kept: why a stack may leave it; empty: there is no reason.
        bills: what it costs, with the unit of the price file (``python -m stacks cost --units``) where there is one.
        remove: the command, with {arn}, {name} behind the type of the resource, and the address of a {queue}.
        wait: the command that ends when it is gone, where others wait for that.
        held_by: kinds that hold it, and are therefore removed before.
        held: whether something still holds it, by its description.
        until: the command that ends when nothing holds it any more; empty: its removal is tried again instead.
        stays: why its service does not remove one, by its description, now; empty: it does.
        named_too: what its command must name too, where it is described: options, by the members that have the values.
        types: CloudFormation's, by which a stack has it; empty: any, whose command is not known or that no stack has.
        named: the member of its description by which CloudFormation names it, where that is not in its ARN.
    """

    name: str
    kept: str = ""
    bills: str = "see its price list"
    remove: str = ""
    wait: str = ""
    held_by: tuple[str, ...] = ()
    held: Callable[[Mapping[str, Any]], bool] = lambda _: False
    until: str = ""
    stays: Callable[[Mapping[str, Any], datetime], str] = lambda *_: ""
    named_too: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    named: str = ""

    def command(self, arn: str, region: str, shown: Mapping[str, Any] = MappingProxyType({})) -> str:
        """The command that removes one, and waits where others wait; empty where none is known.

        Args:
            shown: how its service describes it.
        """
        if not self.remove:
            return ""
        _, partition, _, _, account, _ = arn.split(":", 5)
        _, name = named_by(arn)
        queue = f"https://sqs.{region}.{DOMAINS.get(partition, 'amazonaws.com')}/{account}/{name}"
        quoted = {"arn": arn, "name": name, "queue": queue}
        values = {key: shlex.quote(value) for key, value in quoted.items()}
        remove, wait, until = (text.format(**values) for text in (self.remove, self.wait, self.until))
        for member, option in self.named_too.items():
            if value := shown.get(member):
                remove += f" {option} {shlex.quote(value)}"
        texts = [f"{text} --region {region}" if text else "" for text in (until, remove, wait)]
        if not self.held(shown):
            texts[0] = ""
        elif not until:
            texts[1] = AGAIN.format(command=texts[1])
        return " && ".join(filter(None, texts))

    def ended(self, names: Sequence[str], region: str) -> str:
        """The command that ends when some of this kind, which end already, are gone."""
        return f"{self.wait.format(name=shlex.join(names))} --region {region}"


def is_in_use(volume: Mapping[str, Any]) -> bool:
    """Whether a volume is attached: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html."""
    return volume.get("State") == "in-use"


def is_associated(address: Mapping[str, Any]) -> bool:
    """Whether something has an address: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html."""
    return "AssociationId" in address
