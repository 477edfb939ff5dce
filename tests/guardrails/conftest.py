"""What the tests of guardrails share."""

import pytest

from stacks.guardrails import attachment


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(attachment, "sleep", found.append)
    return found
