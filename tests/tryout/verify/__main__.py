"""``python -m tests.tryout.verify COMMAND``: runs a command with a profile ``root`` that leads to an embedded AWS."""

import subprocess
import sys
import tempfile
from pathlib import Path

from emulator.client import EmbeddedAws
from tests.tryout.verify.profiles import Profiles
from tests.variants import ROOT


def main() -> int:
    """Bootstraps the account and runs the command.

    Returns:
        The command's status.
    """
    with tempfile.TemporaryDirectory() as folder, EmbeddedAws(Path(folder) / "aws") as aws:
        profiles = Profiles(aws, Path(folder))
        profiles.add("root", aws.account)
        profiles.bootstrap("root")
        return subprocess.run(sys.argv[1:], env=profiles.environment, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
