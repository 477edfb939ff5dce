"""How Spinnaker is named and addressed."""

from typing import Annotated

from pydantic import Field

# Clouddriver takes any (https://github.com/spinnaker/halyard/pull/1354) without a colon, which separates the parts of
# its keys (Keys.groovy of https://github.com/spinnaker/clouddriver); these characters are plain in the host's files.
AccountName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", examples=["my-aws-account"])]
Purpose = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$", examples=["web-public"])]
GateUrl = Annotated[
    str,
    Field(pattern=r"^https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[\w.~-]+)*/?$", examples=["http://localhost:8084/api/v1"]),
]


def sends_in_the_clear(url: str) -> bool:
    """Whether what is sent to an address leaves this machine unencrypted."""
    scheme, _, rest = url.partition("://")
    return scheme == "http" and rest.partition("/")[0].partition(":")[0] not in ("localhost", "127.0.0.1")
