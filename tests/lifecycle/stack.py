"""One stack on the embedded AWS, through the API of CloudFormation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.lifecycle.account import Account, bucket
from tests.lifecycle.synthesis import Made
from tryout.deployed import MAX_TEMPLATE_IN_REQUEST, NOTHING_TO_DO
from tryout.steps import StepFailedError
from tryout.waits import wait_until

Json = dict[str, Any]
SILENT_SECONDS = 90
"""After so long, and as long again, without an event nothing is waited for any more."""
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
STARTS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")


@dataclass(frozen=True)
class Ended:
    """How an operation on a stack has ended.

    Attributes:
        status: of the stack; "unchanged" if CloudFormation had nothing to do.
        reasons: what was said of resources that failed, the first first.
        left: logical ids that the clean-up could not delete.
    """

    status: str
    reasons: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "; ".join([self.status, *self.reasons[:2], *(f"left: {name}" for name in self.left)])


class Stack:
    """A stack of a name in a Region of the account."""

    def __init__(self, account: Account, name: str, region: str) -> None:
        self.name, self.region = name, region
        self._account = account
        self._formation = account.client("cloudformation", region)
        self.id = ""

    def beside(self, made: Made) -> "Stack":
        """Another one in the same account."""
        return Stack(self._account, made.stack, made.region)

    def create(self, made: Made) -> Ended:
        """Creates it; what fails stays, to be looked at."""
        self._account.upload(made.assembly, made.stack, self.region)
        answer = self._formation.create_stack(OnFailure="DO_NOTHING", **self._request(made.template, made))
        self.id = answer["StackId"]
        return self._ended()

    def update(self, made: Made, template: Json | None = None) -> Ended:
        """Updates it to what was made, or to another template with the same assets."""
        self._account.upload(made.assembly, made.stack, self.region)
        try:
            self._formation.update_stack(**self._request(template or made.template, made))
        except ClientError as error:
            if NOTHING_TO_DO in str(error):
                return Ended("unchanged")
            return Ended("refused", (error.response["Error"]["Message"],))
        return self._ended()

    def delete(self) -> Ended:
        """Deletes it."""
        self._formation.delete_stack(StackName=self.id)
        return self._ended()

    def resources(self) -> dict[str, tuple[str, str]]:
        """Type and physical id of each resource, by its logical id."""
        pages = self._formation.get_paginator("list_stack_resources").paginate(StackName=self.id)
        return {
            item["LogicalResourceId"]: (item["ResourceType"], item["PhysicalResourceId"])
            for page in pages
            for item in page["StackResourceSummaries"]
        }

    def template(self) -> Json:
        """The template as it is deployed now."""
        body = self._formation.get_template(StackName=self.id)["TemplateBody"]
        found: Json = json.loads(body if isinstance(body, str) else json.dumps(body))
        return found

    def text(self, template: Json) -> str:
        """A template as it is sent."""
        return self._account.real(json.dumps(template, separators=(",", ":")))

    def _request(self, template: Json, made: Made) -> Json:
        text = self.text(template)
        tags = [{"Key": key, "Value": value} for key, value in made.tags.items()]
        request = {"StackName": self.name, "Capabilities": CAPABILITIES, "Tags": tags}
        if len(text.encode()) <= MAX_TEMPLATE_IN_REQUEST:
            return {**request, "TemplateBody": text}
        where, key = bucket(self._account.aws, "hnb659fds", self.region), f"{self.name}.json"
        self._account.client("s3", self.region).put_object(Bucket=where, Key=key, Body=text.encode())
        return {**request, "TemplateURL": f"https://s3.{self.region}.amazonaws.com/{where}/{key}"}

    def _ended(self) -> Ended:
        """Waits for the end of what was begun, as long as anything happens."""
        newest = ""
        while not self._settled():
            if (last := next(self._events())["EventId"]) == newest:
                break
            newest = last
        latest: dict[str, Json] = {}
        failed, left = [], []
        for event in self._events():
            name, status = event["LogicalResourceId"], event["ResourceStatus"]
            latest.setdefault(name, event)
            if status.endswith("FAILED") and (why := event.get("ResourceStatusReason")):
                failed.append(f"{name}: {why}")
            if status == "DELETE_FAILED":
                left.append(name)
            if event["ResourceType"] == "AWS::CloudFormation::Stack" and status in STARTS:
                break
        if (status := self._status()).endswith("IN_PROGRESS"):
            begun = [name for name, event in latest.items() if event["ResourceStatus"].endswith("IN_PROGRESS")]
            waits = ", ".join(name for name in begun if name != self.name) or "nothing that is told"
            failed.append(f"for {SILENT_SECONDS} s nothing has happened; it waits for {waits}")
        return Ended(status, tuple(reversed(failed)), tuple(left))

    def _settled(self) -> bool:
        try:
            wait_until(f"the end of {self.name}", lambda: not self._status().endswith("IN_PROGRESS"), SILENT_SECONDS)
        except StepFailedError:
            return False
        return True

    def _status(self) -> str:
        (found,) = self._formation.describe_stacks(StackName=self.id)["Stacks"]
        return str(found["StackStatus"])

    def _events(self) -> Iterator[Json]:
        """The newest first."""
        for page in self._formation.get_paginator("describe_stack_events").paginate(StackName=self.id):
            yield from page["StackEvents"]
