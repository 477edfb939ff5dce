"""The embedded AWS as if it were an account: a user's files with profiles that lead to it."""

import os
import subprocess
from pathlib import Path

from emulator.client import EmbeddedAws
from tests.variants import ROOT


class Profiles:
    """The files of a user who has profiles in an account, and nothing else in the environment."""

    def __init__(self, aws: EmbeddedAws, folder: Path) -> None:
        self.aws, self.folder, self._text = aws, folder, ""

    def add(self, name: str, key: str = "", secret: str = "local") -> None:  # noqa: S107
        keys = f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\n" if key else ""
        lines = f"endpoint_url = {self.aws.endpoint_url}\nca_bundle = {self.aws.authority}\n"
        self._text += f"[profile {name}]\n{keys}{lines}"
        (self.folder / "config").write_text(self._text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
        return kept | self.variables

    @property
    def variables(self) -> dict[str, str]:
        trusted = dict.fromkeys(("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), str(self.aws.authority))
        local = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        return {
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_HOME": str(self.folder / "cdk-home"),
            **trusted,
            **local,
        }

    def bootstrap(self, name: str) -> None:
        """As every account and Region is, once, by a profile."""
        cdk = str(ROOT / "node_modules/.bin/cdk")
        where = f"aws://{self.aws.account}/{self.aws.region}"
        command = [cdk, "bootstrap", "--app", "", where, "--no-notices", "--no-version-reporting"]
        environment = self.environment | {"AWS_PROFILE": name}
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
