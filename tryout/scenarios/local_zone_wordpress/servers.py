"""Servers of this machine's distribution, for user data that configures them: what stands for systemctl starts them.

Everything is in one folder and on the loopback interface: MariaDB, PHP-FPM and nginx read the configuration that the
user data has written. Where Amazon Linux has users of its own (mysql, apache, nginx), they run as whoever runs this.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tryout.hosts.programs import program
from tryout.paths import REPOSITORY
from tryout.steps import StepNotRunError

WORDPRESS = REPOSITORY / ".local" / "wordpress" / "usr" / "share" / "wordpress"
# What each server takes.
DATABASE = ("mariadbd", "mariadb-install-db", "mariadb", "mkfs.ext4", "resize2fs", "blkid", "curl")
WEB = ("nginx", "php-fpm", "php", "curl")
BALANCER = ("nginx", "openssl", "curl")
NAT = ("nft", "curl")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # folders of nginx


def wordpress() -> Path:
    """WordPress as the distribution packages it.

    Raises:
        StepNotRunError: it is not there.
    """
    if not (WORDPRESS / "wp-load.php").exists():
        raise StepNotRunError(
            "WordPress is not unpacked in .local/wordpress; scripts/servers does it on Debian and Ubuntu"
        )
    return WORDPRESS


def free_port() -> int:
    """A port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Servers:
    """Ends, at its own end, every server that was started in its name.

    Attributes:
        folder: a short path for sockets, whose names may have 107 characters.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="srv-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def mariadb(self, root: Path, port: int) -> str:
        """The shell commands that start MariaDB with the configuration below *root*, and wait until it answers.

        As the packaged unit does, they prepare a folder of data that is empty.
        """
        user, log = getpass.getuser(), root / "mariadb.log"
        data, where = root / "opt/wordpress/data/mysql", self.folder
        prepare = f"{program('mariadb-install-db')} --no-defaults --datadir={data} --user={user}"
        serve = (
            f"{program('mariadbd')} --defaults-file={root}/etc/my.cnf.d/wordpress.cnf --user={user} --port={port} "
            f"--bind-address=127.0.0.1 --socket={where}/db.sock --pid-file={where}/mariadb.pid"
        )
        return f"""
[ -d {data}/mysql ] || {prepare} --auth-root-socket-user={user} --skip-test-db >>{log} 2>&1 || exit 1
{serve} >>{log} 2>&1 </dev/null &
for look in $(seq 100); do
  {program("mariadb")} --no-defaults --socket={where}/db.sock --execute='DO 1' >/dev/null 2>&1 && exit 0
  /bin/sleep 0.1
done
exit 1"""

    @property
    def mariadb_client(self) -> str:
        """The shell command of a client on the machine of the database."""
        return f'exec {program("mariadb")} --no-defaults --socket={self.folder}/db.sock "$@"'

    def web(self, root: Path) -> str:
        """The shell commands that start PHP-FPM and nginx with the configuration below *root*, anew if they run."""
        user, where = getpass.getuser(), self.folder
        serve = f"{program('php-fpm')} --nodaemonize --allow-to-run-as-root"
        return f"""
for file in {where}/fpm.pid {where}/nginx.pid {where}/uploads.pid; do
  [ -e $file ] && old=$(cat $file) && kill $old 2>/dev/null || continue
  while kill -0 $old 2>/dev/null && ! grep -q 'State:.Z' /proc/$old/status; do /bin/sleep 0.05; done
done
sed 's/apache\\|nginx$/{user}/' {root}/etc/php-fpm.d/wordpress.conf >{where}/pool.conf
printf '[global]\\npid = {where}/fpm.pid\\n' >{where}/fpm.conf
printf 'error_log = {root}/fpm.log\\ninclude = {where}/pool.conf\\n' >>{where}/fpm.conf
{serve} --fpm-config {where}/fpm.conf >>{root}/fpm.log 2>&1 </dev/null &
for look in $(seq 100); do [ -S {root}/opt/wordpress/php.sock ] && break; /bin/sleep 0.05; done
{self._uploads(root)}
{self.nginx(root)}"""

    def _uploads(self, root: Path) -> str:
        """The shell commands that start the nginx of the uploads; what it writes is below *root* too."""
        conf, types = root / "etc/nginx/uploads.conf", root / "etc/nginx/mime.types"
        paths = " ".join(f"{kind}_temp_path {self.folder}/uploads-{kind};" for kind in TEMPORARY)
        start = f"{program('nginx')} -c {conf} -e {root}/uploads.log >>{root}/uploads.log 2>&1 </dev/null"
        return f"""
rm -f {root}/opt/wordpress/uploads.sock
cp /etc/nginx/mime.types {types}
sed -i 's/^user nginx/user {getpass.getuser()}/; s|^pid .*|pid {self.folder}/uploads.pid;|' {conf}
sed -i 's|^http {{|&{paths}|; s|^error_log.*|error_log {root}/uploads.log;|' {conf}
{start}"""

    def nginx(self, root: Path) -> str:
        """The shell commands that check nginx's configuration below *root* and start nginx."""
        where = self.folder
        lines = [
            f"user {getpass.getuser()};" if os.getuid() == 0 else "",
            "worker_processes 1;",
            f"pid {where}/nginx.pid;",
            f"error_log {root}/nginx.log;",
            f"events {{ }} http {{ access_log {root}/access.log; include {root}/etc/nginx/conf.d/*.conf;",
            *(f"{kind}_temp_path {where}/{kind};" for kind in TEMPORARY),
            "}",
        ]
        (where / "nginx.conf").write_text("\n".join(lines))
        start = f"{program('nginx')} -c {where}/nginx.conf -e {root}/nginx.log"
        return f"{start} -t >>{root}/nginx.log 2>&1 || exit 1\n{start} >>{root}/nginx.log 2>&1 </dev/null"

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends the server of a pid file and waits until its pid file or itself is gone."""
        file = self.folder / f"{name}.pid"
        if not file.exists():
            return
        process = int(file.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
            for _ in range(200):
                os.kill(process, 0)
                if _zombie(process):
                    break
                subprocess.run(["/bin/sleep", "0.05"], check=False)
        file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def frozen(self, name: str, *, children: bool = False) -> Iterator[None]:
        """Stops a server, or only its workers, as what waits for a disk is stopped; afterwards it goes on."""
        process = int((self.folder / f"{name}.pid").read_text())
        listed = Path(f"/proc/{process}/task/{process}/children").read_text().split() if children else [process]
        for each in listed:
            os.kill(int(each), signal.SIGSTOP)
        try:
            yield
        finally:
            for each in listed:
                os.kill(int(each), signal.SIGCONT)

    def stop(self) -> None:
        """Ends them all. Doing it twice does no harm."""
        for name in ("nginx", "uploads", "fpm", "mariadb"):
            self.end(name)
        shutil.rmtree(self.folder, ignore_errors=True)


def _zombie(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
