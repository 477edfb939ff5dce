"""``python -m stacks leftovers``: what carries the tags of this app and belongs to no stack any more. Reads only.

What GetResources of the Resource Groups Tagging API answers: what has a tag now, in one Region. It knows no IAM users,
IAM roles and Auto Scaling groups (https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html),
and nothing that was never tagged (API_GetResources.html there).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from stacks.leftovers.holders import Holders
from stacks.leftovers.kind import Kind, named_by
from stacks.leftovers.kinds import KINDS, LAUNCHED, turn
from stacks.leftovers.looks import is_over, looked_at
from stacks.leftovers.stacks import TAG, Stacks
from stacks.series import SOLUTIONS
from stacks.shared.command import Answer
from stacks.shared.preflight import Clients

STACK_ID, LOGICAL_ID = "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"
NOT_LOOKED_AT = "it may not be looked at, so that nobody knows whether a stack has it: allow your role to describe it"
VALUES_OF_A_FILTER = 20  # API_GetResources.html
NOTES = (
    "Not listed, since GetResources does not know it: IAM roles and users, Auto Scaling groups, what never had a tag.",
    "Made by a stack that is there, and so not listed: what its groups launch, its snapshots and images.",
    "What was deleted in the last minutes, and a secret until the end of its recovery window, may still be listed: "
    "run it again.",
)


@dataclass(frozen=True)
class Leftover:
    """Something that a stack has left.

    Attributes:
        solution: whose tag it carries.
        why: why it is taken for left, and why it may have been kept.
        bills: what it costs, by the units of the price file where there are some.
        remove: the command that removes it; empty where none is known, or another one's removes it too.
    """

    arn: str
    region: str
    solution: str
    kind: str
    why: str
    bills: str
    remove: str


def answer(clients: Clients, regions: list[str], now: datetime) -> Answer:
    """Everything left in some Regions, as a table and as data."""
    found = [one for region in regions for one in leftovers(clients, region, now)]
    rows = [(one.solution, one.kind, one.arn, one.why, one.bills) for one in found]
    return Answer(
        ("solution", "kind", "resource", "why", "bills"),
        rows,
        [asdict(one) for one in found],
        notes=(f"{len(found)} left in {', '.join(regions)}; nothing was changed", *NOTES),
        lines=[one.remove for one in found if one.remove],
        ok=not found,
    )


def leftovers(clients: Clients, region: str, now: datetime) -> Iterator[Leftover]:
    """What is left in one Region, in the order in which it can be removed; of one turn, in that of the ARNs.

    Raises:
        ClientError: a read was refused.
        BotoCoreError: there are no credentials, or no connection.
    """
    tagged = _tagged(clients, region)  # before the stacks: what a creation makes in between belongs to it
    stacks = Stacks(clients("cloudformation", region))
    known = {arn: KINDS.get(named_by(arn)[0], Kind(named_by(arn)[0])) for arn in tagged}
    left = {arn: tags for arn, tags in tagged.items() if not stacks.hold(arn, known[arn])}
    held = {arn for arn in left if stacks.have(arn, known[arn], {})}
    there_too = {tags[TAG] for arn, tags in left.items() if arn in held or stacks.are_there(tags.get(STACK_ID, ""))}
    holders = Holders()
    for arn, tags in sorted(left.items(), key=_in_turn):
        of, _ = named_by(arn)
        kind, solution, stack = known[arn], tags[TAG], tags.get(STACK_ID)
        if arn in held:
            continue
        looked = looked_at(clients, region, arn)
        shown = [item for item in looked if not is_over(of, item)]
        if not shown:
            holders.end(solution, arn, looked)
            continue
        if stacks.have(arn, kind, shown[0]):
            continue
        if stack is None:
            there, said = solution in stacks.solutions | there_too, "no stack has it"
        else:
            there, name = stacks.are_there(stack), stack.split("/")[1]
            said = f"{name} is there without it" if there else f"its stack {name} is gone"
        if there and of in LAUNCHED:
            continue
        holders.take(arn, shown)
        unknown = NOT_LOOKED_AT if kind.named and not shown[0] else ""
        if unknown and (stack is None or there):
            said = ""  # nobody knows
        stays = unknown or stacks.unsettled(solution, stack) or kind.stays(shown[0], now)
        reasons, command = [said, kind.kept, stays], "" if stays else kind.command(arn, region, shown[0])
        if holder := holders.of(arn):
            reasons, command = [*reasons, f"goes with {holder}"], ""
        elif command:
            command = " && ".join([*holders.waits(solution, kind, region), command])
        yield Leftover(arn, region, solution, kind.name, "; ".join(filter(None, reasons)), kind.bills, command)


def _in_turn(tagged: tuple[str, Any]) -> tuple[int, str]:
    arn, _ = tagged
    return turn(named_by(arn)[0]), arn


def _tagged(clients: Clients, region: str) -> dict[str, dict[str, str]]:
    found = {}
    pages = clients("resourcegroupstaggingapi", region).get_paginator("get_resources")
    slugs = [solution.slug for solution in SOLUTIONS]
    for first in range(0, len(slugs), VALUES_OF_A_FILTER):
        values = slugs[first : first + VALUES_OF_A_FILTER]
        for page in pages.paginate(TagFilters=[{"Key": TAG, "Values": values}]):
            for resource in page["ResourceTagMappingList"]:
                found[resource["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
    return found
