"""The service models of botocore, read once a process: each session reads its own, and ``mock_aws`` makes sessions."""

from typing import Any

from botocore import loaders
from botocore.loaders import Loader

_read: dict[tuple[Any, ...], dict[Any, Any]] = {}
_begin = Loader.__init__


def read_once() -> None:
    """Lets all loaders that look in the same places share what they have read.

    In plain dictionaries, which keep their order too and take half the memory of botocore's.
    """

    def begin(loader: Any, *args: Any, **more: Any) -> None:
        _begin(loader, *args, **more)
        places = type(loader), tuple(loader.search_paths), tuple(loader.extras_types)
        loader._cache = _read.setdefault(places, {})

    Loader.__init__ = begin
    loaders.OrderedDict = dict
