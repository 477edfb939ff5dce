"""What the steps of the scenario look at, and what they do again and again."""

import json
from collections.abc import Callable
from typing import Any, Self

from config.models import CommonSettings
from stacks.image_pipelines import commands
from tryout.scenario import Deployed, Scenario, expect
from tryout.waits import wait_until

Json = dict[str, Any]


class ImagePipelinesLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.builder, self.ssm = deployed.client("imagebuilder"), deployed.client("ssm")
        self.sqs = deployed.client("sqs")
        self.outputs = deployed.outputs
        self.cleanup: list[Callable[[], object]] = []
        self.messages = ""
        self.heard: list[Json] = []

    def __enter__(self) -> Self:
        """A queue hears the topic."""
        self.messages = self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        """Removes what the scenario has made besides the stack."""
        for undo in self.cleanup:
            undo()

    def _schedule(self) -> list[str]:
        """The time of the schedules has come: names of the pipelines that were built."""
        arns = self.deployed.aws.control("image-pipelines")["built"]
        prefix = f"image/{self.deployed.stack_name}-"
        return [arn.split(prefix)[1].split("/")[0] for arn in arns]

    def _command(self, name: str, **options: str) -> Any:
        command = next(one for one in commands.COMMANDS if one.name == name)
        return command.run(_options(**options), CommonSettings(), self.deployed.settings, self._client)

    def _client(self, service: str, region: str | None = None, /) -> Any:
        return self.deployed.aws.client(service, **({"region_name": region} if region else {}))

    def _pipelines(self) -> dict[str, Json]:
        return {row["pipeline"]: row for row in self._command("pipelines").data}

    def _images(self, name: str) -> list[Json]:
        arn = self.outputs[f"{name.title()}PipelineArn"]
        pages = self.builder.get_paginator("list_image_pipeline_images").paginate(imagePipelineArn=arn)
        return [image for page in pages for image in page["imageSummaryList"]]

    def _newest_image(self, name: str) -> Json:
        newest = max(self._images(name), key=lambda image: str(image["dateCreated"]))
        found: Json = self.builder.get_image(imageBuildVersionArn=newest["arn"])["image"]
        return found

    def _newest(self, name: str) -> str:
        """The AMI in a pipeline's parameter, once that is of its newest image: it changes a moment after the build."""
        available = [image for image in self._images(name) if image["state"]["status"] == "AVAILABLE"]
        newest = max(available, key=lambda image: str(image["dateCreated"]))
        region = self.deployed.aws.region
        (ami,) = (made["image"] for made in newest["outputResources"]["amis"] if made["region"] == region)
        parameter = self.outputs[f"{name.title()}Parameter"]

        def held() -> bool:
            found = self.ssm.get_parameters(Names=[parameter])["Parameters"]
            return bool(found and found[0]["Value"] == ami)

        wait_until(f"the newest image of {name} in its parameter", held)
        return str(ami)

    def _base(self) -> str:
        return str(self.ssm.get_parameter(Name=self.deployed.settings.source_parameter)["Parameter"]["Value"])

    def _gold_version(self) -> str:
        pipeline = self.builder.get_image_pipeline(imagePipelineArn=self.outputs["GoldPipelineArn"])["imagePipeline"]
        return str(pipeline["imageRecipeArn"].rsplit("/", 1)[-1])

    def _deploy(self, template: Json) -> None:
        done = self.deployed.update(template)
        expect(done.complete, f"{done.status}: {done.reasons[:2]}")

    def _listen(self) -> str:
        queue = self.sqs.create_queue(QueueName="hears-images")["QueueUrl"]
        self.cleanup.append(lambda: self.sqs.delete_queue(QueueUrl=queue))
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        send = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**send, "Resource": arn}]})
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        sns = self.deployed.client("sns")
        subscribed = sns.subscribe(
            TopicArn=self.outputs["ImageTopicArn"], Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        self.cleanup.append(lambda: sns.unsubscribe(SubscriptionArn=subscribed))
        return str(queue)

    def _hear(self, status: str) -> None:
        def heard() -> bool:
            for message in self.sqs.receive_message(QueueUrl=self.messages, MaxNumberOfMessages=10).get("Messages", []):
                self.heard.append(json.loads(json.loads(message["Body"])["Message"]))
                self.sqs.delete_message(QueueUrl=self.messages, ReceiptHandle=message["ReceiptHandle"])
            return any(one.get("state", {}).get("status") == status for one in self.heard)

        wait_until(f"a message of an image that is {status}", heard)


def _options(**values: str) -> Any:
    from argparse import Namespace

    return Namespace(**values)
