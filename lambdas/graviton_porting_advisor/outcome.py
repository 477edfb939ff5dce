"""The folder of what a build uploads, and the result in it. For the programs of the build; no AWS in here."""

import json
import os
from pathlib import Path

from graviton_porting_advisor.verdict import Verdict


def folder() -> Path:
    """The folder of what is uploaded, below that of the script."""
    return Path(os.environ.get("SCAN_WORK", "/tmp/porting-advisor")) / "out"  # noqa: S108 (a container of its own)


def write(verdict: Verdict) -> int:
    """Writes result.json and says the verdict.

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
