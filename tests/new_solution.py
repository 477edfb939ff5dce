"""A new solution beside those of the checkout, as ``make new`` writes it.

``python -m tests.new_solution`` synthesizes it with every check, CloudFormation's own validation among them, which
takes longer than all else: .ci/run has it, and ``make test`` the rest.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.new import write
from tests.variants import ROOT

SLUG = "zone_counter"


def house(copy: Path) -> Path:
    """What the app is made of, with a new solution; what that leaves alone is the checkout's own, compiled already.

    Args:
        copy: a folder that is not there yet.
    """
    for folder in ("lambdas", "stacks"):
        (copy / folder).mkdir(parents=True)
        for path in (ROOT / folder).iterdir():
            if path.name not in ("__pycache__", "series.py"):
                (copy / folder / path.name).symlink_to(path)
    (copy / "scripts").symlink_to(ROOT / "scripts")
    shutil.copytree(ROOT / "config", copy / "config", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "cdk.json", "pyproject.toml", "stacks/series.py"):
        shutil.copy(ROOT / name, copy / name)
    write(SLUG, copy)
    return copy


def python(house: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """A Python process in its folder."""
    return subprocess.run([sys.executable, *words], cwd=house, capture_output=True, text=True, check=False)


def synthesized(house: Path, *, validated: bool) -> "subprocess.CompletedProcess[str]":
    """Synthesizes it with cdk-nag, and asks the program what it costs.

    Args:
        validated: whether CloudFormation's validation looks at it too.
    """
    program = f"""
from app import build, check, wanted
from aws_cdk import App
from pathlib import Path
from stacks.__main__ import main
from stacks.configuration import configuration

app = App(context={{"only": "{SLUG}"}}, builtin_cloud_formation_validation={validated})
check(build(app, configuration(Path("config/config.yaml"), lambda common: wanted(app, common)))).synth()
raise SystemExit(main(["{SLUG}", "cost"]))
"""
    return python(house, "-c", program)


def main() -> int:
    """Synthesizes it; what is found is printed."""
    with tempfile.TemporaryDirectory() as folder:
        ended = synthesized(house(Path(folder) / SLUG), validated=True)
    print(ended.stdout + ended.stderr, end="")
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())
