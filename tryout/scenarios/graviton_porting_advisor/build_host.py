"""A stand-in for CodeBuild that really runs a buildspec: the phases with sh, and the image's programs.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

STAND_INS = Path(__file__).parent / "stand_ins"
PHASES = ("install", "pre_build", "build", "post_build")
LONGEST_SECONDS = 600
# For the images in projects.py: runtimes.yml of al/aarch64/standard/3.0 and al/x86_64/standard/5.0 in
# https://github.com/aws/aws-codebuild-docker-images.
RUNTIMES = {
    "python": {"3.9", "3.10", "3.11", "3.12", "3.13", "3.14"},
    "java": {f"corretto{n}" for n in (8, 11, 17, 21, 25)},
}


@dataclass(frozen=True)
class Ran:
    """The result of the phases.

    Attributes:
        statuses: exit status of each phase that ran; 0 is success.
        output: output of all commands.
    """

    statuses: Mapping[str, int]
    output: str

    @property
    def failed_phase(self) -> str:
        """The first phase that failed; empty if none did."""
        return next((phase for phase, status in self.statuses.items() if status), "")


def run(buildspec: str, environment: Mapping[str, str], folder: Path) -> Ran:
    """Runs the commands of a buildspec phase by phase, as CodeBuild does.

    It starts in the source, as CodeBuild does. A failed command ends its phase; a failed install or pre_build ends the
    build, and after a failed build post_build still runs.
    """
    said = yaml.safe_load(buildspec)
    for runtime, version in said["phases"].get("install", {}).get("runtime-versions", {}).items():
        if str(version) not in RUNTIMES[runtime]:
            raise ValueError(f"YAML_FILE_ERROR: unknown runtime version {runtime} {version}")
    statuses: dict[str, int] = {}
    output, source = "", Path(environment["CODEBUILD_SRC_DIR"])
    for phase in PHASES:
        for command in said["phases"].get(phase, {}).get("commands", []):
            succeeding = "0" if any(statuses.values()) else "1"
            done = subprocess.run(
                ["sh", "-e", "-c", command],  # noqa: S607
                env={**environment, "CODEBUILD_BUILD_SUCCEEDING": succeeding},
                cwd=source if source.is_dir() else folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=LONGEST_SECONDS,
            )
            output += done.stdout
            statuses[phase] = done.returncode
            if done.returncode:
                break
        if statuses.get(phase) and phase in ("install", "pre_build"):
            break
    return Ran(statuses, output)


def image_programs(folder: Path) -> str:
    """A PATH whose python3 makes environments without a network; everything else is this machine's."""
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "python3"
    python.write_text(
        f"""#!/bin/sh
# The image's python3 is pyenv's, which looks for a version file in the current folder and its parents.
above=$PWD
while [ -n "$above" ]; do
  if [ -f "$above/.python-version" ]; then
    echo "pyenv: version is not installed (set by $above/.python-version)" >&2
    exit 1
  fi
  above=${{above%/*}}
done
if [ "$1 $2" = "-m venv" ]; then
  # Like Python: modules in the current folder are imported first.
  [ ! -f venv.py ] || exec '{sys.executable}' venv.py
  mkdir -p "$3/bin"
  ln -s '{sys.executable}' "$3/bin/python"
  cp '{STAND_INS / "pip.sh"}' "$3/bin/pip"
  exit 0
fi
# The image's python3 has none of this machine's packages.
exec '{sys.executable}' -S "$@"
""",
        encoding="utf-8",
    )
    python.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def advisor_repository(folder: Path) -> tuple[str, str]:
    """A repository with the stand-in for the advisor; returns its address and the one commit in it."""
    source = folder / "src"
    source.mkdir(parents=True)
    (source / "porting-advisor.py").write_bytes((STAND_INS / "advisor.py").read_bytes())
    git = {
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"],
    }  # fmt: skip
    for words in (
        ["init", "--quiet"],
        ["config", "uploadpack.allowAnySHA1InWant", "true"],
        ["add", "."],
        ["commit", "--quiet", "--message", "stand-in"],
    ):
        subprocess.run(["git", *words], cwd=folder, env=git, check=True)  # noqa: S607
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=folder,
        env=git,
        check=True,
        capture_output=True,
        text=True,
    )
    return f"file://{folder}", found.stdout.strip()
