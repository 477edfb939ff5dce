"""The stacks of a Region that are there: which are of this app, and which has a thing."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from stacks.leftovers.kind import named_by, queue_address
from stacks.series import SOLUTIONS

TAG = "solution"
GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}
"""What a stack does not have any more; what it has kept is skipped."""
OF_A_STACK_SET = "Stack set: "
"""What begins the description of the stack that has a stack set of ours, and none of its parts."""


class Stacks:
    """Read once; a stack that is not of this app is read when a thing names it.

    Attributes:
        solutions: those that have a stack here.
    """

    def __init__(self, formation: Any) -> None:
        """Reads all stacks of the Region.

        Raises:
            ClientError: a read was refused.
        """
        self._formation = formation
        self.held: dict[str, frozenset[str]] = {}
        self.solutions: set[str] = set()
        self._changing: set[str] = set()
        self._there: set[str] = set()
        self.has_any = cache(self._has_any)
        self.things_of = cache(self._things_of)
        for page in formation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                self._take(stack)

    def hold(self, arn: str) -> bool:
        """Whether a stack of this app has a thing."""
        return arn in self._there or any(_names(arn) & held for held in self.held.values())

    def have(self, arn: str, stack: str | None) -> bool:
        """Whether any stack that is there has a thing.

        Tags tell it not: tables get none of their stack, and who deploys or imports gives others.

        Args:
            stack: the id of the stack that it names as its own.
        """
        if stack and _names(arn) & self.things_of(stack):
            return True
        _, _, _, region, account, resource = arn.split(":", 5)
        exact = {arn, arn.removesuffix(":*"), named_by(arn)[1], resource}
        if ":sqs:" in arn:
            exact.add(queue_address(arn, region, account))
        return any(self.has_any(name) for name in sorted(exact))

    def are_changing(self, solution: str, stack: str | None) -> bool:
        """Whether the stack of a thing is being changed, and may need it for a rollback, or remove it itself."""
        return stack in self._changing if stack else solution in self._changing

    def _take(self, stack: Any) -> None:
        status = stack["StackStatus"]
        if status == "DELETE_COMPLETE":
            return
        self._there.add(stack["StackId"])
        solution = _solution(stack)
        if not solution:
            return
        if things := self.things_of(stack["StackId"]):
            self.held[stack["StackId"]] = things
            self.solutions.add(solution)
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            self._changing |= {stack["StackId"], solution}

    def _things_of(self, stack: str) -> frozenset[str]:
        """The names of what a stack has; none where it is gone."""
        return frozenset(self._names_of_things(stack)) if stack in self._there else frozenset()

    def _names_of_things(self, stack: str) -> Iterator[str]:
        for page in self._formation.get_paginator("list_stack_resources").paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                name = resource.get("PhysicalResourceId")  # one that could not be created has none
                if name and resource.get("ResourceStatus") not in GONE:
                    yield name
                    yield name.rpartition("/")[2] if "://" in name else name  # the Ref of a queue is its address

    def _has_any(self, name: str) -> bool:
        """Whether any stack has a thing of a name.

        "You can pass the EC2 InstanceId to DescribeStackResources to find which stack the instance belongs to"; it
        answers for deleted stacks too:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
        """
        try:
            found = self._formation.describe_stack_resources(PhysicalResourceId=name)["StackResources"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return False  # no stack has it, nor had it in the last 90 days
        return any(
            each.get("PhysicalResourceId") == name
            and each["ResourceStatus"] not in GONE
            and each["StackId"] in self._there
            for each in found
        )


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


def _names(arn: str) -> set[str]:
    """Every way in which CloudFormation may name what an ARN names."""
    resource = arn.split(":", 5)[5]
    return {arn, arn.removesuffix(":*"), resource, named_by(arn)[1], resource.rpartition("/")[2]}
