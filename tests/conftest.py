"""What every test shares: no test reaches the network or an account, and templates are synthesized once a worker."""

from collections.abc import Iterator

import pytest

from tests import variants
from tests.variants import Json


@pytest.fixture(scope="session")
def templates() -> dict[str, Json]:
    """Template of each solution under the default configuration, by slug."""
    return variants.templates(variants.DEFAULT)


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of one folder, which share a synth or an emulator, on one worker."""
    for item in items:
        folder = item.path.parent.relative_to(item.config.rootpath / "tests").parts
        item.add_marker(pytest.mark.xdist_group(folder[0] if folder else item.path.stem))
