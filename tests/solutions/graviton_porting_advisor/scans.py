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

from stacks.graviton_porting_advisor.projects import FOLDER
from stacks.graviton_porting_advisor.settings import GravitonPortingAdvisorSettings
from stacks.shared.python_function import LAMBDAS
from tryout.scenarios.graviton_porting_advisor.build_host import Ran, advisor_repository, image_programs, run

Json = dict[str, Any]
BUILD = "scans:0f1e2d3c"
INTRINSIC = "void f(__m128i a){ a = _mm_add_epi32(a, a); }\n"
BOTH = '#if !defined(__x86_64__)\n#error unsupported\n#endif\nvoid h(){ __asm__("nop"); }\n' + INTRINSIC
REAL = Path(os.environ.get("PORTING_ADVISOR", Path(__file__).parents[3] / ".local" / "porting-advisor"))
"""A folder with ``repo.git``, the advisor, and ``wheels`` of what it imports, by scripts/advisor."""


@dataclass(frozen=True)
class Scan:
    """A scan that has ended."""

    ran: Ran
    out: Path
    endpoint: str
    bucket: str
    queue: str

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
        s3 = client("s3", self.endpoint)
        listed = s3.list_objects_v2(Bucket=self.bucket, Prefix="reports/").get("Contents", [])
        return {
            item["Key"].rpartition("/")[2]: s3.head_object(Bucket=self.bucket, Key=item["Key"])["ContentType"]
            for item in listed
        }

    @property
    def messages(self) -> list[Json]:
        """What the build's last step has sent."""
        received = client("sqs", self.endpoint).receive_message(QueueUrl=self.queue)
        return [json.loads(one["Body"]) for one in received.get("Messages", [])]


def client(service: str, endpoint: str) -> Any:
    """A client of the AWS on loopback."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, endpoint_url=endpoint, region_name="eu-west-1", **keys)


def fresh(endpoint: str) -> tuple[str, str]:
    """A new bucket and a new queue: the bucket's name, and the queue's address."""
    name = f"scans-{uuid.uuid4()}"
    client("s3", endpoint).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name, str(client("sqs", endpoint).create_queue(QueueName=name)["QueueUrl"])


def written(folder: Path, **files: str) -> Path:
    """A source of these files; __ in a name stands for a slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class Scanner:
    """Scans sources, with the stand-in of the advisor or with the advisor itself."""

    def __init__(self, folder: Path, endpoint: str, *, real: bool = False) -> None:
        self._folder, self._endpoint, self._real = folder, endpoint, real
        self.environment = {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "AWS_ENDPOINT_URL": endpoint,
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
        bucket, url = fresh(self._endpoint)
        copy, work = self._folder / "source", self._folder / "work"
        shutil.rmtree(copy, ignore_errors=True)
        if source.exists():
            shutil.copytree(source, copy, symlinks=True)
        variables = wanted.variables(wanted.sources[0]) | {
            "TOOL_REPOSITORY": self.tool[0],
            "TOOL_COMMIT": self.tool[1],
            "BUCKET": bucket,
            "QUEUE_URL": url,
            "CODEBUILD_BUILD_ID": BUILD,
            "CODEBUILD_SRC_DIR": str(copy),
            "CODEBUILD_SRC_DIR_Scan": str(FOLDER),
            "CODEBUILD_SRC_DIR_Modules": str(LAMBDAS),
            "CODEBUILD_SRC_DIR_Libraries": str(Path(boto3.__file__).parents[1]),
            "SCAN_WORK": str(work),
        }
        buildspec = (FOLDER / "buildspec.yaml").read_text(encoding="utf-8")
        ran = run(buildspec, self.environment | variables | more, self._folder)
        return Scan(ran, work / "out", self._endpoint, bucket, url)
