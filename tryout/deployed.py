"""A stack that was deployed, to the embedded AWS or to an account, as a scenario sees and changes it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from tryout.account.aws import Aws
from tryout.dashboards.kept import keep
from tryout.loaded import stacks
from tryout.steps import StepFailedError
from tryout.trial import Trial
from tryout.waits import wait_until

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_TEMPLATE_IN_REQUEST = 51_200
UPDATE_SECONDS = 60
NOTHING_TO_DO = "No updates are to be performed"

Json = dict[str, Any]


@dataclass(frozen=True)
class Update:
    """How an update of a stack has ended.

    Attributes:
        status: of the stack.
        events: of this update, the newest first; none if there was nothing to update.
    """

    status: str
    events: tuple[Json, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the stack is as its new template says, or was before."""
        return not self.events or self.status == "UPDATE_COMPLETE"

    @property
    def reasons(self) -> list[str]:
        """What was said of resources, the newest first."""
        return [why for event in self.events if (why := event.get("ResourceStatusReason"))]

    @property
    def left(self) -> list[str]:
        """Resources that the clean-up could not delete, by their logical ids."""
        return [event["LogicalResourceId"] for event in self.events if event["ResourceStatus"] == "DELETE_FAILED"]


@dataclass(frozen=True)
class Deployed:
    """A stack that was deployed.

    Attributes:
        outputs: the stack's outputs, as they were after the deployment.
        settings: the solution's section of the configuration that was deployed.
        folder: a folder for the scenario's files.
        kept: the folder of dashboards that are kept; the next try leaves it alone.
        synthesizer: makes the cloud assembly of another configuration.
    """

    aws: Aws
    trial: Trial
    outputs: Mapping[str, str]
    settings: Any
    folder: Path
    kept: Path
    synthesizer: Callable[[Json], Json]

    @property
    def stack_name(self) -> str:
        """The stack's name."""
        return self.trial.stack

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """Physical ids of the stack's resources, by type, as they were when they were first asked for."""
        return self.resources_now()

    def resources_now(self) -> dict[str, list[str]]:
        """The same after updates."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack_name)
        found: dict[str, list[str]] = {}
        for page in pages:
            for item in page["StackResourceSummaries"]:
                found.setdefault(item["ResourceType"], []).append(item["PhysicalResourceId"])
        return found

    def client(self, service: str) -> Any:
        """A client with the permissions of the account's administrator."""
        return self.aws.client(service)

    # Functions and commands

    def function(self, name: str) -> str:
        """The name of a function: what an output of this name says, or the one with this word in its name."""
        if name in self.outputs:
            return self.outputs[name]
        functions = self.resources["AWS::Lambda::Function"]
        found = [own for own in functions if f"-{name}" in own]
        if len(found) != 1:
            raise StepFailedError(f"{len(found)} functions are named {name}: {functions}")
        return found[0]

    def invoke(self, name: str, event: Any = None) -> Any:
        """What a function answers; *name* is an output or a word of the function's name.

        Raises:
            StepFailedError: the function has failed.
        """
        payload = json.dumps({} if event is None else event).encode()
        answer = self.client("lambda").invoke(FunctionName=self.function(name), Payload=payload)
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise StepFailedError(f"{name} has failed: {result.get('errorType')}: {result.get('errorMessage')}")
        return result

    def command(self, *words: str, ends: int = 0) -> Any:
        """What ``python -m stacks <slug> <words> --json`` prints.

        Args:
            ends: the status that it is to end with: 1 where it is to find a problem.

        Raises:
            StepFailedError: it ended with another status.
        """
        done = stacks((self.trial.slug, *words, "--json", "--config", str(self.trial.config)), self.aws.environment())
        if done.returncode != ends:
            raise StepFailedError(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()[-300:]}")
        return json.loads(done.stdout)

    # Updates

    def template(self) -> Json:
        """The template as it is deployed now; yours to change."""
        body = self.client("cloudformation").get_template(StackName=self.stack_name)["TemplateBody"]
        found: Json = json.loads(body if isinstance(body, str) else json.dumps(body))
        return found

    def synthesized(self, folder: str, **changes: Any) -> Json:
        """The template under other settings.

        Args:
            folder: a name for what is synthesized, new each time.
            changes: settings of the solution.
        """
        return self._synthesized(folder, self.stack_name, {}, changes)

    def beside(self, folder: str, prefix: str, **changes: Any) -> "Deployed":
        """Deploys a second stack of the solution, under another ``common.prefix`` and other settings.

        The assets are those of the first. The scenario destroys it.

        Raises:
            StepFailedError: it could not be created.
        """
        name = f"{prefix}-{self.trial.slug.replace('_', '-')}"
        template = self._synthesized(folder, name, {"prefix": prefix}, changes)
        trial, settings = replace(self.trial, stack=name), self.settings.model_copy(update=changes)
        other = replace(self, trial=trial, outputs={}, settings=settings)
        request = {"StackName": name, "Capabilities": ["CAPABILITY_IAM"], "OnFailure": "DO_NOTHING"}
        self.client("cloudformation").create_stack(**request, **other._body(template))
        wait_until("the end of the creation", lambda: not other.status().endswith("IN_PROGRESS"), UPDATE_SECONDS)
        if other.status() != "CREATE_COMPLETE":
            raise StepFailedError(f"{other.status()}: {Update('', tuple(other._newest_events())).reasons}")
        return replace(other, outputs=other.outputs_now())

    def destroy(self) -> None:
        """Deletes the stack and waits for the end."""
        formation = self.client("cloudformation")
        stack = formation.describe_stacks(StackName=self.stack_name)["Stacks"][0]["StackId"]
        formation.delete_stack(StackName=stack)

        def gone() -> bool:
            (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
            return bool(found["StackStatus"] == "DELETE_COMPLETE")

        wait_until(f"the end of {self.stack_name}", gone, UPDATE_SECONDS)

    def _synthesized(self, folder: str, stack: str, common: Json, changes: Json) -> Json:
        config = yaml.safe_load(self.trial.config.read_text(encoding="utf-8"))
        config.setdefault("common", {}).update(common)
        config["solutions"][self.trial.slug] |= changes
        changed, assembly = self.folder / f"{folder}.yaml", self.folder / f"{folder}.out"
        changed.write_text(yaml.safe_dump(config), encoding="utf-8")
        request = {"config": str(changed), "slug": self.trial.slug, "assembly": str(assembly)}
        if why := self.synthesizer(request).get("error"):
            raise StepFailedError(f"the changed configuration cannot be synthesized: {why}")
        found: Json = json.loads((assembly / f"{stack}.template.json").read_text(encoding="utf-8"))
        return found

    def update(self, template: Json, *, seconds: float = UPDATE_SECONDS) -> Update:
        """Updates the stack with a template and waits for the end, whatever it is, for so many seconds at most."""
        formation = self.client("cloudformation")
        try:
            formation.update_stack(
                StackName=self.stack_name,
                Parameters=[
                    {"ParameterKey": name, "UsePreviousValue": True} for name in template.get("Parameters", {})
                ],
                Capabilities=["CAPABILITY_IAM"],
                **self._body(template),
            )
        except ClientError as error:
            if NOTHING_TO_DO not in str(error):
                raise
            return Update(self.status())
        wait_until("the end of the update", lambda: not self.status().endswith("IN_PROGRESS"), seconds)
        return Update(self.status(), tuple(self._newest_events()))

    def status(self) -> str:
        """The stack's status."""
        found = self.client("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"][0]
        return str(found["StackStatus"])

    def outputs_now(self) -> dict[str, str]:
        """The stack's outputs after updates."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self.stack_name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def _body(self, template: Json) -> dict[str, str]:
        """In the request if it is short; else in the bootstrap bucket, where the CLI puts it, too."""
        text = json.dumps(template, separators=(",", ":"))
        if len(text.encode()) <= MAX_TEMPLATE_IN_REQUEST:
            return {"TemplateBody": text}
        bucket, key = f"cdk-hnb659fds-assets-{self.aws.account}-{self.aws.region}", f"{self.stack_name}-changed.json"
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
        return {"TemplateURL": f"https://s3.{self.aws.region}.amazonaws.com/{bucket}/{key}"}

    def _newest_events(self) -> list[Json]:
        """Events of the last operation, the newest first."""
        found: list[Json] = []
        events = self.client("cloudformation").describe_stack_events(StackName=self.stack_name)["StackEvents"]
        for event in events:
            found.append(event)
            began = event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
            if began and event["ResourceType"] == "AWS::CloudFormation::Stack":
                break
        return found

    # Dashboards

    def keep_dashboard(self, name: str, picture: str = "") -> str:
        """Keeps a dashboard and its metrics as they are now, for ``make pictures``; it outlives the stack.

        Args:
            picture: which of the solution's pictures it is, if there are several: docs/pictures/<slug>-<picture>.png.

        Returns:
            How many widgets have data, and why others are drawn empty.

        Raises:
            DashboardError: it is not a dashboard to be shown: widgets overlap, say.
        """
        kept = keep(self._client_of, name, self.trial.slug, self.trial.variant)
        kept.write(self.kept / f"{'-'.join(filter(None, (self.trial.slug, picture)))}.json")
        return kept.summary

    def _client_of(self, service: str, region: str, account: str) -> Any:
        """Of another Region or account, as a dashboard of a monitoring account reads them; the access key names it."""
        where = {"region_name": region, "aws_access_key_id": account}
        return self.aws.client(service, **{name: value for name, value in where.items() if value})
