"""The folder with a build's files to upload, and the result in it. For the build's programs; no AWS in here."""

import json
import os
from pathlib import Path

from graviton_porting_advisor.verdict import Verdict


def folder() -> Path:
    """The folder of files to upload, in the script's work folder."""
    return Path(os.environ.get("SCAN_WORK", "/tmp/porting-advisor")) / "out"  # noqa: S108 (a container of its own)


def write(verdict: Verdict) -> int:
    """Writes result.json and prints the verdict.

    Returns:
        the exit status.
    """
    about = {
        "source": os.environ["SOURCE"],
        "slug": os.environ["SLUG"],
        "build": os.environ["CODEBUILD_BUILD_ID"],
        "version": os.environ.get("CODEBUILD_RESOLVED_SOURCE_VERSION", ""),
        "tool": os.environ["TOOL_COMMIT"],
    }
    (folder() / "result.json").write_text(json.dumps(about | verdict.to_json(), indent=1), encoding="utf-8")
    print(f"{verdict.result.value}: {verdict.says}")
    return verdict.status
