"""Statements as service control policies that fit the limits. No AWS in here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from stacks.guardrails.statements import PARTITION, Statement

# The longest name of a partition; a policy is measured with it where only the deployment knows the partition.
LONGEST_PARTITION = "aws-us-gov"
LONGEST_NAME = 128
"""https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html"""


class TooLongError(ValueError):
    """A statement does not fit into a policy and must not, or cannot, be split; the message says what would help.

    Attributes:
        setting: whose values are too many; empty: those of the subnets.
    """

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


@dataclass(frozen=True)
class Policy:
    """One service control policy.

    Attributes:
        id: of its construct; part of its name.
        targets: it is for these only; empty: for all.
    """

    id: str
    statements: tuple[Statement, ...]
    targets: tuple[str, ...] = ()

    def name(self, stack: str) -> str:
        """Organizations wants a name, and makes none; two copies of a stack differ by their prefix.

        One that is too long, as with the longest ids of units, ends with a hash of what it would be.
        """
        words = "-".join(re.findall("[A-Z0-9][a-z0-9]*", self.id)).lower()
        whole = f"{stack}-{words}"
        if len(whole) <= LONGEST_NAME:
            return whole
        return f"{whole[: LONGEST_NAME - 9]}-{sha256(whole.encode()).hexdigest()[:8]}"

    @property
    def about(self) -> str:
        """Its description."""
        sids = ", ".join(statement.sid for statement in self.statements)
        return f"Data residency: {sids}" + (f" (for {', '.join(self.targets)} only)" if self.targets else "")

    def text(self, partition: str = PARTITION) -> str:
        """Minified JSON."""
        document = {"Version": "2012-10-17", "Statement": [statement.document() for statement in self.statements]}
        return json.dumps(document, separators=(",", ":")).replace(PARTITION, partition)

    def characters(self, partition: str | None) -> int:
        """Its length in a partition; None: in the one with the longest name."""
        return len(self.text(partition or LONGEST_PARTITION))

    def is_for(self, target: str) -> bool:
        """Whether it belongs to a target."""
        return not self.targets or target in self.targets


def policies(
    groups: Mapping[str, Iterable[Statement]], exempt: tuple[str, ...], most: int, partition: str | None
) -> tuple[Policy, ...]:
    """The policies of groups of statements: one for each group and target, or as many as its length takes.

    Args:
        groups: statements by the id of their policy.
        exempt: principals that no statement reaches.
        most: characters of one policy.

    Raises:
        TooLongError: a statement does not fit.
    """
    found: list[Policy] = []
    for group, members in groups.items():
        by_targets: dict[tuple[str, ...], list[Statement]] = {}
        for statement in members:
            by_targets.setdefault(statement.targets, []).append(statement.exempting(exempt))
        for targets, statements in by_targets.items():
            name = group + "".join(part.capitalize() for target in targets for part in target.split("-"))
            parts = _fill(_fitting(statements, most, partition), most, partition)
            numbered = [(f"{name}{number}" if number > 1 else name, part) for number, part in enumerate(parts, 1)]
            found += [Policy(policy_id, tuple(part), targets) for policy_id, part in numbered]
    return tuple(found)


def _fitting(statements: Sequence[Statement], most: int, partition: str | None) -> Iterator[Statement]:
    """The statements, those that are too long split by action: "deny A or B" is "deny A" and "deny B"."""
    for statement in statements:
        if _characters([statement], partition) <= most:
            yield statement
            continue
        if statement.allow_list:
            raise TooLongError(_refusal(statement, most, partition), "zone_ids" if statement.others else "")
        taken: list[str] = []
        number = 1
        for action in statement.actions:
            if _characters([_part(statement, [action], number)], partition) > most:
                length = _characters([_part(statement, [action], number)], partition)
                raise TooLongError(
                    f"{statement.sid} takes {length} characters with a single action, a policy {most}; "
                    "shorten exempt_principal_arns"
                )
            if _characters([_part(statement, [*taken, action], number)], partition) > most:
                yield _part(statement, taken, number)
                taken, number = [], number + 1
            taken.append(action)
        yield _part(statement, taken, number)


def _part(statement: Statement, taken: list[str], number: int) -> Statement:
    sid = f"{statement.sid}{number}" if number > 1 else statement.sid
    return replace(statement, sid=sid, actions=tuple(taken))


def _fill(statements: Iterable[Statement], most: int, partition: str | None) -> Iterator[list[Statement]]:
    """The statements in their order, as many in a policy as fit."""
    begun: list[Statement] = []
    for statement in statements:
        if begun and _characters([*begun, statement], partition) > most:
            yield begun
            begun = []
        begun.append(statement)
    if begun:
        yield begun


def _characters(statements: Sequence[Statement], partition: str | None) -> int:
    return Policy("", tuple(statements)).characters(partition)


def _refusal(statement: Statement, most: int, partition: str | None) -> str:
    length = _characters([statement], partition)
    if statement.others:
        return (
            f"{statement.sid} takes {length} characters, a policy {most}, and it is never split: two lists of allowed "
            "buckets leave only what is in both. Remove zones and their ids, or shorten exempt_principal_arns"
        )
    return (
        f"{statement.sid} takes {length} characters, a policy {most}, and it is never split: two lists of allowed "
        "subnets leave only what is in both. Give each target its own subnets (subnets_by_target), write * for Region "
        "and account in the ARNs, or set subnet_condition to a shorter condition ('zone' or 'tag')"
    )
