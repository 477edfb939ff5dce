"""The stacks of a Region that are there: which are of this app, and which has a thing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from functools import cached_property
from typing import Any

from stacks.leftovers.kind import Kind, named_by
from stacks.series import SOLUTIONS

TAG = "solution"
GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}
"""What a stack does not have any more; what it has kept is skipped."""
OF_A_STACK_SET = "Stack set: "
"""What begins the description of the stack that has a stack set of ours, and none of its parts."""
# A stack may still be rolled back to what it had, or go on:
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RollbackStack.html,
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
FAILED = {"CREATE_FAILED", "IMPORT_ROLLBACK_FAILED", "ROLLBACK_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"}
IS_CHANGING = "a stack is being changed that may need it, or removes it itself: run it again"
HAS_FAILED = "its stack has failed and may need it for a rollback: bring that to an end first"

Things = Mapping[str, Set[str]]


class Stacks:
    """Those of this app are read at once; all others when something is not in these.

    Attributes:
        solutions: those that have a stack here.
    """

    def __init__(self, formation: Any) -> None:
        """Reads the stacks of the Region.

        Raises:
            ClientError: a read was refused.
        """
        self._formation = formation
        pages = formation.get_paginator("describe_stacks").paginate()
        there = [stack for page in pages for stack in page["Stacks"] if stack["StackStatus"] != "DELETE_COMPLETE"]
        self._status = {stack["StackId"]: stack["StackStatus"] for stack in there}
        self._of = {stack["StackId"]: solution for stack in there if (solution := _solution(stack))}
        ours = {stack: self._read([stack]) for stack in self._of}
        self._ours = _together(ours.values())
        self._others = [stack for stack in self._status if stack not in self._of]
        self.solutions = {self._of[stack] for stack, things in ours.items() if things}

    def are_there(self, stack: str) -> bool:
        """Whether there is a stack of an id."""
        return stack in self._status

    def hold(self, arn: str, kind: Kind) -> bool:
        """Whether a stack of this app has a thing."""
        return arn in self._status or _has(self._ours, arn, kind, {})

    def have(self, arn: str, kind: Kind, shown: Mapping[str, Any]) -> bool:
        """Whether any stack has a thing.

        No tag tells it: tables get none of their stack, and who deploys or imports gives others. All resources of all
        stacks are read, since DescribeStackResources answers the first 100 of the stack that has one:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html

        Args:
            shown: how its service describes it.
        """
        return _has(self._ours, arn, kind, shown) or _has(self._of_others, arn, kind, shown)

    def unsettled(self, solution: str, stack: str | None) -> str:
        """Why a thing may not be removed although no stack lists it: its stack is changing, or has failed.

        What is replaced stays until the end of an update:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html

        Args:
            stack: the id of the stack that it names; where that is gone, or none is named, any of its solution may be
                its stack, and any that changes and of whose solution nothing is known.
        """
        if stack in self._status:
            found = {self._status[stack]}
        else:
            of_it = {self._status[each] for each, its in self._of.items() if its == solution}
            found = of_it | {self._status[each] for each in self._others} - FAILED
        if any(status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS" for status in found):
            return IS_CHANGING
        return HAS_FAILED if found & FAILED else ""

    @cached_property
    def _of_others(self) -> Things:
        return self._read(self._others)

    def _read(self, stacks: list[str]) -> Things:
        """The types of what stacks have, by its name."""
        found: dict[str, set[str]] = defaultdict(set)
        pages = (
            page
            for stack in stacks
            for page in self._formation.get_paginator("list_stack_resources").paginate(StackName=stack)
        )
        for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
            name = resource.get("PhysicalResourceId")  # one that could not be created has none
            if name and resource.get("ResourceStatus") not in GONE:
                # The Ref of a queue is its address, of which there are several forms.
                for known in {name, name.rpartition("/")[2] if "://" in name else name}:
                    found[known].add(resource.get("ResourceType", ""))
        return found


def _together(of_stacks: Any) -> Things:
    found: dict[str, set[str]] = defaultdict(set)
    for things in of_stacks:
        for name, types in things.items():
            found[name] |= types
    return found


def _has(things: Things, arn: str, kind: Kind, shown: Mapping[str, Any]) -> bool:
    return any(not kind.types or things[name] & set(kind.types) for name in _names(arn, kind, shown) if name in things)


def _names(arn: str, kind: Kind, shown: Mapping[str, Any]) -> Iterator[str]:
    """Every way in which CloudFormation may name what an ARN names, of which a service may know one more."""
    resource = arn.split(":", 5)[5]
    name = named_by(arn)[1]
    yield from (arn, arn.removesuffix(":*"), resource, name)
    if not kind.types:
        yield from (f"/{name}", resource.rpartition("/")[2])
    if other := shown.get(kind.named):
        yield other


def _solution(stack: Any) -> str:
    """Whose a stack is, by its tag; by its description, where somebody has deployed it with other tags."""
    slugs = {solution.slug for solution in SOLUTIONS}
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    if tags.get(TAG) in slugs:
        return str(tags[TAG])
    said = stack.get("Description", "")
    if said.startswith(OF_A_STACK_SET):
        return ""
    return next((solution.slug for solution in SOLUTIONS if solution.blog_url in said), "")
