"""The guardrails as statements. Pure: settings in, statements out; a partition is a placeholder until it is known.

What a condition key means that a request does not have, statement by statement (AWS: a missing key makes a condition
false, a negated one and ForAllValues true, and Null tests for it):

- subnets: an instance or interface whose subnet, zone or tag EC2 does not tell is denied;
- snapshots that leave the zone: a snapshot without Location is denied, since regional is the default; one without
  SourceAvailabilityZone passes, because nothing says that it comes from the zone;
- snapshots of an Outpost: one without SourceOutpostArn passes, it is of the Region; one without OutpostArn is denied;
- exempt principals: a request without aws:PrincipalArn is not exempt.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stacks.guardrails import actions
from stacks.guardrails.judge import like

if TYPE_CHECKING:
    from stacks.guardrails.settings import GuardrailSettings

PARTITION = "${Partition}"
SNAPSHOTS = f"arn:{PARTITION}:ec2:*::snapshot/*"
INTERFACES = f"arn:{PARTITION}:ec2:*:*:network-interface/*"
SUBNETS = f"arn:{PARTITION}:ec2:*:*:subnet/*"
VOLUMES = f"arn:{PARTITION}:ec2:*:*:volume/*"
BUCKETS = f"arn:{PARTITION}:s3:::*"
ACCESS_POINTS = f"arn:{PARTITION}:s3:*:*:accesspoint/*"
OF_DIRECTORY_BUCKETS = (
    f"arn:{PARTITION}:s3express:*:*:bucket/*--@--x-s3",
    f"arn:{PARTITION}:s3express:*:*:accesspoint/*--@--xa-s3",
)
"""Directory buckets and their access points, whose names end with the id of their zone, which stands at @.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/iam-directory-bucket-LZ.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-directory-buckets-restrictions-limitations-naming-rules.html"""

Condition = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """One Deny.

    Attributes:
        resources: what it is about; empty: everything but *others*.
        allow_list: it denies all but what its condition, or *others*, lists. Split over two policies, two such lists
            would leave only what is in both, so it stays whole.
        targets: it is for these only; empty: for all.
        exempt: principals that this one does not reach, beside those of all.
        others: without *resources*, the resources that it is not about.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Condition = field(default_factory=dict)
    allow_list: bool = False
    targets: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def exempting(self, principals: tuple[str, ...]) -> Statement:
        """The same, for everybody but these principals."""
        principals = (*principals, *self.exempt)
        if not principals:
            return self
        return replace(self, condition={**self.condition, "ArnNotLike": {"aws:PrincipalArn": list(principals)}})

    def document(self) -> dict[str, Any]:
        """The statement as IAM wants it."""
        written: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Deny",
            "Action": _one_or_many(self.actions),
            **({"Resource": _one_or_many(self.resources)} if self.resources else {"NotResource": list(self.others)}),
        }
        return {**written, "Condition": dict(self.condition)} if self.condition else written


def _one_or_many(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def transfer(settings: GuardrailSettings) -> Iterator[Statement]:
    """The three statements of both posts against copies in the Region and transfers to it."""
    if settings.switched_on("DenyCopyToRegion"):
        yours = settings.extra_actions.get("DenyCopyToRegion", ())
        copies = _actions(settings, "DenyCopyToRegion", actions.COPY_TO_REGION)
        copies = tuple(action for action in copies if action not in settings.allowed_copies or action in yours)
        if settings.services_in_zone is not None:
            kept = actions.MOVERS | set(settings.services_in_zone)
            copies = tuple(action for action in copies if actions.service_of(action) in kept or action in yours)
        if settings.block_log_delivery:
            copies += actions.LOG_DELIVERY
        if copies:
            yield Statement("DenyCopyToRegion", copies)
    if settings.switched_on("DenyDirectTransferToRegion"):
        yield from _direct_transfer(settings)
    if settings.switched_on("DenyPutObjectToRegionalBuckets"):
        denied = _actions(settings, "DenyPutObjectToRegionalBuckets", actions.PUT_OBJECT)
        # A call by way of an access point is judged on the ARN of that, which the post's resource does not match.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
        where = (BUCKETS, ACCESS_POINTS) if settings.modern_actions else (BUCKETS,)
        exempt = _publishing(settings, "DenyPutObjectToRegionalBuckets")
        yield Statement("DenyPutObjectToRegionalBuckets", denied, where, exempt=exempt)
    if settings.protect_exempt_roles:
        # Those that are exempt from one statement too: their names alone are what exempts them.
        publishing = tuple(role for sid in actions.PUBLISHING_ROLES for role in _publishing(settings, sid))
        roles = tuple(arn for arn in (*settings.exempt_everywhere, *publishing) if ":role/" in arn)
        if roles:
            # As the exemptions: a resource takes a wildcard for its partition too, as in Control Tower's own policies
            # (https://docs.aws.amazon.com/controltower/latest/controlreference/ct-backup-pv-3.html).
            yield Statement("DenyExemptRoleChanges", actions.ROLE_CHANGES, roles)


def _direct_transfer(settings: GuardrailSettings) -> Iterator[Statement]:
    """The post's statement; what some may do, or may be done in the zone, is apart from the rest of it.

    The role that publishes images is exempt from what publishes them only. A session of a directory bucket has no
    condition key that tells the zone, and the bucket's ARN ends with it.
    """
    sid = "DenyDirectTransferToRegion"
    denied = _actions(settings, sid, actions.DIRECT_TRANSFER_TO_REGION)
    publishing = _publishing(settings, f"{sid}Images")
    images = tuple(action for action in denied if publishing and action in actions.PUBLISH_IMAGES)
    buckets = tuple(action for action in denied if settings.bucket_zones and _is_about_buckets(action))
    yield Statement(sid, tuple(action for action in denied if action not in (*images, *buckets)))
    if images:
        yield Statement(f"{sid}Images", images, exempt=publishing)
    if buckets:
        others = tuple(arn.replace("@", zone) for zone in settings.bucket_zones for arn in OF_DIRECTORY_BUCKETS)
        yield Statement(f"{sid}Buckets", buckets, (), allow_list=True, others=others)


def _is_about_buckets(action: str) -> bool:
    """Whether an action, which extra_actions may write with wildcards, is one on directory buckets."""
    return any(like(action.lower(), one.lower()) for one in actions.DIRECTORY_BUCKETS)


def all_snapshots(settings: GuardrailSettings) -> Iterator[Statement]:
    """Every snapshot in every zone, on every Outpost and in the Region."""
    denied = _actions(settings, "DenyAllSnapshots", actions.CREATE_SNAPSHOTS + actions.MOVE_SNAPSHOTS)
    yield Statement("DenyAllSnapshots", denied, (SNAPSHOTS,))


def snapshots_leaving(settings: GuardrailSettings, zones: tuple[str, ...]) -> Iterator[Statement]:
    """Snapshots of the zones' volumes that are not stored in the zone; and copies and shares, wherever from.

    AWS's example has two statements, one for a Location of regional and one for none; "not local" says both:
    https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-localzones.html#dlz-enforce-residency-snapshot
    EC2 lists no key that tells a copy from the zone to the Region from another copy, so that all copies are denied.
    Sharing has ec2:AvailabilityZone, which AWS's example asks too; a snapshot of which it is absent may be shared.
    """
    condition: Condition = {
        "StringEquals": {"ec2:SourceAvailabilityZone": list(zones)},
        "StringNotEquals": {"ec2:Location": "local"},
    }
    yield Statement("DenyAllSnapshots", actions.CREATE_SNAPSHOTS, (SNAPSHOTS,), condition)
    denied = _actions(settings, "DenyAllSnapshots", ("ec2:CopySnapshot",))
    yield Statement("DenyAllSnapshotsCopies", denied, (SNAPSHOTS,))
    of_zones = {"StringEquals": {"ec2:AvailabilityZone": list(zones)}}
    yield Statement("DenyAllSnapshotsSharing", ("ec2:ModifySnapshotAttribute",), (SNAPSHOTS,), of_zones)


def outpost_snapshots(
    settings: GuardrailSettings, pattern: str, *, all_sharing: bool, copies: bool
) -> Iterator[Statement]:
    """Snapshots of an Outpost's volumes stored in the Region; copies to an Outpost and shares of what is on it.

    A snapshot on an Outpost cannot be copied, so that the copy which has ec2:OutpostArn is one of the Region to an
    Outpost (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html): nothing leaves by it, and
    the post's statement denies it all the same, unless *copies* are allowed.

    AWS's list names ec2:OutpostArn for CopySnapshot and not for ModifySnapshotAttribute, which the post joins in one
    statement: sharing passes if EC2 does not tell it, unless *all_sharing* is denied.
    """
    if settings.switched_on("DenySnapshotsToRegion"):
        condition: Condition = {"ArnLike": {"ec2:SourceOutpostArn": pattern}, "Null": {"ec2:OutpostArn": "true"}}
        denied = _actions(settings, "DenySnapshotsToRegion", actions.CREATE_SNAPSHOTS)
        yield Statement("DenySnapshotsToRegion", denied, (SNAPSHOTS,), condition)
    if settings.switched_on("DenySnapshotsNotOutposts"):
        posted = ("ec2:ModifySnapshotAttribute",) if copies else actions.MOVE_SNAPSHOTS
        denied = _actions(settings, "DenySnapshotsNotOutposts", posted)
        yield Statement("DenySnapshotsNotOutposts", denied, (SNAPSHOTS,), {"ArnLike": {"ec2:OutpostArn": pattern}})
        if all_sharing:
            yield Statement("DenySnapshotsNotOutpostsSharing", ("ec2:ModifySnapshotAttribute",), (SNAPSHOTS,))


def subnets(settings: GuardrailSettings, sid: str, zones: tuple[str, ...] = ()) -> Iterator[Statement]:
    """Instances and interfaces anywhere but in the subnets, the zones, or the subnets with the tag; and volumes.

    AWS's list names ec2:Subnet for RunInstances and not for CreateNetworkInterface, which the posts join in one
    statement; it names the zone, the id and the tags of the subnet for both, on the resource ``subnet``. A launch that
    names no subnet is not judged on that resource, hence the statements on the interface. The name of a condition key
    is not case-sensitive, so that a tag ``Residency`` fits ``aws:ResourceTag/residency``; its protection fits it too.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourcetag
    """
    elsewhere: Condition = {"StringNotEquals": {"ec2:AvailabilityZone": list(zones)}}
    if zones and settings.modern_actions:
        yield Statement(f"{sid}Volume", ("ec2:CreateVolume",), (VOLUMES,), elsewhere, allow_list=True)
    if settings.subnet_condition == "zone":
        launch = _actions(settings, sid, (actions.LAUNCH,))
        yield Statement(sid, launch, (INTERFACES,), elsewhere, allow_list=True)
        yield Statement(f"{sid}Interface", (actions.ATTACH,), (SUBNETS,), elsewhere, allow_list=True)
    elif settings.subnet_tag:
        tag = settings.subnet_tag
        both = _actions(settings, sid, (actions.LAUNCH, actions.ATTACH))
        untagged = {"StringNotEquals": {f"aws:ResourceTag/{tag.key}": tag.value}}
        yield Statement(sid, both, (SUBNETS,), untagged, allow_list=True)
        yield Statement(f"{sid}None", (actions.LAUNCH,), (INTERFACES,), {"Null": {"ec2:Subnet": "true"}})
        tagging = {"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": [tag.key]}}
        yield Statement(f"{sid}Tag", ("ec2:CreateTags", "ec2:DeleteTags"), (SUBNETS,), tagging)
    elif settings.subnets_by_target:
        for target, arns in settings.subnets_by_target.items():
            yield from _listed(settings, sid, arns, (target,))
    elif settings.subnets:
        yield from _listed(settings, sid, settings.subnets, ())


def _listed(
    settings: GuardrailSettings, sid: str, arns: tuple[str, ...], targets: tuple[str, ...]
) -> Iterator[Statement]:
    elsewhere = {"ForAllValues:ArnNotEquals": {"ec2:Subnet": list(arns)}}
    if settings.subnet_condition == "arn":
        both = _actions(settings, sid, (actions.LAUNCH, actions.ATTACH))
        yield Statement(sid, both, (INTERFACES,), elsewhere, True, targets)
        return
    ids = [arn.rsplit("/", 1)[-1] for arn in arns]
    launch = _actions(settings, sid, (actions.LAUNCH,))
    yield Statement(sid, launch, (INTERFACES,), elsewhere, True, targets)
    not_listed = {"StringNotEquals": {"ec2:SubnetID": ids}}
    yield Statement(f"{sid}Interface", (actions.ATTACH,), (SUBNETS,), not_listed, True, targets)


def _actions(settings: GuardrailSettings, sid: str, posted: tuple[str, ...]) -> tuple[str, ...]:
    modern = actions.MODERN.get(sid, ()) if settings.modern_actions else ()
    return tuple(dict.fromkeys((*posted, *modern, *settings.extra_actions.get(sid, ()))))


def _publishing(settings: GuardrailSettings, sid: str) -> tuple[str, ...]:
    return () if settings.bootstrap_roles == "none" else (actions.PUBLISHING_ROLES[sid],)
