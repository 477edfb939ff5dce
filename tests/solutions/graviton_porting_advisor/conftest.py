"""A scanner with the stand-in of the advisor, and one with the advisor itself where the machine has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.solutions.graviton_porting_advisor.scans import REAL, Scanner


@pytest.fixture
def fresh_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS for a single test."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


@pytest.fixture
def scanner(tmp_path: Path) -> Scanner:
    """With the stand-in, without AWS, and no network."""
    return Scanner(tmp_path / "build")


@pytest.fixture
def cloud(tmp_path: Path, endpoint: str) -> Scanner:
    """With the stand-in, and the real SDK to an AWS on loopback."""
    return Scanner(tmp_path / "build", endpoint)


@pytest.fixture
def advisor(tmp_path: Path, endpoint: str) -> Scanner:
    """With the advisor at the default commit."""
    if not (REAL / "repo.git").is_dir():
        pytest.skip(f"no copy of the advisor in {REAL.name}; scripts/advisor brings one")
    return Scanner(tmp_path / "build", endpoint, real=True)
