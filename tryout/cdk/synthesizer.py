"""``python -m tryout.cdk.synthesizer``: cloud assemblies as app.py makes them, one after another in one process.

To import the library and start its JavaScript half takes seconds; one more app takes a fraction of one.
Reads {"config": file, "slug": solution, "assembly": folder} a line, answers {} or {"error": sentence}.
"""

import json
import sys
from pathlib import Path

from tryout.paths import REPOSITORY


def main() -> None:
    """Answers requests until its input ends."""
    # What the library prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    while line := sys.stdin.readline():
        print(json.dumps(_answer(**json.loads(line))), file=answers, flush=True)


def _answer(config: str, slug: str, assembly: str) -> dict[str, str]:
    try:
        synthesize(Path(config), slug, Path(assembly))
    except Exception as error:  # the sentence is for whoever has asked; this process goes on
        return {"error": f"{type(error).__name__}: {error}"}
    return {}


def synthesize(config: Path, slug: str, assembly: Path) -> None:
    """Writes the cloud assembly of one solution. Templates are not validated: `make check` does that."""
    from aws_cdk import App  # takes seconds, and whoever imports this module need not want it at once

    from app import build
    from config.loader import load
    from stacks.catalog import settings_by_slug

    flags = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    # What the CLI tells an app, besides the flags.
    told = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
    app = App(
        context={**flags, **told, "only": slug},
        outdir=str(assembly),
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
    )
    build(app, load(config, settings_by_slug())).synth()


if __name__ == "__main__":
    main()
