"""Puts pip into an environment that was made without it, as on a Debian without the package python3-venv."""

import hashlib
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

URL = (
    "https://files.pythonhosted.org/packages/b7/3f/945ef7ab14dc4f9d7f40288d2df998d1837ee0888ec3659c813487572faa/"
    "pip-25.2-py3-none-any.whl"
)
SHA256 = "6d67a2b4e7f14d8b31b8b52648866fa717f45a1eb70e83002f4331d07e953717"


def main() -> None:
    """Downloads pip's wheel, checks it, and lets it install itself.

    Raises:
        SystemExit: the wheel is not the expected one.
    """
    wheel = urllib.request.urlopen(URL, timeout=60).read()
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        sys.exit("pip's wheel is not the expected one")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / URL.rsplit("/", 1)[-1]
        path.write_bytes(wheel)
        # A wheel is a zip archive, and Python runs a package inside one.
        subprocess.run([sys.executable, f"{path}/pip", "install", "--no-index", str(path)], check=True)


if __name__ == "__main__":
    main()
