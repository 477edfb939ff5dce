"""Whether policies of others take away directory buckets that ours leave, or leave some that ours take away.

Judged as AWS judges calls: of an ordinary role of an account, on a bucket and an access point of each zone. What is not
known of such a call, as where it comes from, denies nothing here.

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/iam-directory-bucket-LZ.html
- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3express.html
"""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from stacks.guardrails.actions import DIRECTORY_BUCKETS, LAUNCH
from stacks.guardrails.judge import UNKNOWN, Json, Request, Value, judge
from stacks.guardrails.theirs import ANYBODY, Accounts, Theirs

CREATE, SESSION = DIRECTORY_BUCKETS
NO_ZONE = "none1-nil1-az1"
"""The id of no zone, as a list of zones does not name it."""
ANY_ACCOUNT = "000000000000"
"""An account that no policy names: the next one of a unit that has none."""
OF_A_SERVICE = ("CalledVia", "CalledViaFirst", "CalledViaLast", "PrincipalServiceName", "PrincipalServiceNamesList")
OF_A_SOURCE = ("SourceAccount", "SourceArn", "SourceOrgID", "SourceOrgPaths")
ABSENT = tuple(f"aws:{key}" for key in (*OF_A_SERVICE, *OF_A_SOURCE, "PrincipalTag/*"))
"""Keys that a call of an ordinary role does not have: no service calls for it, and it has no tags.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
OTHERWISE = ("lambda:InvokeFunction", "rds:CreateDBInstance", "sqs:SendMessage")
"""Where nobody may launch anything, nor do most of these, the account or Region is closed."""
_LETTERS = {"northeast": "ne", "southeast": "se", "northwest": "nw", "southwest": "sw"}


@dataclass(frozen=True)
class Caller:
    """An ordinary role.

    Attributes:
        path: its place in the organization, as aws:PrincipalOrgPaths has it.
    """

    account: str
    partition: str
    path: str

    @cached_property
    def keys(self) -> dict[str, Value]:
        """The keys of its calls; of those that are not named here nothing is known."""
        organization = self.path.split("/", 1)[0]
        return {
            "*": UNKNOWN,
            **dict.fromkeys(ABSENT),
            **dict.fromkeys(("aws:PrincipalAccount", "aws:ResourceAccount", "s3express:ResourceAccount"), self.account),
            **dict.fromkeys(("aws:PrincipalOrgID", "aws:ResourceOrgID"), organization),
            **dict.fromkeys(("aws:PrincipalOrgPaths", "aws:ResourceOrgPaths"), (self.path,)),
            **dict.fromkeys(("aws:PrincipalIsAWSService", "aws:ViaAWSService"), "false"),
            "aws:PrincipalType": "AssumedRole",
        }

    def request(self, action: str, region: str, resource: str, **more: Value) -> Request:
        """A call."""
        arn = f"arn:{self.partition}:{action.split(':')[0]}:{region}:{self.account}:{resource}"
        role = f"arn:{self.partition}:iam::{self.account}:role/{ANYBODY}"
        return Request(action, role, {arn: {**self.keys, "aws:RequestedRegion": region, **more}})

    def calls(self, zone: str, region: str, name: str = ANYBODY) -> tuple[Request, ...]:
        """The calls on a bucket and an access point of a zone; only the creation has the zone's id in a key."""
        bucket, absent = f"bucket/{name}--{zone}--x-s3", dict[str, Value]({"s3express:LocationName": None})
        return (
            self.request(CREATE, region, bucket, **{"s3express:LocationName": zone}),
            self.request(SESSION, region, bucket, **absent),
            self.request(SESSION, region, f"accesspoint/{name}--{zone}--xa-s3", **absent),
        )


Find = Callable[..., Iterator[str]]
Places = Mapping[str, Sequence[Theirs]]


@dataclass
class Lists:
    """Our statements about directory buckets, beside those of others.

    Attributes:
        ours: our statements.
        zones: ids of the zones in which ours leave buckets.
        regions: those of the partition.
        organization: its id.
    """

    ours: Sequence[Json]
    zones: Sequence[str]
    regions: Sequence[str]
    partition: str
    organization: str
    _known: dict[Hashable, frozenset[str]] = field(default_factory=dict)

    def clashes(self, reaching: Places) -> set[tuple[str, str]]:
        """Policies and Sids of statements that clash with ours for an account.

        A Region, or account, that is closed for more than buckets is no clash.

        Args:
            reaching: the statements of others at each place from the root to the account, or to a unit without any.
        """
        if not self._is_a_list:
            return set()
        caller = self._caller(tuple(reaching))
        denied, lacking = (self._taken, self._lacking) if self.zones else (self._left, self._named)
        found: list[tuple[Theirs, frozenset[str]]] = []
        for statements in reaching.values():
            allowing = [one for one in statements if one.allows]
            found += [
                (one, self._once(denied, caller, one)) for one in statements if one.is_about_buckets and not one.allows
            ]
            blamed = allowing if self.zones else [one for one in allowing if one.zones and one.is_about_buckets]
            found += [(one, self._once(lacking, caller, *allowing)) for one in blamed]
        return {one.name for one, regions in found if any(not _closed(reaching, caller, region) for region in regions)}

    def _caller(self, line: Sequence[str]) -> Caller:
        units = [place for place in line if not place.isdigit()]
        account = line[-1] if line[-1].isdigit() else ANY_ACCOUNT
        return Caller(account, self.partition, "/".join([self.organization, *units, ""]))

    @cached_property
    def _is_a_list(self) -> bool:
        """Whether ours deny buckets anywhere."""
        caller = self._caller([ANY_ACCOUNT])
        return any(_denies(self.ours, call) for call in caller.calls(NO_ZONE, self.regions[0]))

    @cached_property
    def _accounts(self) -> Accounts:
        return Accounts.named_in(json.dumps(self.ours))

    def _once(self, find: Find, caller: Caller, *theirs: Theirs) -> frozenset[str]:
        """What is found, once for all callers to whom the statements say the same."""
        told_apart = (
            each.key(caller.account, caller.path) for each in (self._accounts, *(one.accounts for one in theirs))
        )
        key = (find.__name__, theirs, *told_apart)
        if key not in self._known:
            self._known[key] = frozenset(find(caller, *theirs))
        return self._known[key]

    def _taken(self, caller: Caller, theirs: Theirs) -> Iterator[str]:
        """Regions of our zones in which a statement denies every bucket, whatever its name, that ours leave."""
        for zone in self.zones:
            region = self._region(zone)
            for alike in _alike(caller, zone, region, theirs):
                if _all_denied([theirs.statement], alike) and not _denies(self.ours, alike[0]):
                    yield region

    def _left(self, caller: Caller, theirs: Theirs) -> Iterator[str]:
        """Regions of zones that a statement names, and leaves alone, where ours deny all."""
        for zone in theirs.zones:
            region = self._region(zone)
            elsewhere = caller.calls(NO_ZONE, region)
            for call, alike in zip(elsewhere, _alike(caller, zone, region, theirs), strict=True):
                left = [each for each in alike if not _denies([theirs.statement], each)]
                if _denies([theirs.statement], call) and any(_denies(self.ours, each) for each in left):
                    yield region

    def _lacking(self, caller: Caller, *allowing: Theirs) -> Iterator[str]:
        """Regions of our zones in which none of a place's statements allows a bucket that ours leave.

        "For a permission to be allowed for a specific account, there must be an explicit Allow statement at every
        level from the root": https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
        """
        for zone in self.zones:
            region = self._region(zone)
            for alike in _alike(caller, zone, region, *allowing):
                if not any(_allowed(allowing, call) for call in alike) and not _denies(self.ours, alike[0]):
                    yield region

    def _named(self, caller: Caller, *allowing: Theirs) -> Iterator[str]:
        """Regions of zones that a place's statements name and allow, and no other zone, where ours deny all."""
        for zone in sorted({zone for one in allowing for zone in one.zones}):
            region = self._region(zone)
            elsewhere = caller.calls(NO_ZONE, region)
            for call, alike in zip(elsewhere, _alike(caller, zone, region, *allowing), strict=True):
                left = [each for each in alike if _allowed(allowing, each)]
                if not _allowed(allowing, call) and any(_denies(self.ours, each) for each in left):
                    yield region

    def _region(self, zone: str) -> str:
        """The Region of a zone by its id, which begins with a short name of it: usw2-lax1-az1, apne1-az4."""
        found = (region for region in self.regions if _short(region) == zone.split("-")[0])
        return next(found, self.regions[0])


def _short(region: str) -> str:
    """https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html"""
    first, *directions, number = region.split("-")
    return "".join([first, *(_LETTERS.get(part, part[0]) for part in directions), number])


def _alike(caller: Caller, zone: str, region: str, *theirs: Theirs) -> list[tuple[Request, ...]]:
    """For each call on a zone's buckets the same one with each name that statements may know; first, any name."""
    names = dict.fromkeys(name for one in theirs for name in one.names(caller.keys))
    return list(zip(*(caller.calls(zone, region, name) for name in names), strict=True))


def _closed(reaching: Places, caller: Caller, region: str) -> bool:
    """Whether a caller may not do much else in a Region either."""
    denying = [one.statement for statements in reaching.values() for one in statements if not one.allows]
    allowing = [ones for statements in reaching.values() if (ones := [one for one in statements if one.allows])]

    def closed(action: str) -> bool:
        call = caller.request(action, region, ANYBODY)
        return _denies(denying, call) or not all(_allowed(ones, call) for ones in allowing)

    return closed(LAUNCH) and sum(map(closed, OTHERWISE)) > len(OTHERWISE) / 2


def _denies(statements: Sequence[Json], call: Request) -> bool:
    return judge([{"Statement": statements}], call).decision == "denied"


def _all_denied(statements: Sequence[Json], calls: Sequence[Request]) -> bool:
    return all(_denies(statements, call) for call in calls)


def _allowed(allowing: Sequence[Theirs], call: Request) -> bool:
    """Whether a statement allows a call, or may: the judge says "denied" of what a statement is about."""
    return judge([{"Statement": [one.statement for one in allowing]}], call).decision != "passes"
