"""Links of documents become the site's, and what leads nowhere stops the build."""

import pytest

from website.links import BrokenLinkError, Links

FILE = "stacks/spot_asg/README.md"
PAGE = "solutions/spot_asg/index.md"


def links(repository: str = "https://forge.example/blob/1") -> Links:
    known = Links(repository)
    known.pages = {FILE: PAGE, "docs/decisions.md": "decisions.md"}
    known.parts = {(FILE, "alarm-errors"): "solutions/spot_asg/alarms.md"}
    return known


def rewritten(text: str, known: Links | None = None) -> str:
    return (known or links()).rewritten(text, file=FILE, page=PAGE)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("[why](../../docs/decisions.md)", "[why](../../decisions.md)"),
        ("[errors](#alarm-errors)", "[errors](alarms.md#alarm-errors)"),
        ("[code](stack.py)", "[code](https://forge.example/blob/1/stacks/spot_asg/stack.py)"),
        ("[post](https://example.org/a)", "[post](https://example.org/a)"),
        ("[`c`](stack.py), `[no](a.py)`", "[`c`](https://forge.example/blob/1/stacks/spot_asg/stack.py), `[no](a.py)`"),
        ("```\n[no](link.py)\n```", "```\n[no](link.py)\n```"),
    ],
)  # fmt: skip
def test_a_link_leads_to_its_page(there: str, here: str) -> None:
    assert rewritten(there) == here


def test_a_picture_goes_along() -> None:
    known = links()
    text = rewritten("![a dashboard](../../docs/pictures/spot_asg.png)", known)
    assert text == "![a dashboard](../../pictures/spot_asg.webp){ loading=lazy }"
    assert known.pictures == {"pictures/spot_asg.webp": "docs/pictures/spot_asg.png"}


def test_without_an_address_of_the_repository_code_is_named_and_not_linked() -> None:
    assert rewritten("see [the stack](stack.py).", links("")) == "see the stack."


def test_a_link_to_nothing_stops_the_build() -> None:
    with pytest.raises(BrokenLinkError, match=r"stacks/spot_asg/README\.md: nowhere\.py does not exist"):
        rewritten("[gone](nowhere.py)")
