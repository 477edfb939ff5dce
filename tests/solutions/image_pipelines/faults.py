"""The happy paths of the functions of image_pipelines.

moto has no Image Builder: what the functions ask of it is kept where moto can be throttled, in an object of S3.
"""

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from moto.backends import get_backend

from shared.aws import client
from tests.faults.custom_resources import ANSWERS, CustomResourceWorld, custom_resource
from tests.faults.subject import Subject

ACCOUNT = "123456789012"
PREFIX = f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}"
GOLD, WEB = (f"{PREFIX}:image-pipeline/{name}" for name in ("gold", "web"))
SOURCE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
NAME = "/imagebuilder/tried/gold"


class BuilderInS3:
    """Image Builder as far as the functions ask it: what there is, and which builds were started, by client token."""

    def _kept(self) -> Any:
        return json.loads(client("s3").get_object(Bucket=ANSWERS, Key="builder")["Body"].read())

    def get_paginator(self, operation: str) -> Any:
        """Pages of one item each."""

        def paginate(**_: Any) -> Iterator[Any]:
            for item in self._kept()[operation]:
                yield {_LISTS[operation]: [item]}

        return SimpleNamespace(paginate=paginate)

    def get_image(self, **wanted: str) -> Any:
        """One image."""
        images = self._kept()["list_image_pipeline_images"]
        return {"image": next(image for image in images if image["arn"] == wanted["imageBuildVersionArn"])}

    def start_image_pipeline_execution(self, **wanted: str) -> Any:
        """One build for each token."""
        kept = self._kept()
        kept["started"][wanted["clientToken"]] = wanted["imagePipelineArn"]
        client("s3").put_object(Bucket=ANSWERS, Key="builder", Body=json.dumps(kept))
        return {"imageBuildVersionArn": f"{PREFIX}:image/tried-gold/1.0.7/1"}


_LISTS = {
    "list_components": "componentVersionList",
    "list_image_recipes": "imageRecipeSummaryList",
    "list_images": "imageVersionList",
    "list_image_pipeline_images": "imageSummaryList",
}


def keep(**what: Any) -> None:
    """Lets Image Builder have this."""
    kept = {**{operation: [] for operation in _LISTS}, "started": {}, **what}
    client("s3").put_object(Bucket=ANSWERS, Key="builder", Body=json.dumps(kept))


def started() -> dict[str, str]:
    """The builds that were started."""
    found = get_backend("s3")[ACCOUNT]["aws"].buckets[ANSWERS].keys["builder"]
    builds: dict[str, str] = json.loads(found.value)["started"]
    return builds


def image(number: int, created: str) -> dict[str, Any]:
    """A build of gold."""
    return {
        "arn": f"{PREFIX}:image/tried-gold/1.0.7/{number}",
        "dateCreated": created,
        "state": {"status": "AVAILABLE"},
        "outputResources": {"amis": [{"region": "us-east-1", "image": f"ami-{number}", "accountId": ACCOUNT}]},
    }


class VersionsWorld(CustomResourceWorld):
    """New content, whose own patch number is taken."""

    def __init__(self) -> None:
        super().__init__()
        keep(
            list_image_recipes=[{"arn": f"{PREFIX}:image-recipe/tried-gold/1.0.7"}],
            list_images=[{"arn": f"{PREFIX}:image/tried-gold/1.0.8"}],
        )
        wanted = {"Kind": "image-recipe", "Name": "tried-gold", "MajorMinor": "1.0", "Content": "0000000000000007"}
        self.event |= {"RequestType": "Create", "ResourceProperties": wanted}

    def unharmed(self) -> None:
        answer = self.answer()
        if answer and answer["Status"] == "SUCCESS":
            assert answer["PhysicalResourceId"] == "1.0.9", f"it chose {answer['PhysicalResourceId']}"


class SeedWorld(CustomResourceWorld):
    """A parameter that is to have a first value."""

    def __init__(self) -> None:
        super().__init__()
        wanted = {"Name": NAME, "Source": SOURCE, "Regions": [], "Keep": "false"}
        self.event |= {"RequestType": "Create", "ResourceProperties": wanted}

    def invariant(self) -> None:
        super().invariant()
        assert value() is not None, "there is no parameter"

    def unharmed(self) -> None:
        answer = self.answer()
        if answer and answer["Status"] == "SUCCESS":
            assert answer["PhysicalResourceId"] == f"ours:{NAME}", "it would stay when the stack goes"


class SeedThereWorld(SeedWorld):
    """A parameter of somebody else's that is there already."""

    def __init__(self) -> None:
        super().__init__()
        client("ssm").put_parameter(Name=NAME, Value="ami-somebody-elses", Type="String")

    def unharmed(self) -> None:
        assert value() == "ami-somebody-elses", "the parameter was overwritten"
        answer = self.answer()
        if answer and answer["Status"] == "SUCCESS":
            assert answer["PhysicalResourceId"] == f"found:{NAME}", "it would be deleted with the stack"


class SeedMovesWorld(SeedWorld):
    """The parameter gets another name; the one that is left must be known as ours if the deployment rolls back."""

    LEFT = "/imagebuilder/left/gold"

    def __init__(self) -> None:
        super().__init__()
        client("ssm").put_parameter(Name=self.LEFT, Value="ami-1", Type="String")
        old = {**self.event["ResourceProperties"], "Name": self.LEFT}
        self.event |= {
            "RequestType": "Update",
            "PhysicalResourceId": f"ours:{self.LEFT}",
            "OldResourceProperties": old,
        }

    def unharmed(self) -> None:
        super().unharmed()
        assert value(self.LEFT) == "ami-1", "what is left was changed"
        answer = self.answer()
        if answer and answer["Status"] == "SUCCESS":
            tags = get_backend("ssm")[ACCOUNT]["us-east-1"].list_tags_for_resource("Parameter", self.LEFT)
            assert tags == {"image-pipelines-stack": self.event["StackId"]}, f"its tags are {tags}"


class SeedGoesWorld(SeedWorld):
    """The stack is deleted, and its parameter with it; another one stays."""

    def __init__(self) -> None:
        super().__init__()
        for name in (NAME, "/imagebuilder/other/gold"):
            client("ssm").put_parameter(Name=name, Value="ami-1", Type="String")
        self.event |= {"RequestType": "Delete", "PhysicalResourceId": f"ours:{NAME}"}

    def invariant(self) -> None:
        CustomResourceWorld.invariant(self)
        assert value() is None, "the parameter is still there"

    def unharmed(self) -> None:
        assert value("/imagebuilder/other/gold") == "ami-1", "the parameter of another stack is gone"


class BuildsWorld(CustomResourceWorld):
    """A recipe that has changed."""

    def __init__(self) -> None:
        super().__init__()
        keep()
        old = {"Pipeline": GOLD, "Recipe": "old", "Ancestors": "none", "ParentPipeline": "", "ParentParameter": ""}
        self.event |= {"OldResourceProperties": old, "ResourceProperties": {**old, "Recipe": "new"}}

    def invariant(self) -> None:
        super().invariant()
        assert started() == {"r-1": GOLD}, f"started were {started()}"

    def unharmed(self) -> None:
        assert len(started()) <= 1, f"started were {started()}"


class WorkloadBuildsWorld(CustomResourceWorld):
    """A workload's recipe has changed, whose parent has an image."""

    def __init__(self) -> None:
        super().__init__()
        keep(list_image_pipeline_images=[image(1, "2026-01-01T00:00:00.000Z")])
        client("ssm").put_parameter(Name=NAME, Value="ami-1", Type="String")
        old = {"Pipeline": WEB, "Recipe": "old", "Ancestors": "gold", "ParentPipeline": GOLD, "ParentParameter": NAME}
        self.event |= {"OldResourceProperties": old, "ResourceProperties": {**old, "Recipe": "new"}}

    def invariant(self) -> None:
        super().invariant()
        assert started() == {"r-1": WEB}, f"started were {started()}"

    def unharmed(self) -> None:
        assert len(started()) <= 1, f"started were {started()}"


class TrackerWorld:
    """Two images, and the event of the newer one."""

    def __init__(self) -> None:
        client("s3").create_bucket(Bucket=ANSWERS)
        images = [image(1, "2026-01-01T00:00:00.000Z"), image(2, "2026-01-02T00:00:00.000Z")]
        keep(list_image_pipeline_images=images)
        client("dynamodb").create_table(
            TableName="newest",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.env: Mapping[str, str] = {
            "TABLE_NAME": "newest",
            "ACCOUNT": ACCOUNT,
            "AMIS": "gold",
            "CONTAINERS": "",
            "PIPELINE_ARNS": GOLD.removesuffix("gold"),
            "STACK_NAME": "tried",
        }
        self.event: Any = {
            "id": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
            "detail-type": "EC2 Image Builder Image State Change",
            "time": "2026-01-02T01:00:00Z",
            "resources": [images[1]["arn"]],
            "detail": {"state": {"status": "AVAILABLE"}},
        }

    def invariant(self) -> None:
        assert newest() == "ami-2", f"recorded is {newest()}"

    def unharmed(self) -> None:
        assert newest() in (None, "ami-2"), f"recorded is {newest()}"


class DailyWorld(TrackerWorld):
    """The daily look, after the event was lost."""

    def __init__(self) -> None:
        super().__init__()
        self.event = {"id": "1", "detail-type": "Scheduled Event", "time": "2026-01-02T01:00:00Z", "resources": []}


def value(name: str = NAME) -> str | None:
    """Value of a parameter; None if it is not there."""
    versions = get_backend("ssm")[ACCOUNT]["us-east-1"]._parameters.get(name)
    return str(versions[-1].value) if versions else None


def newest() -> str | None:
    """The recorded image of gold."""
    items = get_backend("dynamodb")[ACCOUNT]["us-east-1"].tables["newest"].items.values()
    found = [item.attrs["image"].value for item in items]
    return str(found[0]) if found else None


@contextmanager
def builder_of(path: str) -> Iterator[None]:
    """Lets a handler ask that Image Builder."""
    module = importlib.import_module(f"{path}.handler")
    with ExitStack() as stack:
        stack.enter_context(
            patch.object(module, "client", lambda name: BuilderInS3() if name == "imagebuilder" else client(name))
        )
        yield


def with_builder(subject: Subject, path: str) -> Subject:
    """The subject, asking that Image Builder."""

    def deliver(event: Any) -> Any:
        with builder_of(path):
            return subject.deliver(event)

    return Subject(
        subject.name, deliver, subject.world, subject.module, subject.foreign, subject.tells, subject.comes_again
    )


def _tracker(event: Any) -> Any:
    module = importlib.import_module("image_pipelines.tracker.handler")
    return module.lambda_handler(event, SimpleNamespace(aws_request_id="1"))


TRACKER, SEED = "image_pipelines.tracker", "image_pipelines.seed"


def told(path: str, world: type[Any], name: str = "") -> Subject:
    """Registers a custom resource whose failure CloudFormation is told of."""
    return custom_resource(path, world, name, tells=lambda result: bool(result == "FAILED"))


SUBJECTS: list[Subject] = [
    with_builder(told("image_pipelines.versions", VersionsWorld), "image_pipelines.versions"),
    told(SEED, SeedWorld),
    told(SEED, SeedThereWorld, " (there)"),
    told(SEED, SeedMovesWorld, " (moves)"),
    told(SEED, SeedGoesWorld, " (goes)"),
    with_builder(told("image_pipelines.builds", BuildsWorld), "image_pipelines.builds"),
    with_builder(told("image_pipelines.builds", WorkloadBuildsWorld, " (workload)"), "image_pipelines.builds"),
    with_builder(Subject(TRACKER, _tracker, TrackerWorld, f"{TRACKER}.handler"), TRACKER),
    with_builder(Subject(f"{TRACKER} (daily)", _tracker, DailyWorld, f"{TRACKER}.handler"), TRACKER),
]
