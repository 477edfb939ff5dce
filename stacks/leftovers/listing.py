"""``python -m stacks leftovers``: what carries the tags of this app and belongs to no stack any more. Reads only.

What GetResources of the Resource Groups Tagging API answers: what has a tag now, in one Region. It knows no IAM users,
IAM roles and Auto Scaling groups (https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html),
and nothing that was never tagged (API_GetResources.html there).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from stacks.leftovers.holders import Holders
from stacks.leftovers.kind import Kind, named_by
from stacks.leftovers.kinds import KINDS, LAUNCHED, turn
from stacks.leftovers.looks import is_over, looked_at
from stacks.series import SOLUTIONS
from stacks.shared.command import Answer
from stacks.shared.preflight import Clients

TAG = "solution"
STACK_ID, LOGICAL_ID = "aws:cloudformation:stack-id", "aws:cloudformation:logical-id"
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


@dataclass(frozen=True)
class _Stacks:
    """The stacks of a Region that are there: what they hold, by their ids, and whose they are."""

    held: Mapping[str, frozenset[str]]
    solutions: frozenset[str]

    def hold(self, names: set[str]) -> bool:
        return any(names & held for held in self.held.values())


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
    stacks = _stacks(clients, region)
    others: dict[str, frozenset[str]] = {}
    holders = Holders()
    for arn, tags in sorted(_tagged(clients, region).items(), key=_in_turn):
        of, _ = named_by(arn)
        kind, solution = KINDS.get(of, Kind(of)), tags[TAG]
        if stacks.hold(_names(arn)):
            continue
        looked = looked_at(clients, region, arn)
        shown = [item for item in looked if not is_over(of, item)]
        if not shown:
            holders.end(solution, arn, looked)
            continue
        stack = tags.get(STACK_ID)
        if stack is None:
            there, said = solution in stacks.solutions, "no stack has it"
        else:
            if stack not in stacks.held and stack not in others:
                others[stack] = _held(clients("cloudformation", region), stack)
            if _names(arn) & others.get(stack, frozenset()):
                continue
            there = bool(stacks.held.get(stack) or others.get(stack))
            name = stack.split("/")[1]
            said = f"{name} is there without it" if there else f"its stack {name} is gone"
        if there and of in LAUNCHED:
            continue
        holders.take(arn, shown)
        stays = kind.stays(shown[0], now)
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


def _stacks(clients: Clients, region: str) -> _Stacks:
    """The stacks of this app that are there, by their tag, or where they have none by their description.

    Who deploys with other tags of his own, or an exported template in the console, gives them no tag of ours.
    """
    formation = clients("cloudformation", region)
    posts = {solution.blog_url: solution.slug for solution in SOLUTIONS}
    held, solutions = {}, set()
    for page in formation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
            solution = tags.get(TAG) or posts.get(stack.get("Description", "").rpartition(" ")[2])
            if solution and solution in posts.values() and stack["StackStatus"] != "DELETE_COMPLETE":
                held[stack["StackId"]] = _holding(formation, stack["StackId"])
                solutions.add(solution)
    return _Stacks(held, frozenset(solutions))


def _held(formation: Any, stack: str) -> frozenset[str]:
    """What a stack that has neither our tag nor our description holds; nothing where it is gone."""
    try:
        (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return frozenset()
    return frozenset() if found["StackStatus"] == "DELETE_COMPLETE" else _holding(formation, stack)


def _holding(formation: Any, stack: str) -> frozenset[str]:
    return frozenset({stack, *_physical(formation, stack)})


def _physical(formation: Any, stack: str) -> Iterator[str]:
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if name := resource.get("PhysicalResourceId"):  # one that could not be created has none
                yield name
                yield name.rpartition("/")[2] if "://" in name else name  # the Ref of a queue is its address


def _names(arn: str) -> set[str]:
    """Every way in which CloudFormation may name what an ARN names."""
    resource = arn.split(":", 5)[5]
    return {arn, arn.removesuffix(":*"), resource, named_by(arn)[1], resource.rpartition("/")[2]}
