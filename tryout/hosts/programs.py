"""Programs of this machine that stand for what an instance has, where there are any."""

import os
import shutil
from pathlib import Path

from tryout.steps import StepNotRunError


def search_path() -> str:
    """PATH, and beside each of its ``bin`` the ``sbin``, where servers are and no user's PATH looks."""
    folders = [Path(each) for each in os.environ.get("PATH", os.defpath).split(os.pathsep) if each]
    beside = [each.with_name("sbin") for each in folders if each.name == "bin"]
    return os.pathsep.join(str(each) for each in dict.fromkeys([*folders, *beside]))


def _found(name: str) -> str | None:
    """Where a program is; PHP-FPM's name ends with its version: the newest one."""
    if name == "php-fpm":
        versions = {file.name for each in search_path().split(os.pathsep) for file in Path(each).glob("php-fpm*")}
        name = max(versions, default=name)
    return shutil.which(name, path=search_path())


def require(*names: str) -> None:
    """Insists on programs.

    Raises:
        StepNotRunError: some of them are not installed; the message names all of these.
    """
    if missing := [name for name in names if _found(name) is None]:
        verb = "is" if len(missing) == 1 else "are"
        raise StepNotRunError(
            f"{', '.join(missing)} {verb} not installed; scripts/servers does it on Debian and Ubuntu"
        )


def program(name: str) -> str:
    """Where a program of this machine is.

    Raises:
        StepNotRunError: it is not installed.
    """
    require(name)
    return str(_found(name))
