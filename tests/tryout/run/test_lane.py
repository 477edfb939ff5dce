"""One lane, whose embedded AWS is a stand-in here."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from emulator.client import EmulatorError
from tryout.cdk.cli import CdkError
from tryout.run import lane as module
from tryout.run.lane import Lane
from tryout.trial import Trial

ENDED = "the embedded AWS has ended (signal 9); see emulator.log"


class Cli:
    """A CDK CLI whose every call finds nobody at the endpoint."""

    def require(self, log: Path, *arguments: str) -> None:
        raise CdkError(f"cdk {arguments[0]} failed: connect ECONNREFUSED")


class Aws:
    """An embedded AWS that answered until the deployment began."""

    client, account, region = None, "123456789012", "us-east-1"

    def require_running(self) -> None:
        raise EmulatorError(ENDED)


def test_an_embedded_aws_that_ends_in_the_middle_is_what_the_lane_ends_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Any = lambda *_: set()  # noqa: E731
    for name in ("inventory", "waiting", "Denials", "Judged"):
        monkeypatch.setattr(module, name, nothing)
    monkeypatch.setattr(module, "scenario_of", lambda slug: SimpleNamespace(prepare=lambda aws: False))
    aws, cdk = Aws(), Cli()
    lane = Lane(aws, cdk, tmp_path / "bootstrap.log", lambda text: None, lambda request: {})  # type: ignore[arg-type]
    with pytest.raises(EmulatorError, match=r"has ended \(signal 9\)"):
        lane.run(Trial("odcr_asg", "group", "odcr-asg", tmp_path), keep=False)
    monkeypatch.setattr(lane, "_bootstrapped", True)
    with pytest.raises(EmulatorError, match=r"has ended \(signal 9\)"):
        lane.run(Trial("odcr_asg", "group", "odcr-asg", tmp_path), keep=False)


@pytest.mark.parametrize("part", ["inventory", "waiting"])
def test_it_is_so_wherever_the_lane_notices_it(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://127.0.0.1:4566/")

    nothing: Any = lambda *_: set()  # noqa: E731
    for name in ("inventory", "waiting"):
        monkeypatch.setattr(module, name, refused if name == part else nothing)
    monkeypatch.setattr(module, "scenario_of", lambda slug: SimpleNamespace(prepare=lambda aws: False))
    lane = Lane(Aws(), Cli(), tmp_path / "bootstrap.log", lambda text: None, lambda request: {})  # type: ignore[arg-type]
    monkeypatch.setattr(lane, "_bootstrapped", True)
    with pytest.raises(EmulatorError, match=r"has ended \(signal 9\)"):
        lane.run(Trial("odcr_asg", "group", "odcr-asg", tmp_path), keep=False)
