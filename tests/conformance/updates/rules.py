"""The rules over one update: what CloudFormation or a service would refuse, and what would be lost without a word."""

from collections.abc import Callable, Iterator

from tests.conformance.findings import Finding, Rule, Verdict
from tests.conformance.life.keys import administrators
from tests.conformance.updates.model import Json, Update, at, needed, references
from tests.conformance.updates.once import SUBNETS, claims, ranges

GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/"
BEHAVIORS = f"{GUIDE}UserGuide/using-cfn-updating-stacks-update-behaviors.html"
VOLUME = f"{GUIDE}TemplateReference/aws-resource-ec2-volume.html"
PUT_KEY_POLICY = "https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html"
NO_VPC_CHANGE = "https://github.com/hashicorp/terraform-provider-aws/issues/18317"

Said = tuple[str, str, Verdict, str, str, str]
"""Resource, rule, verdict, reason, page, what to do."""

# Where one goes and another comes, what it held is gone: data, an address, a name that others know, capacity.
HOLDS: dict[str, str] = {
    "AWS::CloudWatch::Dashboard": "a dashboard that people have open",
    "AWS::DynamoDB::GlobalTable": "its items",
    "AWS::DynamoDB::Table": "its items",
    "AWS::EC2::CapacityReservation": "capacity that may not be there again",
    "AWS::EC2::EIP": "a public address that others may know",
    "AWS::EC2::InstanceConnectEndpoint": "the endpoint's id",
    "AWS::EC2::Volume": "its data",
    "AWS::ECR::Repository": "its images",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "its DNS name",
    "AWS::S3::Bucket": "its objects",
    "AWS::SecretsManager::Secret": "its value",
    "AWS::SQS::Queue": "its messages",
}
# These go with their feature: a loss only where they are replaced.
GO_WITH_THEIR_FEATURE = {
    "AWS::EC2::CapacityReservation",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::SQS::Queue",
}
KEPT = {"Retain", "RetainExceptOnCreate", "Snapshot"}


def findings(update: Update, where: str) -> list[Finding]:
    """Everything that is wrong with an update. Its rollback is the update the other way round."""
    return sorted({Finding(where, *said) for rule in ALL for said in rule(update)})


def another_type(update: Update) -> Iterator[Said]:
    """CloudFormation refuses another type, or another ServiceToken, under one logical id."""
    for name in update.retyped:
        kinds = f"{update.before[name]['Type']} -> {update.after[name]['Type']}"
        yield name, "another-type", "fails", f"one logical id, {kinds}", BEHAVIORS, "put the kind into the construct id"
    for name in update.both - update.retyped:
        tokens = [side[name].get("Properties", {}).get("ServiceToken") for side in (update.before, update.after)]
        if tokens[0] != tokens[1]:
            yield (
                name,
                "another-service-token",
                "fails",
                "the ServiceToken changes",
                f"{GUIDE}TemplateReference/aws-resource-cloudformation-customresource.html",
                "keep the function, or put it into the construct id",
            )


def collision(update: Update) -> Iterator[Said]:
    """What is new takes what the old still has: a name, an address in use, a place that a parent has once."""
    old = {(kind, key): name for name in update.before for kind, key, _ in claims(update, name, side="before")}
    for name in sorted(update.new - update.stopped):
        for kind, key, page in claims(update, name, side="after"):
            holder = old.get((kind, key))
            if holder is None or _makes_way(update, name, holder):
                continue
            yield name, "collision", "fails", f"{holder} still has {kind} {key[:120]}", page, GO_AROUND
    moved = update.changed - set(update.replaced) - update.stopped
    for name in sorted(moved):
        for kind, key, page in claims(update, name, side="after"):
            holder = old.get((kind, key))
            if holder and holder != name and not _makes_way(update, name, holder):
                yield name, "swap", "unsure", f"{holder} may still have {kind} {key[:120]}", page, GO_AROUND


GO_AROUND = "put what changes into the construct id and keep the key apart, or guard it and name the way"


def _makes_way(update: Update, name: str, holder: str) -> bool:
    """Whether the holder is gone before: deleted first, or by the custom resource that hands its place over."""
    if holder in update.both and holder == name and update.deleted_first(name):
        return True
    return any(update.after.get(dep, {}).get("Type") == "Custom::Handover" for dep in needed(update.after[name]))


def overlap(update: Update) -> Iterator[Said]:
    """A subnet that overlaps one that is still there is refused: InvalidSubnet.Conflict."""
    there = ranges(update, side="before", of=set(update.before))
    for name, (vpc, cidr) in ranges(update, side="after", of=update.new - update.stopped).items():
        for other, (their_vpc, theirs) in there.items():
            if vpc == their_vpc and cidr.overlaps(theirs):
                reason = f"{cidr} overlaps {theirs} of {other}, which is deleted in the clean-up only"
                yield name, "range-overlaps", "fails", reason, SUBNETS, "give it a range that nothing else ever has"


def deleted_first(update: Update) -> Iterator[Said]:
    """What CloudFormation deletes before it makes the new one must have nothing on it that is still there."""
    for name in set(update.replaced) - update.stopped:
        if not update.deleted_first(name):
            continue
        # An order is no hold, but for the gateway: what has public addresses comes after it, and nothing refers to it.
        gateway = update.before[name]["Type"] == "AWS::EC2::VPCGatewayAttachment"
        on_it = sorted(
            other
            for other, resource in update.before.items()
            if name in (needed(resource) if gateway else {one for one, _ in references(resource.get("Properties", {}))})
        )
        if on_it:
            yield (
                name,
                "deleted-first",
                "fails",
                f"it is deleted before the new one is made, and {', '.join(on_it[:3])} is still on it",
                f"{GUIDE}TemplateReference/aws-resource-{'-'.join(update.after[name]['Type'].lower().split('::')[1:])}.html",
                "put what changes into its construct id, or guard it and name the way",
            )


def volume(update: Update) -> Iterator[Said]:
    """A volume takes no other zone, snapshot, key or encryption, not even by replacement, and never shrinks."""
    for name in update.both - update.stopped - update.retyped:
        if update.after[name]["Type"] != "AWS::EC2::Volume":
            continue
        old, new = update.before[name]["Properties"], update.after[name]["Properties"]
        for key in ("AvailabilityZone", "SnapshotId", "KmsKeyId", "Encrypted", "OutpostArn"):
            if old.get(key) != new.get(key):
                yield (
                    name,
                    "volume-property",
                    "fails",
                    f"{key} cannot be changed",
                    VOLUME,
                    "put it into the construct id",
                )
        if new.get("Size", 0) < old.get("Size", 0):
            yield name, "volume-shrinks", "fails", "a volume cannot become smaller", VOLUME, "let the guard refuse it"


def another_vpc(update: Update) -> Iterator[Said]:
    """A load balancer takes no subnets or security groups of another VPC."""
    for name in update.both - set(update.replaced) - update.stopped - update.retyped:
        if update.after[name]["Type"] != "AWS::ElasticLoadBalancingV2::LoadBalancer":
            continue
        vpcs = [_vpcs(update, name, side) for side in ("before", "after")]
        if vpcs[0] != vpcs[1]:
            yield (
                name,
                "another-vpc",
                "fails",
                "its groups move to another VPC",
                NO_VPC_CHANGE,
                "put the VPC into its construct id",
            )


def key_handover(update: Update) -> Iterator[Said]:
    """Whoever changes a key's policy must be allowed to by the old one, and by the new one to do it again."""
    for name in update.changed - set(update.replaced) - update.stopped:
        if update.after[name]["Type"] == "AWS::KMS::Key" and "KeyPolicy" in update.after[name]["Properties"]:
            before, after = (administrators(side[name]) for side in (update.before, update.after))
            if not before & after:
                reason = "nobody who may change its policy may do so afterwards"
                fix = "name both for one deployment, and say so where the setting is described"
                yield name, "key-handover", "fails", reason, PUT_KEY_POLICY, fix


def _vpcs(update: Update, name: str, side: str) -> set[str]:
    resources = update.after if side == "after" else update.before
    groups = {found for found, _ in references(resources[name]["Properties"].get("SecurityGroups"))}
    return {update.said(resources[group]["Properties"].get("VpcId"), side=side) for group in groups & set(resources)}


def loss(update: Update) -> Iterator[Said]:
    """What holds something is replaced, or goes while another of its kind comes, and no guard stops it."""
    if update.refusing_guards:
        return  # the update fails at the guard, and nothing is deleted before its clean-up
    coming = {update.after[name]["Type"] for name in update.added}
    for name in sorted(update.old):
        resource = update.before[name]
        kind = resource["Type"]
        policy = resource.get("UpdateReplacePolicy" if name in update.replaced else "DeletionPolicy")
        makes_way = name in update.replaced or (kind in coming and kind not in GO_WITH_THEIR_FEATURE)
        if kind in HOLDS and policy not in KEPT and makes_way:
            how = "is replaced" if name in update.replaced else "goes, and another comes"
            yield (
                name,
                "loss",
                "fails",
                f"it {how}, with {HOLDS[kind]}",
                BEHAVIORS,
                "guard it and name the way, or keep its id",
            )
    for name, pointers in update.perhaps_replaced.items():
        if update.after[name]["Type"] in HOLDS and update.before[name].get("UpdateReplacePolicy") not in KEPT:
            reason = f"it may be replaced for {', '.join(pointers)}, with {HOLDS[update.after[name]['Type']]}"
            yield name, "loss", "unsure", reason, BEHAVIORS, "guard it and name the way, or keep its id"


def needless(update: Update) -> Iterator[Said]:
    """What is replaced for its description, or for the order of a list, stays the same thing to everybody."""
    for name, reasons in update.replaced.items():
        old, new = (side[name].get("Properties", {}) for side in (update.before, update.after))
        differing = [pointer for pointer in reasons if at(old, pointer) != at(new, pointer)]
        same = (
            pointer.endswith("Description") or _same_items(at(old, pointer), at(new, pointer)) for pointer in reasons
        )
        if differing and all(same):
            told = f"replaced for {', '.join(reasons)} only"
            yield name, "needless", "fails", told, BEHAVIORS, "keep the value the same"


def _same_items(old: object, new: object) -> bool:
    return isinstance(old, list) and isinstance(new, list) and sorted(map(str, old)) == sorted(map(str, new))


ALL: tuple[Callable[[Update], Iterator[Said]], ...] = (
    another_type,
    collision,
    overlap,
    deleted_first,
    volume,
    another_vpc,
    key_handover,
    loss,
    needless,
)


def resources(template: Json) -> dict[str, Json]:
    """The resources of a template."""
    found: dict[str, Json] = template["Resources"]
    return found


RULES = (
    Rule("updates", "another-type", BEHAVIORS, ("a queue becomes a topic under its logical id",)),
    Rule(
        "updates",
        "collision",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
        ("a NAT gateway moves and keeps its address", "a listener of one port under another id", "a fixed name"),
    ),
    Rule(
        "updates",
        "swap",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
        ("two scheduled actions exchange their times",),
    ),
    Rule("updates", "range-overlaps", SUBNETS, ("a zone more behind which the NAT subnets begin",)),
    Rule(
        "updates",
        "deleted-first",
        "https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html",
        ("a VPC with its gateway and a NAT gateway",),
    ),
    Rule("updates", "volume-property", VOLUME, ("a volume from another snapshot",)),
    Rule("updates", "volume-shrinks", VOLUME, ("a smaller volume",)),
    Rule("updates", "another-vpc", NO_VPC_CHANGE, ("a load balancer's groups move",)),
    Rule("updates", "key-handover", PUT_KEY_POLICY, ("another role changes a key's policy",)),
    Rule(
        "updates",
        "loss",
        "https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html",
        ("a table with another key", "an address goes, another comes"),
    ),
    Rule("updates", "needless", BEHAVIORS, ("another description of a security group",)),
)
