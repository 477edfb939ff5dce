"""A fresh world for every case, without building it hundreds of times: built once, then copied with all of moto."""

import io
import pickle
import threading
import types
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from moto.core.base_backend import BackendDict
from moto.ssm.models import ParameterDict

Regions = dict[str, dict[str, Any]]

_built: dict[Callable[[], Any], "_Snapshot | None"] = {}

# What cannot be pickled by itself. A copy of something locked starts unlocked.
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
# What a copy shares with its original, as copy.deepcopy has it: code and classes do not change.
_SHARED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, weakref.ref, property)


class _Snapshot:
    """A world and, of every service that moto holds, its backends by account and Region."""

    def __init__(self, world: Any) -> None:
        services = list(dict.fromkeys(map(_Identity, BackendDict._instances)))
        self._services = [service.backends for service in services]
        regions: list[Regions] = [{name: dict(account) for name, account in each.items()} for each in self._services]
        self._kept = _Kept((world, regions))

    def restore(self) -> Any:
        """Puts a copy of it all back into moto and returns the world."""
        empty()
        world, regions = self._kept.copy()
        for service, accounts in zip(self._services, regions, strict=True):
            for account, backends in accounts.items():
                for region, backend in backends.items():
                    service[account][region] = backend
        return world


class _Kept:
    """Something of which there can be many copies: to read bytes is ten times as fast as copy.deepcopy.

    Raises:
        TypeError, pickle.PicklingError: it cannot be copied.
    """

    def __init__(self, value: Any) -> None:
        self._shared: list[Any] = []
        written = io.BytesIO()
        _Writer(written, self._shared).dump(value)
        self._bytes = written.getvalue()

    def copy(self) -> Any:
        """A new one, which shares no state with the others."""
        return _Reader(io.BytesIO(self._bytes), self._shared).load()


class _Writer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shared: list[Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._shared = shared

    def persistent_id(self, obj: Any) -> int | None:
        if not isinstance(obj, _SHARED):
            return None
        self._shared.append(obj)
        return len(self._shared) - 1

    def reducer_override(self, obj: Any) -> Any:
        reduced = _REDUCED.get(type(obj))
        return reduced(obj) if reduced else NotImplemented


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: list[Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: int) -> Any:
        return self._shared[pid]


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
        with suppress(TypeError, pickle.PicklingError):
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
