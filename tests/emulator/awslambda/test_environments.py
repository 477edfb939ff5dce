"""Execution environments: forks of a Python that has the SDK loaded, each as if it had been started by itself."""

import json
import os
from pathlib import Path
from typing import Any

from emulator.client import EmbeddedAws
from tests.emulator.conftest import eventually
from tests.emulator.receivers import archive, function, role

SLOW = """
import os, pathlib, time

def handler(event, context):
    pathlib.Path(event["file"]).write_text(str(os.getpid()))
    time.sleep(60)
"""
COUNTS = """
import boto3
from botocore import handlers

boto3.seen = getattr(boto3, "seen", 0) + 1
judged = [handler[1].__name__ for handler in handlers.BUILTIN_HANDLERS if handler[0] == "before-parameter-build"]

def handler(event, context):
    return {"seen": boto3.seen, "judged": judged[-1]}
"""
ENDS = """
import os

def handler(event, context):
    os._exit(3)
"""


def _invoked(aws: EmbeddedAws, name: str, event: object = None) -> tuple[str | None, Any]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_a_function_that_timed_out_goes_no_further(aws: EmbeddedAws, tmp_path: Path) -> None:
    file = tmp_path / "process"
    function(aws, "slow", role(aws, "by", "lambda.amazonaws.com"), SLOW)
    aws.client("lambda").update_function_configuration(FunctionName="slow", Timeout=2)
    error, said = _invoked(aws, "slow", {"file": str(file)})
    assert error and "timed out" in said["errorMessage"]
    process = int(file.read_text())
    assert eventually(lambda: _has_ended(process), "the end of its process")


def test_functions_share_nothing_but_what_was_loaded(aws: EmbeddedAws) -> None:
    by = role(aws, "by", "lambda.amazonaws.com")
    for name in ("one", "two"):
        function(aws, name, by, COUNTS)
        assert _invoked(aws, name) == (None, {"seen": 1, "judged": "judge"})


def test_a_function_that_ends_its_process_has_failed_and_starts_anew(aws: EmbeddedAws) -> None:
    function(aws, "ends", role(aws, "by", "lambda.amazonaws.com"), ENDS)
    for _ in range(2):
        error, said = _invoked(aws, "ends")
        assert error and "died" in said["errorMessage"]


IMPORTS = """
import boto3

def handler(event, context):
    return boto3.__file__
"""
BROKEN = 'raise ImportError("an SDK that lacks a part")'


def test_a_broken_sdk_in_a_layer_is_not_replaced_by_that_of_the_runtime(aws: EmbeddedAws) -> None:
    functions = aws.client("lambda")
    function(aws, "layered", role(aws, "by", "lambda.amazonaws.com"), IMPORTS)
    error, file = _invoked(aws, "layered")
    assert error is None and file.endswith("__init__.py")
    layer = functions.publish_layer_version(
        LayerName="sdk", Content={"ZipFile": archive({"python/boto3/__init__.py": BROKEN})}
    )
    functions.update_function_configuration(FunctionName="layered", Layers=[layer["LayerVersionArn"]])
    error, said = _invoked(aws, "layered")
    assert error and "an SDK that lacks a part" in said["errorMessage"]


def test_a_broken_sdk_in_the_code_is_not_replaced_by_that_of_the_runtime(aws: EmbeddedAws) -> None:
    function(aws, "bundled", role(aws, "by", "lambda.amazonaws.com"), IMPORTS)
    code = archive({"index.py": IMPORTS, "boto3/__init__.py": BROKEN})
    aws.client("lambda").update_function_code(FunctionName="bundled", ZipFile=code)
    error, said = _invoked(aws, "bundled")
    assert error and "an SDK that lacks a part" in said["errorMessage"]


def _has_ended(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False
