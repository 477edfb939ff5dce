"""An instance metadata service whose items a test changes while the worker runs."""

import json

from botocore.exceptions import ClientError

from tryout.hosts.metadata import MetadataServer

ROLE = "iam/security-credentials/"
CREDENTIALS = {
    "Code": "Success",
    "Type": "AWS-HMAC",
    "AccessKeyId": "testing",
    "SecretAccessKey": "testing",
    "Token": "testing",
    "LastUpdated": "2026-01-01T00:00:00Z",
    "Expiration": "2099-01-01T00:00:00Z",
}


class GivenMetadata(MetadataServer):
    """Has the items below latest/meta-data/ that a test gives it.

    Attributes:
        items: what it has.
        asked: every item that somebody with a token asked for.
        failing: whether it answers with 500.
    """

    def __init__(self) -> None:
        super().__init__()
        self.items = {"instance-id": "i-1", ROLE: "worker-role", ROLE + "worker-role": json.dumps(CREDENTIALS)}
        self.asked: list[str] = []
        self.failing = False

    def value(self, path: str) -> str | None:
        item = path.removeprefix("meta-data/")
        self.asked.append(item)
        if self.failing:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "a test wants it so"}}, "GetMetadata")
        return self.items.get(item)

    @property
    def tokens(self) -> int:
        """How many tokens are valid."""
        return len(self._tokens)

    def expire(self) -> None:
        """Ends the life of every token."""
        self._tokens.clear()
