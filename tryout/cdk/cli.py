"""The CDK CLI, as a user would call it, against the embedded AWS."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tryout.cdk.child import Child, ChildError, last_lines
from tryout.paths import REPOSITORY

PLAIN = ("--no-color", "--no-notices", "--no-version-reporting")


class CdkError(Exception):
    """A call of the CDK CLI failed; the message has the end of what it printed and names the log."""


class Cdk:
    """Runs the CLI of this checkout in the repository's folder and keeps what it prints in log files.

    To load the CLI takes two seconds of processor time, more than most commands: it is loaded once, by cdk.cjs.

    Args:
        environment: of the embedded AWS.
        log: of the process that has the CLI loaded.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        path = f"{REPOSITORY / 'node_modules/.bin'}{os.pathsep}{os.environ['PATH']}"
        cdk, node = (shutil.which(name, path=path) for name in ("cdk", "node"))
        if cdk is None or node is None:
            raise CdkError("the CDK CLI is not installed: run 'make install'")
        library = Path(cdk).resolve().parent.parent / "lib" / "index.js"
        self._child = Child([node, str(Path(__file__).with_name("cdk.cjs")), str(library)], log, environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._child.__exit__(kind, error, traceback)

    def __call__(self, log: Path, *arguments: str) -> int:
        """Runs ``cdk <arguments>``; its output goes to the log.

        Returns:
            The CLI's exit status.

        Raises:
            CdkError: its process has ended.
        """
        try:
            return int(self._child.ask({"arguments": [*arguments, *PLAIN], "log": str(log)})["status"])
        except ChildError as error:
            raise CdkError(f"cdk {arguments[0]}: {error}") from None

    def require(self, log: Path, *arguments: str) -> None:
        """Runs ``cdk <arguments>`` and insists on success.

        Raises:
            CdkError: the CLI's exit status is not 0.
        """
        if self(log, *arguments) != 0:
            raise CdkError(f"cdk {arguments[0]} failed: {last_lines(log)}")
