"""A statement of a policy that is not ours, and what its text names: zones, accounts, names of buckets."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from stacks.guardrails.actions import DIRECTORY_BUCKETS
from stacks.guardrails.judge import (
    ANY_RESOURCE,
    NO_SID,
    UNKNOWN,
    Json,
    Request,
    Value,
    filled,
    judge,
    many,
)

ANYBODY = "anybody-0x"
"""The name of a bucket, or role, that no policy names."""
# Ids of zones in the names of buckets and in the values of s3express:LocationName, as in usw2-lax1-az1 and use1-az4.
_ZONE = re.compile(r"(?<![a-z0-9])[a-z]{2,6}\d(?:-[a-z]{3}\d)?-az\d+(?![a-z0-9])")
_PLACES = re.compile("OrgPaths", re.IGNORECASE)
_PARTS_OF_ACCOUNTS = re.compile(r"\d[*?]|[*?]\d")


@dataclass(frozen=True)
class Accounts:
    """Which accounts a text tells apart: those that it names; each, by parts of their ids; each place, by its path."""

    ids: frozenset[str]
    each: bool
    places: bool

    @classmethod
    def named_in(cls, text: str) -> Self:
        """Those of a text."""
        ids = frozenset(re.findall(r"\d{12}", text))
        return cls(ids, _PARTS_OF_ACCOUNTS.search(text) is not None, _PLACES.search(text) is not None)

    def key(self, account: str, path: str) -> tuple[str, str]:
        """The same for accounts to which the text says the same."""
        return (account if self.each or account in self.ids else "", path if self.places else "")


@dataclass(frozen=True, eq=False)
class Theirs:
    """A statement.

    Attributes:
        policy: the name of its policy.
    """

    policy: str
    statement: Json

    @property
    def name(self) -> tuple[str, str]:
        """Its policy's name and its Sid."""
        return self.policy, self.statement.get("Sid") or NO_SID

    @property
    def allows(self) -> bool:
        """Whether it is an Allow, and no Deny."""
        return bool(self.statement["Effect"] == "Allow")

    @cached_property
    def is_about_buckets(self) -> bool:
        """Whether it denies, or allows, what is done with directory buckets, wherever and to whom."""
        return is_about_buckets(self.statement)

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Ids of zones that it names; those with a wildcard in them are not seen."""
        return tuple(sorted(set(_ZONE.findall(self._text))))

    @cached_property
    def accounts(self) -> Accounts:
        """Which accounts it tells apart."""
        return Accounts.named_in(self._text)

    def names(self, keys: Mapping[str, Value]) -> tuple[str, ...]:
        """A name of a bucket that it does not know, and names that its ARNs ask for, by the keys of a call."""
        found = [ANYBODY]
        for pattern in many(self.statement.get("NotResource", self.statement.get("Resource", []))):
            resource = (filled(pattern, keys) or "").split(":", 5)[-1]
            base = resource.rpartition("/")[2].split("--")[0]
            # An id of a zone among wildcards alone, as *usw2-lax1-az1*, is a list of zones and no rule of names.
            if not (base[:1] in "*?" and _ZONE.fullmatch(base.strip("*?-"))):
                part = base.replace("?", "a")
                found += [part.replace("*", ""), part.replace("*", ANYBODY)]
        return tuple(dict.fromkeys(name for name in found if name))

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.statement)


def is_about_buckets(statement: Json) -> bool:
    """Whether a statement denies, or allows, what is done with directory buckets, wherever and to whom."""
    calls = (Request(action, None, {ANY_RESOURCE: {"*": UNKNOWN}}) for action in DIRECTORY_BUCKETS)
    found = (judge([{"Statement": [statement]}], call).decision for call in calls)
    return any(decision != "passes" for decision in found)
