"""What docs/guide/key_and_topic.md says that a key and a topic of the user's must allow, for one solution."""

import json
import re
from typing import Any

from stacks.documents import own_key_and_topic
from tests.variants import ROOT

Json = dict[str, Any]


def of_key(slug: str) -> list[Json]:
    """The statements of the key's policy that the solution's README names."""
    return _named("key", own_key_and_topic(slug)[0])


def of_topic(slug: str) -> list[Json]:
    """Those of the topic's policy."""
    return _named("topic", own_key_and_topic(slug)[1])


def _named(of: str, said: str) -> list[Json]:
    names = set(re.findall(r"`([A-Z]\w+)`", said))
    if "AutoScaling" in names:
        names.add("AutoScalingGrants")  # "which goes with it"
    text = (ROOT / "docs/guide/key_and_topic.md").read_text(encoding="utf-8")
    found = re.search(rf"```json {of} policy\n(.*?)```", text, re.DOTALL)
    assert found
    return [statement for statement in json.loads(found[1]) if statement["Sid"] in names]
