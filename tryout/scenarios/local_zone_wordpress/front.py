"""The self-managed load balancer's nginx, as its user data has configured it, on ports of the loopback interface."""

import shlex
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tryout.hosts.programs import program, search_path
from tryout.hosts.user_data import Boot
from tryout.scenarios.local_zone_wordpress.servers import Servers, free_port
from tryout.steps import expect
from tryout.waits import wait_until

# The address of an emulated instance is nobody's here: whoever asks it for its health is answered as it would answer.
CURL = 'case " $* " in *" https://127.0.0.1:"*) exec {curl} "$@" ;; esac\nexit 0'


class Front:
    """Runs as long as its context lasts; 80 and 443 are not ours to take.

    Args:
        done: the boot of the instance.
        environment: the instance's, with the credentials of its role.
        targets: what nginx is to take for the list of instances; None: what is there.
    """

    def __init__(self, done: Boot, environment: Mapping[str, str], targets: str | None = None) -> None:
        self._done, self._environment, self._targets = done, environment, targets
        self._servers = Servers()
        self.secure, self.plain = free_port(), free_port()

    def __enter__(self) -> Self:
        if self._targets is not None:
            self._done.path("/etc/nginx/targets").write_text(self._targets)
        root, config = self._done.root, self._done.path("/etc/nginx/conf.d/wordpress.conf")
        delivered = root / "delivered.conf"
        if not delivered.exists():
            delivered.write_text(config.read_text())
        text = delivered.read_text().replace("listen 443 ", f"listen 127.0.0.1:{self.secure} ")
        config.write_text(text.replace("listen 80 ", f"listen 127.0.0.1:{self.plain} "))
        started = subprocess.run(["bash", "-c", self._servers.nginx(root)], check=False)  # noqa: S607 - the machine's bash
        log = root / "nginx.log"
        expect(started.returncode == 0, log.read_text()[-300:] if log.exists() else "nginx did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.stop()

    def page(self, path: str) -> tuple[str, Any]:
        """A page over TLS by the certificate that is there, and its headers."""
        context = ssl.create_default_context(cafile=str(self._done.path("/etc/nginx/tls/site.pem")))
        context.check_hostname = False
        request = urllib.request.Request(f"https://127.0.0.1:{self.secure}{path}")
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:  # noqa: S310
            return answer.read().decode(), answer.headers

    def redirect(self) -> tuple[int, str]:
        """What the port of HTTP answers: status and Location."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any, **__: Any) -> None: ...

        try:
            urllib.request.build_opener(Stay).open(f"http://127.0.0.1:{self.plain}/", timeout=10)
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers.get("Location", "")
        return 200, ""

    def serves(self, pem: str) -> bool:
        """Whether it serves the certificate that a PEM begins with; a reload takes a moment."""

        def served() -> bool:
            return pem.startswith(ssl.get_server_certificate(("127.0.0.1", self.secure)).strip())

        wait_until("the certificate", served, seconds=20)
        return True

    def renew(self) -> int:
        """Does what wordpress-certificate.timer does; the status that it ends with."""
        conf, log = self._servers.folder / "nginx.conf", self._done.root / "nginx.log"
        programs = {
            "nginx": f'exec {program("nginx")} -c {conf} -e {log} "$@"',
            "systemctl": f'[ "$*" != "reload nginx" ] || kill -HUP $(cat {self._servers.folder}/nginx.pid)',
        }
        return self._run("certificate.sh", "wordpress-certificate", programs).returncode

    def look(self) -> str:
        """Does what wordpress-targets.service does, once; what it said besides."""
        programs = {"curl": CURL.format(curl=program("curl"))}
        site = f"https://127.0.0.1:{self.secure}"
        return self._run("targets.sh", "wordpress-targets", programs, "once", SITE=site).stderr[-300:]

    def _run(
        self, script: str, unit: str, programs: Mapping[str, str], *words: str, **more: str
    ) -> subprocess.CompletedProcess[str]:
        folder = self._done.root / "programs"
        for name, command in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{command}\n")
            (folder / name).chmod(0o755)
        given = [value for name, value in self._done.directives(unit) if name == "Environment"]
        variables = dict(pair.split("=", 1) for line in given for pair in shlex.split(line))
        path = f"{folder}:{search_path()}"
        return subprocess.run(
            ["bash", str(self._done.path(f"/opt/wordpress/{script}")), *words],  # noqa: S607 - the machine's bash
            env={**self._environment, **variables, "PATH": path, **more},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )


def signed(name: str, folder: Path) -> str:
    """A certificate and its key in PEM, one after the other, as the secret of a site has them."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", f"/CN={name}"]
    subprocess.run(
        [program("openssl"), *words, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60
    )
    return certificate.read_text() + key.read_text()
