"""Whether policies of others take away directory buckets that ours leave, or leave some that ours take away.

Judged as AWS judges calls: of an ordinary role of an account, on a bucket and an access point of each zone. What is not
known of such a call, as where it comes from, denies nothing here.

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/iam-directory-bucket-LZ.html
- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3express.html
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from stacks.guardrails.actions import DIRECTORY_BUCKETS, LAUNCH
from stacks.guardrails.judge import ANY_RESOURCE, NO_SID, UNKNOWN, Json, Request, Value, judge

CREATE, SESSION = DIRECTORY_BUCKETS
NO_ZONE = "none1-nil1-az1"
"""The id of no zone, as a list of zones does not name it."""
ANY_ACCOUNT = "000000000000"
"""An account that no policy names: the next one of a unit that has none."""
ANYBODY = "anybody-0x"
"""The name of a bucket, or role, that no policy names."""
OF_A_SERVICE = ("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:PrincipalServiceName")
ABSENT = (*OF_A_SERVICE, "aws:PrincipalTag/*", "aws:SourceAccount", "aws:SourceArn")
"""Keys that a call of an ordinary role does not have: no service calls for it, and it has no tags.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
OTHERWISE = (LAUNCH, "lambda:InvokeFunction", "sqs:SendMessage")
"""Nobody may do any of these whose account or Region is closed."""
# Ids of zones in the names of buckets and in the values of s3express:LocationName, as in usw2-lax1-az1 and use1-az4.
_ZONE = re.compile(r"(?<![a-z0-9])[a-z]{2,6}\d(?:-[a-z]{3}\d)?-az\d+(?![a-z0-9])")
_REGION = re.compile(r"(?<![a-z-])[a-z]{2}(?:-[a-z]+)+-\d(?![\w-])")
_NAME = re.compile(r"(?:bucket|accesspoint)/([a-z0-9.-]+?)(?:--|[*?$\"])")
_DIFFERS = re.compile(r"\d{12}|\$\{|aws:Principal(?!Arn)|Resource(?:Account|Org)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Theirs:
    """A statement of a policy that is not ours."""

    policy: str
    statement: Json

    @property
    def name(self) -> tuple[str, str]:
        """Its policy's name and its Sid."""
        return self.policy, self.statement.get("Sid") or NO_SID

    @cached_property
    def denies_buckets(self) -> bool:
        """Whether it denies what is done with directory buckets, wherever and to whom."""
        return is_about_buckets(self.statement)

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Ids of zones that it names."""
        return tuple(sorted(set(_ZONE.findall(self._text))))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions that it names."""
        return tuple(sorted(set(_REGION.findall(self._text))))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of buckets that it may leave, and one that it does not know."""
        begun = sorted(set(_NAME.findall(self._text)))
        return (ANYBODY, *begun, *(f"{part}{ANYBODY}" for part in begun))

    @cached_property
    def may_differ(self) -> bool:
        """Whether its answer may depend on the account."""
        return _DIFFERS.search(self._text) is not None

    @cached_property
    def _text(self) -> str:
        return json.dumps(self.statement)


@dataclass(frozen=True)
class Caller:
    """An ordinary role.

    Attributes:
        path: its place in the organization, as aws:PrincipalOrgPaths has it.
    """

    account: str
    partition: str
    path: str

    def request(self, action: str, service: str, region: str, resource: str, **more: Value) -> Request:
        """A call; of keys that are not named here nothing is known."""
        organization = self.path.split("/", 1)[0]
        keys: dict[str, Value] = {
            "*": UNKNOWN,
            **dict.fromkeys(ABSENT),
            **dict.fromkeys(("aws:PrincipalAccount", "aws:ResourceAccount", "s3express:ResourceAccount"), self.account),
            **dict.fromkeys(("aws:PrincipalOrgID", "aws:ResourceOrgID"), organization),
            **dict.fromkeys(("aws:PrincipalOrgPaths", "aws:ResourceOrgPaths"), (self.path,)),
            **dict.fromkeys(("aws:PrincipalIsAWSService", "aws:ViaAWSService"), "false"),
            "aws:PrincipalType": "AssumedRole",
            "aws:RequestedRegion": region,
            **more,
        }
        arn = f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"
        return Request(action, f"arn:{self.partition}:iam::{self.account}:role/{ANYBODY}", {arn: keys})

    def calls(self, zone: str, region: str, name: str = ANYBODY) -> tuple[Request, ...]:
        """The calls on a bucket and an access point of a zone; only the creation has the zone's id in a key."""
        bucket, absent = f"bucket/{name}--{zone}--x-s3", dict[str, Value]({"s3express:LocationName": None})
        return (
            self.request(CREATE, "s3express", region, bucket, **{"s3express:LocationName": zone}),
            self.request(SESSION, "s3express", region, bucket, **absent),
            self.request(SESSION, "s3express", region, f"accesspoint/{name}--{zone}--xa-s3", **absent),
        )


Find = Callable[..., Iterator[str]]


@dataclass
class Lists:
    """Our statements about directory buckets, beside those of others.

    Attributes:
        ours: our statements.
        zones: the Regions of the zones in which ours leave buckets, by the zones' ids.
        region: where ours are deployed.
        organization: its id.
    """

    ours: Sequence[Json]
    zones: Mapping[str, str]
    region: str
    partition: str
    organization: str
    _known: dict[tuple[Theirs, ...], frozenset[str]] = field(default_factory=dict)

    def clashes(self, reaching: Mapping[str, Sequence[Theirs]]) -> set[tuple[str, str]]:
        """Policies and Sids of statements that clash with ours for an account.

        A Region, or account, that is closed for more than buckets is no clash.

        Args:
            reaching: the statements of others at each place from the root to the account, or to a unit without any.
        """
        if not self._is_a_list:
            return set()
        caller = self._caller(tuple(reaching))
        theirs = [one for statements in reaching.values() for one in statements]
        judged = self._taken if self.zones else self._left
        found = [(one, self._once(judged, caller, one)) for one in theirs if one.denies_buckets]
        for statements in reaching.values():
            allowing = [one for one in statements if one.statement["Effect"] == "Allow"]
            found += [(one, self._once(self._lacking, caller, *allowing)) for one in allowing]
        return {one.name for one, regions in found if any(not _closed(reaching, caller, region) for region in regions)}

    def _caller(self, line: Sequence[str]) -> Caller:
        units = [place for place in line if not place.isdigit()]
        account = line[-1] if line[-1].isdigit() else ANY_ACCOUNT
        return Caller(account, self.partition, "/".join([self.organization, *units, ""]))

    @cached_property
    def _is_a_list(self) -> bool:
        """Whether ours deny buckets anywhere."""
        caller = self._caller([ANY_ACCOUNT])
        return any(_denies(self.ours, call) for call in caller.calls(NO_ZONE, self.region))

    def _once(self, find: Find, caller: Caller, *theirs: Theirs) -> frozenset[str]:
        """What is found, once for all callers where the statements say the same to each."""
        if any(one.may_differ for one in theirs):
            return frozenset(find(caller, *theirs))
        if theirs not in self._known:
            self._known[theirs] = frozenset(find(caller, *theirs))
        return self._known[theirs]

    def _taken(self, caller: Caller, theirs: Theirs) -> Iterator[str]:
        """Regions of our zones in which a statement denies every bucket, whatever its name, that ours leave."""
        for zone, region in self.zones.items():
            for number, call in enumerate(caller.calls(zone, region)):
                alike = [caller.calls(zone, region, name)[number] for name in theirs.names]
                if not _denies(self.ours, call) and all(_denies([theirs.statement], each) for each in alike):
                    yield region

    def _left(self, caller: Caller, theirs: Theirs) -> Iterator[str]:
        """Regions of zones that a statement names, and leaves alone, where ours deny all."""
        for zone, region in product(theirs.zones, {self.region, *theirs.regions}):
            for number, call in enumerate(caller.calls(NO_ZONE, region)):
                alike = [caller.calls(zone, region, name)[number] for name in theirs.names]
                left = [each for each in alike if not _denies([theirs.statement], each)]
                if _denies([theirs.statement], call) and any(_denies(self.ours, each) for each in left):
                    yield region

    def _lacking(self, caller: Caller, *allowing: Theirs) -> Iterator[str]:
        """Regions of zones whose buckets none of a place's statements allows.

        "For a permission to be allowed for a specific account, there must be an explicit Allow statement at every
        level from the root":
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
        """
        statements = [one.statement for one in allowing]
        for zone, region in self.zones.items():
            calls = caller.calls(zone, region)
            if any(not _denies(self.ours, call) and not _may_match(statements, call) for call in calls):
                yield region


def is_about_buckets(statement: Json) -> bool:
    """Whether a statement denies what is done with directory buckets, wherever and to whom."""
    calls = (Request(action, None, {ANY_RESOURCE: {"*": UNKNOWN}}) for action in DIRECTORY_BUCKETS)
    return statement["Effect"] == "Deny" and any(_may_match([statement], call) for call in calls)


def _closed(reaching: Mapping[str, Iterable[Theirs]], caller: Caller, region: str) -> bool:
    """Whether a caller may not do anything else in a Region either."""
    places = [[one.statement for one in statements] for statements in reaching.values()]
    denying = [one for statements in places for one in statements if one["Effect"] == "Deny"]
    allowing = [[one for one in statements if one["Effect"] == "Allow"] for statements in places]

    def closed(action: str) -> bool:
        call = caller.request(action, action.split(":")[0], region, ANYBODY)
        return _denies(denying, call) or not all(_may_match(ones, call) for ones in allowing if ones)

    return all(closed(action) for action in OTHERWISE)


def _denies(statements: Sequence[Json], call: Request) -> bool:
    return judge([{"Statement": statements}], call).decision == "denied"


def _may_match(statements: Sequence[Json], call: Request) -> bool:
    return judge([{"Statement": statements}], call).decision != "passes"
