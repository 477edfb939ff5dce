"""Whether a policy of others takes away directory buckets that ours leave, or ours take away those that it leaves.

Judged as AWS judges calls: of an ordinary role of an account, on a bucket and an access point of each zone. What is not
known of such a call, as where it comes from, denies nothing here.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-security-iam.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from stacks.guardrails.actions import DIRECTORY_BUCKETS, LAUNCH
from stacks.guardrails.judge import ANY_RESOURCE, UNKNOWN, Json, Request, Value, judge, like, many

CREATE, SESSION = DIRECTORY_BUCKETS
NO_ZONE = "none1-nil1-az1"
"""The id of no zone, as a list of zones does not name it."""
ANY_ACCOUNT = "000000000000"
"""An account that no policy names: the next one of a unit that has none."""
ABSENT = ("aws:PrincipalServiceName", "aws:PrincipalTag/*", "aws:SourceAccount", "aws:SourceArn")
"""Keys that a call of an ordinary role does not have: no service calls for it, and it has no tags.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


@dataclass(frozen=True)
class Caller:
    """An ordinary role of an account, in the Region that it calls.

    Attributes:
        zones: the Regions of the zones by their ids.
        region: where the policies are deployed; buckets of no zone are asked for there.
    """

    account: str
    partition: str
    region: str
    zones: Mapping[str, str]

    @cached_property
    def elsewhere(self) -> tuple[Request, ...]:
        """Calls on a bucket and an access point of no zone."""
        return tuple(self._calls(NO_ZONE, self.region))

    @cached_property
    def in_zones(self) -> tuple[tuple[Request, Request], ...]:
        """Calls on a bucket and an access point of each zone, each beside a launch in its Region."""
        return tuple(
            (call, self._launch(region)) for zone, region in self.zones.items() for call in self._calls(zone, region)
        )

    def request(self, action: str, arn: str, region: str, **more: Value) -> Request:
        """A call; of keys that are not named here nothing is known."""
        keys: dict[str, Value] = {
            "*": UNKNOWN,
            **dict.fromkeys(ABSENT),
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalIsAWSService": "false",
            "aws:PrincipalType": "AssumedRole",
            "aws:RequestedRegion": region,
            "aws:ResourceAccount": self.account,
            "aws:ViaAWSService": "false",
            "s3express:ResourceAccount": self.account,
            **more,
        }
        return Request(action, f"arn:{self.partition}:iam::{self.account}:role/example", {arn: MappingProxyType(keys)})

    def _launch(self, region: str) -> Request:
        return self.request(LAUNCH, f"arn:{self.partition}:ec2:{region}:{self.account}:instance/*", region)

    def _calls(self, zone: str, region: str) -> Iterator[Request]:
        arn = f"arn:{self.partition}:s3express:{region}:{self.account}"
        bucket, access_point = f"{arn}:bucket/example--{zone}--x-s3", f"{arn}:accesspoint/example--{zone}--xa-s3"
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3express.html: only the
        # creation has the zone's id.
        yield self.request(CREATE, bucket, region, **{"s3express:LocationName": zone})
        session: dict[str, Value] = {"s3express:LocationName": None}
        yield self.request(SESSION, bucket, region, **session)
        yield self.request(SESSION, access_point, region, **session)


def is_about_buckets(statement: Json) -> bool:
    """Whether a statement denies what is done with directory buckets, wherever and to whom."""
    call = Request("", None, {ANY_RESOURCE: {"*": UNKNOWN}})
    verdicts = (judge([{"Statement": [statement]}], replace(call, action=action)) for action in DIRECTORY_BUCKETS)
    return statement["Effect"] == "Deny" and any(verdict.decision != "passes" for verdict in verdicts)


def clash(ours: Sequence[Json], theirs: Json, caller: Caller) -> bool:
    """Whether a statement of others denies directory buckets of zones that ours leave, or ours those that it leaves.

    Args:
        ours: our statements that are about buckets.
        theirs: one of theirs that is.
    """
    if not any(_denies(ours, call) for call in caller.elsewhere):
        return False  # ours are no list of buckets
    if caller.zones:
        # Where nothing may be launched either, the account or the Region is closed: that is no list of buckets.
        return any(
            _denies([theirs], call) and not _denies(ours, call) and not _denies([theirs], launch)
            for call, launch in caller.in_zones
        )
    if not any(_denies([theirs], call) for call in caller.elsewhere):
        return False
    calls = (
        caller.request(SESSION, _example(pattern, caller), caller.region)
        for pattern in many(theirs.get("NotResource", []))
    )
    return any(
        _denies(ours, call) and not _denies([theirs], call)
        for call in calls
        if all(like("arn:*:s3express:*:*:*", arn) for arn in call.resources)
    )


def _denies(statements: Sequence[Json], call: Request) -> bool:
    return judge([{"Statement": statements}], call).decision == "denied"


def _example(pattern: str, caller: Caller) -> str:
    """An ARN of a pattern."""
    own = pattern.replace("${aws:PrincipalAccount}", caller.account)
    return own.replace("*", "example").replace("?", "0")
