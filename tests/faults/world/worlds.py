"""A fresh world for every case, without building it hundreds of times: built once, then copied with all of moto."""

import copyreg
import threading
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any
from unittest.mock import patch

from moto.core.base_backend import BackendDict
from moto.ssm.models import ParameterDict

Regions = dict[str, dict[str, Any]]

_built: dict[Callable[[], Any], "_Snapshot | None"] = {}

# What refuses to be copied by itself, or cannot. A copy of something locked starts unlocked.
_REDUCED: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    type(threading.Lock()): lambda lock: (threading.Lock, ()),
    type(threading.RLock()): lambda lock: (threading.RLock, ()),
    threading.Condition: lambda condition: (threading.Condition, ()),
    ParameterDict: lambda held: (
        ParameterDict,
        (held.account_id, held.region_name),
        dict(vars(held)),
        None,
        iter(held.items()),
    ),
}


class _Snapshot:
    """A world and, of every service that moto holds, its backends by account and Region."""

    def __init__(self, world: Any) -> None:
        services = list(dict.fromkeys(map(_Identity, BackendDict._instances)))
        self._services = [service.backends for service in services]
        regions: list[Regions] = [{name: dict(account) for name, account in each.items()} for each in self._services]
        self._kept = _copy((world, regions))

    def restore(self) -> Any:
        """Puts a copy of it all back into moto and returns the world."""
        empty()
        world, regions = _copy(self._kept)
        for service, accounts in zip(self._services, regions, strict=True):
            for account, backends in accounts.items():
                for region, backend in backends.items():
                    service[account][region] = backend
        return world


class _Identity:
    """A dictionary of backends as itself: two of them may be equal while both are empty."""

    def __init__(self, backends: Any) -> None:
        self.backends = backends

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.backends is other.backends

    def __hash__(self) -> int:
        return id(self.backends)


def fresh_world(build: Callable[[], Any]) -> Any:
    """Returns a world as `build` makes it, in an AWS that holds nothing else.

    What cannot be copied is built each time. A world that is copied is as old as its first building: seconds, within
    which times of its own that are minutes apart still mean the same.
    """
    if build not in _built:
        empty()
        world = build()
        _built[build] = None
        with suppress(TypeError):
            _built[build] = _Snapshot(world)
        return world
    if snapshot := _built[build]:
        return snapshot.restore()
    empty()
    return build()


def empty() -> None:
    """Empties moto.

    As BackendDict.reset does, without first making every backend anew, only to drop it: a default VPC for each.
    """
    for backend in BackendDict._instances:
        backend.clear()
        # S3 keeps beside its backends whose each bucket is, and looks for ever for one that is gone.
        getattr(backend, "bucket_accounts", {}).clear()
    BackendDict._instances.clear()


def forget() -> None:
    """Forgets the worlds of an earlier laboratory."""
    _built.clear()


def _copy(value: Any) -> Any:
    with patch.dict(copyreg.dispatch_table, _REDUCED):
        return deepcopy(value)
