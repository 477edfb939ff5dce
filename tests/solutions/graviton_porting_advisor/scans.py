"""Scans as tests make them: the delivered buildspec, its script and modules, over a source of the test."""

import json
import os
import shutil
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from stacks.graviton_porting_advisor.builds import FOLDER
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from tests.variants import ROOT
from tryout.scenarios.graviton_porting_advisor.build_host import Ran, advisor_repository, image_programs, run

Json = dict[str, Any]
BUILD = "scans:0f1e2d3c"
INTRINSIC = "void f(__m128i a){ a = _mm_add_epi32(a, a); }\n"
BOTH = '#if !defined(__x86_64__)\n#error unsupported\n#endif\nvoid h(){ __asm__("nop"); }\n' + INTRINSIC
REAL = Path(os.environ.get("PORTING_ADVISOR", Path(__file__).parents[3] / ".local" / "porting-advisor"))
"""A folder with ``repo.git``, the advisor, and ``wheels`` of what it imports, by scripts/advisor."""


SDK = {
    "botocore/__init__.py": "",
    "botocore/config.py": "class Config:\n    def __init__(self, *, retries): pass\n",
    "boto3.py": """
import json, os

def client(service, *, config):
    return {"s3": S3, "sqs": Sqs}[service]()

def note(**call):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(json.dumps(call) + "\\n")

class S3:
    def put_object(self, *, Bucket, Key, Body, ContentType):
        note(to=Bucket, key=Key, type=ContentType, size=len(Body))

class Sqs:
    def send_message(self, *, QueueUrl, MessageBody):
        note(to=QueueUrl, body=json.loads(MessageBody))
""",
}
"""What stands for the SDK of a build: it notes calls down. The real one would be most of a scan's time, three times in
each; a test with ``cloud`` has it."""


class Cloud:
    """Where a build uploads and tells: an AWS on loopback."""

    def __init__(self, endpoint: str) -> None:
        self._s3, self._sqs = client("s3", endpoint), client("sqs", endpoint)
        self.bucket = f"scans-{uuid.uuid4()}"
        where = {"LocationConstraint": "eu-west-1"}
        self._s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=where)
        self.queue = str(self._sqs.create_queue(QueueName=self.bucket)["QueueUrl"])
        self.variables = {
            "AWS_ENDPOINT_URL": endpoint,
            "CODEBUILD_SRC_DIR_Libraries": str(Path(boto3.__file__).parents[1]),
        }

    def uploaded(self) -> dict[str, str]:
        """Keys and content types."""
        listed = self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        keys = [item["Key"] for item in listed]
        return {key: self._s3.head_object(Bucket=self.bucket, Key=key)["ContentType"] for key in keys}

    def messages(self) -> list[Json]:
        """What the queue has."""
        received = self._sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in received.get("Messages", [])]


class Noted:
    """Where a build uploads and tells: a file of its calls."""

    bucket, queue = "bucket", "https://sqs/queue"

    def __init__(self, folder: Path) -> None:
        self._calls = folder / "calls"
        self._calls.unlink(missing_ok=True)
        libraries = folder / "libraries"
        for name, text in SDK.items():
            (libraries / name).parent.mkdir(parents=True, exist_ok=True)
            (libraries / name).write_text(text, encoding="utf-8")
        self.variables = {"CALLS": str(self._calls), "CODEBUILD_SRC_DIR_Libraries": str(libraries)}

    def _of(self, to: str) -> list[Json]:
        lines = self._calls.read_text(encoding="utf-8").splitlines() if self._calls.exists() else []
        return [call for call in map(json.loads, lines) if call["to"] == to]

    def uploaded(self) -> dict[str, str]:
        """Keys and content types."""
        return {call["key"]: call["type"] for call in self._of(self.bucket)}

    def messages(self) -> list[Json]:
        """What was sent."""
        return [call["body"] for call in self._of(self.queue)]


@dataclass(frozen=True)
class Scan:
    """A scan that has ended."""

    ran: Ran
    out: Path
    target: Cloud | Noted

    @property
    def status(self) -> int:
        """Of the build's script."""
        return self.ran.statuses["build"]

    @cached_property
    def result(self) -> Json:
        """result.json."""
        found: Json = json.loads((self.out / "result.json").read_text(encoding="utf-8"))
        return found

    @property
    def uploaded(self) -> dict[str, str]:
        """What is in the bucket below the build's folder, with its content type."""
        found = self.target.uploaded()
        assert all(key.startswith("reports/") for key in found), found
        return {key.rpartition("/")[2]: kind for key, kind in found.items()}

    @property
    def messages(self) -> list[Json]:
        """What the build's last step has sent."""
        return self.target.messages()


def client(service: str, endpoint: str) -> Any:
    """A client of the AWS on loopback."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, endpoint_url=endpoint, region_name="eu-west-1", **keys)


def written(folder: Path, **files: str) -> Path:
    """A source of these files; __ in a name stands for a slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class Scanner:
    """Scans sources, with the stand-in of the advisor or with the advisor itself.

    Args:
        endpoint: of an AWS on loopback; without one, calls of AWS are noted down.
    """

    def __init__(self, folder: Path, endpoint: str = "", *, real: bool = False) -> None:
        self._folder, self._endpoint = folder, endpoint
        self.environment = {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        if real:
            self.tool = (f"file://{REAL / 'repo.git'}", GravitonPortingAdvisorSettings().tool.commit)
            self.environment |= {
                "PATH": os.environ["PATH"],
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(REAL / "wheels"),
                "PYTHONWARNINGS": "ignore",
            }
        else:
            self.tool = advisor_repository(folder / "advisor")
            self.environment["PATH"] = image_programs(folder / "bin")

    def scan(self, source: Path, **settings: Any) -> Scan:
        """Runs the buildspec over a copy of a source, under these settings.

        Args:
            settings: of the solution; and ``environment`` for variables that the test wants.
        """
        more = settings.pop("environment", {})
        wanted = GravitonPortingAdvisorSettings.model_validate(settings)
        target = Cloud(self._endpoint) if self._endpoint else Noted(self._folder)
        copy, work = self._folder / "source", self._folder / "work"
        shutil.rmtree(copy, ignore_errors=True)
        if source.exists():
            shutil.copytree(source, copy, symlinks=True)
        variables = wanted.variables(wanted.sources[0]) | {
            "TOOL_REPOSITORY": self.tool[0],
            "TOOL_COMMIT": self.tool[1],
            "BUCKET": target.bucket,
            "QUEUE_URL": target.queue,
            "CODEBUILD_BUILD_ID": BUILD,
            "CODEBUILD_SRC_DIR": str(copy),
            "CODEBUILD_SRC_DIR_Scan": str(FOLDER),
            "CODEBUILD_SRC_DIR_Modules": str(ROOT / "lambdas"),
            "SCAN_WORK": str(work),
        }
        buildspec = (FOLDER / "buildspec.yaml").read_text(encoding="utf-8")
        ran = run(buildspec, self.environment | target.variables | variables | more, self._folder)
        return Scan(ran, work / "out", target)
