"""AWS Health's words on reservations are as documented, and nothing else is sent."""

from typing import Any

import pytest

from emulator.client import EmbeddedAws, EmulatorError


def send(aws: EmbeddedAws, *lines: str, summary: bool) -> Any:
    return aws.control("health-underused", account=aws.account, region=aws.region, reservations=lines, summary=summary)


def test_both_shapes_are_sent(aws: EmbeddedAws) -> None:
    assert send(aws, "cr-01234567890abcdef", summary=False) == {"sent": 1}
    assert send(aws, "cr-01234567890abcdef | us-east-1a | m5.large | Linux/UNIX | 0.0%", summary=True) == {"sent": 1}


@pytest.mark.parametrize("summary", [True, False])
def test_lines_of_the_other_shape_are_refused(aws: EmbeddedAws, summary: bool) -> None:
    line = "cr-01234567890abcdef" + ("" if summary else " | us-east-1a | m5.large | Linux/UNIX | 0.0%")
    with pytest.raises(EmulatorError, match="not as AWS Health writes it"):
        send(aws, line, summary=summary)
