"""What every test shares: no test reaches the network or an account, and templates are synthesized once a worker."""

import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from emulator.fullmodel import full_model

# Registered once, here: two registrations would start two.
from tests.embedded_aws import aws, stack, started_aws, stop_started
from tests.models import read_once
from tests.scheduling import EMULATOR, KERNEL, Together, group, turn

__all__ = ["aws", "stack", "started_aws"]

# A timing is a benchmark and no test: how long an example takes says what else the machine does.
# Thirty examples of each property find what a change has broken; CI tries a hundred.
settings.register_profile("untimed", deadline=None, max_examples=int(os.environ.get("EXAMPLES", "30")))
settings.load_profile("untimed")

Json = dict[str, Any]

# Every call that a test makes is judged by the whole service model, as AWS judges it.
full_model.install()
read_once()

# The models of AWS and the templates are many objects, and they stay: unless it is told otherwise, Python looks through
# them after every 700 new ones.
gc.set_threshold(100_000, 10, 10)

# A function whose asynchronous invocation fails is tried again after one minute and after two
# (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html); ministack waits for them in
# seconds, and here in a twentieth of that.
os.environ["LAMBDA_ASYNC_RETRY_BASE_SECONDS"] = "0.05"

# Of each Region that a test asks about; no test launches one of moto's thirteen hundred images.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


@pytest.fixture(scope="session")
def templates() -> dict[str, Json]:
    """Template of each solution under the default configuration, by slug."""
    from tests import variants  # takes seconds, for the CDK; most tests need none of it

    return variants.templates(variants.DEFAULT)


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # moto would make a thousand of them for each test that asks EC2 something; one that wants an image makes it.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    yield


LOADED_BY: list[str] = []
"""The file whose collection has loaded the CDK, if one has: every worker collects them all."""


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if "aws_cdk" in sys.modules and not LOADED_BY:
        LOADED_BY.append(report.nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that all workers end together."""
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Behind the last test of a group, its worker ends the processes that only that group needs: they are large."""
    name = group(item.nodeid)
    if not hasattr(item.config, "workerinput") or nextitem is None or group(nextitem.nodeid) == name:
        return
    if name == EMULATOR:
        stop_started()
    if name == KERNEL and "jsii" in sys.modules:
        from jsii._runtime import kernel

        provider: Any = kernel.provider
        provider._process.stop()


@pytest.fixture(autouse=True)
def _no_cdk_elsewhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """Half a gigabyte with its Node: only the worker of its group has it."""
    there = "aws_cdk" in sys.modules
    yield
    assert there or "aws_cdk" not in sys.modules or group(request.node.nodeid) == KERNEL, "it loads the CDK"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers, tests that need the same run on one, in the order in which they were collected."""
    config.option.loadscopereorder = False
    return Together(config, log)
