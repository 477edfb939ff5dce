"""What the embedded AWS did not deliver, because a policy, a key or a role does not allow it."""

from emulator.client import EmbeddedAws


class Denials:
    """Those that come after it was made, each once, as sentences for the report."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._aws = aws
        self._seen = len(self._all())

    def __call__(self) -> list[str]:
        """What is new since the last call; the same said several times is said once."""
        found = self._all()
        new, self._seen = found[self._seen :], len(found)
        return list(dict.fromkeys(f"denied: {each['source']} -> {each['target']}: {each['why']}" for each in new))

    def _all(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._aws.control("denials")["denials"]
        return found
