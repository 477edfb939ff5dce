"""What was just made is not known everywhere yet: off, unless the server is started with ``--eventual`` (our model).

"The result of an API command you run that affects your Amazon EC2 resources might not be immediately visible to all
subsequent commands you run ... its ID might not have propagated throughout the system, and you will get an error
responding that the resource does not exist": https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html.

Each API does not know a new resource the first time that it is about it, in the first seconds: a call that names the
resource is refused, and a list lacks it. How long AWS takes, no page says. It concerns what roles call: CloudFormation
waits for what it makes, and the account's root is whoever tries. Not so are filters, changes and deletions that take a
while, and what services make by themselves, such as the instances of a group.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from emulator.core import api
from emulator.core.api import Json, client_error
from emulator.core.service import Made, services
from emulator.core.store import Setting, Store, request_scope

SECONDS = 10.0
_ITEMS = ("item", "member")  # of a list, as EC2 and the query protocol write it

switched_on: Setting[bool] = Setting(False)


@dataclass
class _New:
    """One new resource.

    Attributes:
        until: when every API knows it, in seconds of a steady clock.
        asked: the APIs that have been about it, and know it now.
    """

    made: Made
    until: float
    asked: set[str] = field(default_factory=set)


_new: Store[dict[str, _New]] = Store(dict)


def begin(*, on: bool) -> None:
    """Looks at every request from now on; *on*: whether it acts, until somebody says otherwise and after a reset."""
    if observe not in api.observers:
        api.observers.append(observe)
    switched_on.begin(on)


def switch(request: Json) -> Json:
    """``eventual {"on": bool}``: whether what a role has just made is not known everywhere at once."""
    switched_on.value = bool(request["on"])
    return {"on": switched_on.value}


def passed(seconds: float) -> None:
    """Time that nobody waits for has passed, as where a document sleeps."""
    for new in _new.here().values():
        new.until -= seconds


def observe(answer: Callable[[Any], Any], response: Any) -> Any:
    """Stands around a request to moto.

    Raises:
        ClientError: the request names what its API does not know yet.
    """
    if not switched_on.value or not _of_a_role(response.headers):
        return answer(response)
    action = response._get_action()
    with request_scope(response.current_account, response.region):
        kept, now = _new.here(), time.monotonic()
        hidden = {name: new for name, new in kept.items() if now < new.until and action not in new.asked}
        for name in _named(response.querystring):
            if name in hidden:
                hidden[name].asked.add(action)
                raise client_error(hidden[name].made.unknown, f"The ID '{name}' does not exist")
        status, headers, body = answer(response)
        text = body.decode() if isinstance(body, bytes) else str(body)
        if action.startswith("Describe") and any(name in text for name in hidden):
            text = _without(text, hidden, action)
        kept.update({name: _New(made, now + SECONDS) for name, made in _made(action, text)})
    return status, headers, text


def _of_a_role(headers: Mapping[str, str]) -> bool:
    """A key of twelve digits is the account's root, and "local" are calls of the server itself."""
    found = re.search(r"Credential=([^/]+)/", headers.get("Authorization") or "")
    return found is not None and found[1] != "local" and not found[1].isdecimal()


def _named(parameters: Mapping[str, list[str]]) -> Iterator[str]:
    """Values that a request gives; of a filter that fits nothing the answer is empty, and no error."""
    return (value for name, values in parameters.items() if not name.startswith("Filter") for value in values)


def _made(action: str, text: str) -> Iterator[tuple[str, Made]]:
    for service in services():
        if made := service.makes.get(action):
            found = (each.text for each in ElementTree.fromstring(text).iter() if _tag(each) == made.element)  # noqa: S314  moto's own
            yield from ((name, made) for name in found if name)


def _without(text: str, hidden: Mapping[str, _New], action: str) -> str:
    """An answer without the items of its lists that are about what is hidden."""
    root = ElementTree.fromstring(text)  # noqa: S314  moto's own
    for parent in root.iter():
        for item in list(parent):
            if _tag(item) in _ITEMS:
                for part in item:
                    new = hidden.get(part.text or "")
                    if new and new.made.missing_in(action) and _tag(part) == new.made.element:
                        new.asked.add(action)
                        parent.remove(item)
                        break
    return ElementTree.tostring(root, encoding="unicode")


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
