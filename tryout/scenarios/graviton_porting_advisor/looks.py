"""What the scenario's steps share: run builds, and receive their notifications."""

import io
import json
import ssl
import urllib.request
import zipfile
from pathlib import Path
from typing import Any, Self

from tryout.scenario import Deployed, Scenario, StepFailedError, expect
from tryout.scenarios.graviton_porting_advisor.build_host import Ran, advisor_repository, image_programs, run
from tryout.waits import wait_until

BUCKET = "porting-advisor-sources"
INTRINSIC = "void f(__m128i a){ a = _mm_add_epi32(a, a); }\n"
Json = dict[str, Any]


class GravitonPortingAdvisorLooks(Scenario):
    """The stack, builds that really run, and a queue that receives every notification."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.codebuild, self.s3, self.sqs = (deployed.client(each) for each in ("codebuild", "s3", "sqs"))
        self.reports = deployed.outputs["ReportsBucket"]
        self.builds: dict[str, str] = {}
        self.heard: list[Json] = []
        self._folder = deployed.folder / "builds"

    def __enter__(self) -> Self:
        """Prepares builds on this machine, and subscribes a queue."""
        self._path = image_programs(self._folder / "bin")
        self._advisor = advisor_repository(self._folder / "advisor")
        self._queue = str(self.sqs.create_queue(QueueName="porting-advisor-heard")["QueueUrl"])
        attributes = self.sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Resource": arn}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Action": "sqs:SendMessage"}]}
        self.sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        sns = self.deployed.client("sns")
        subscribed = sns.subscribe(
            TopicArn=self.deployed.outputs["ScansTopicArn"],
            Protocol="sqs",
            Endpoint=arn,
            ReturnSubscriptionArn=True,
        )
        self._subscription = str(subscribed["SubscriptionArn"])
        return self

    def __exit__(self, *_: object) -> None:
        """Removes the queue and the bucket of sources."""
        self.deployed.client("sns").unsubscribe(SubscriptionArn=self._subscription)
        self.sqs.delete_queue(QueueUrl=self._queue)
        for item in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            self.s3.delete_object(Bucket=BUCKET, Key=item["Key"])
        self.s3.delete_bucket(Bucket=BUCKET)

    def _where(self) -> dict[str, str]:
        return {"account": self.deployed.aws.account, "region": self.deployed.aws.region}

    # Builds

    def _start(self, *sources: str) -> None:
        """Starts builds with the command, which calls the stack's function."""
        answer = self.deployed.command("scan", *sources)
        self.builds |= dict(zip(sources or self._sources(), answer["builds"], strict=True))

    def _sources(self) -> list[str]:
        return list(self._projects())

    def _projects(self) -> dict[str, Json]:
        names = self.deployed.resources["AWS::CodeBuild::Project"]
        found = self.codebuild.batch_get_projects(names=names)["projects"]
        return {self._variables(project)["SOURCE"]: project for project in found}

    @staticmethod
    def _variables(project: Json) -> dict[str, str]:
        return {item["name"]: item["value"] for item in project["environment"]["environmentVariables"]}

    def _status(self, source: str) -> str:
        return str(self.codebuild.batch_get_builds(ids=[self.builds[source]])["builds"][0]["buildStatus"])

    def _credentials(self, source: str) -> dict[str, str]:
        """Credentials of the role with which CodeBuild would run the build."""
        role = self._projects()[source]["serviceRole"]
        taken = self.deployed.client("sts").assume_role(RoleArn=role, RoleSessionName="build")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }

    def _client(self, service: str, source: str) -> Any:
        """A client with the permissions of a build's role."""
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        return self.deployed.aws.client(service, **dict(zip(names, self._credentials(source).values(), strict=True)))

    def _run(self, source: str, given: Path | None = None) -> Ran:
        """Runs the buildspec of a source as its build would: with its role, variables and secondary sources.

        Args:
            given: the source if it is a repository; an S3 source is read with the role.
        """
        project = self._projects()[source]
        folder = self._folder / self.builds[source].rpartition(":")[2]
        reading = self._client("s3", source)
        folders = {}
        for each in project["secondarySources"]:
            folders[f"CODEBUILD_SRC_DIR_{each['sourceIdentifier']}"] = str(
                _unpacked(reading, each["location"], folder / each["sourceIdentifier"])
            )
        root = given or _unpacked(reading, project["source"]["location"], folder / "source")
        environment = {
            **self.deployed.aws.environment(),
            **self._credentials(source),
            **self._variables(project),
            # GitHub and the package index are not used here.
            **dict(zip(("TOOL_REPOSITORY", "TOOL_COMMIT"), self._advisor, strict=True)),
            **folders,
            "PATH": self._path,
            "CODEBUILD_SRC_DIR": str(root),
            "CODEBUILD_BUILD_ID": self.builds[source],
            "SCAN_WORK": str(folder / "work"),
        }
        environment.pop("PYTHONPATH", None)
        return run(project["source"]["buildspec"], environment, folder)

    def _end(self, source: str, status: str, **more: object) -> None:
        self.deployed.aws.control("build-ends", **self._where(), build=self.builds[source], status=status, **more)

    def _uploaded(self, source: str) -> list[str]:
        slug = self._variables(self._projects()[source])["SLUG"]
        prefix = f"reports/{slug}/{self.builds[source].rpartition(':')[2]}/"
        listed = self.s3.list_objects_v2(Bucket=self.reports, Prefix=prefix).get("Contents", [])
        return sorted(item["Key"].removeprefix(prefix) for item in listed)

    # Notifications

    def _listen(self) -> None:
        for message in self.sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
            self.heard.append(json.loads(message["Body"]))
            self.sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def _of(self, source: str) -> list[Json]:
        """The notifications of a source's present build."""
        self._listen()
        return [one for one in self.heard if f"Build: {self.builds[source]}" in one["Message"]]

    def _hear(self, source: str, words: str) -> str:
        """The one notification of a source's build, which must contain these words."""
        wait_until(f"a notification of {source}", lambda: bool(self._of(source)))
        (said,) = self._of(source)
        expect(words in said["Message"], said["Message"])
        return str(said["Message"])

    def _all_told(self) -> bool:
        """Whether Report's queue holds only messages that are not due yet."""
        function = self.deployed.function("ReportFunction")
        found = self.deployed.client("lambda").get_function_configuration(FunctionName=function)
        queue = found["Environment"]["Variables"]["QUEUE_URL"]
        counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        seen = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=list(counts))["Attributes"]
        return all(seen[count] == "0" for count in counts)

    def _opened(self, url: str) -> tuple[str, str]:
        """Type and text behind a link, without any credentials."""
        trusted = ssl.create_default_context(cafile=str(self.deployed.aws.authority))
        with urllib.request.urlopen(url, context=trusted, timeout=20) as answer:  # noqa: S310 - the embedded AWS
            return answer.headers["Content-Type"], answer.read().decode()


def _unpacked(s3: Any, location: str, folder: Path) -> Path:
    """Unpacks the archive of an S3 source, as CodeBuild does."""
    bucket, _, key = location.partition("/")
    if not key:
        raise StepFailedError(f"{location} is not an object")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    folder.mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        archive.extractall(folder)
    return folder


def archive_of(files: dict[str, str]) -> bytes:
    """An archive of a source."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return written.getvalue()
