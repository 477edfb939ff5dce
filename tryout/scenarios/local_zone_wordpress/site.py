"""The post's site, as far as one machine can be it: a real MariaDB, real PHP, a real WordPress, served by nginx.

The delivered user data does here, in a folder for each instance, what it would do on the instances of the zone: with
the permissions of their roles, their secrets from the embedded Secrets Manager, and the servers of this machine's
distribution. WordPress is the distribution's too, in place of the pinned release, which no test may download. Mounting,
NFS and the packages of Amazon Linux are only recorded.
"""

import re
import signal

from tryout.hosts.programs import require
from tryout.scenario import expect, step
from tryout.scenarios.local_zone_wordpress.front import Front
from tryout.scenarios.local_zone_wordpress.looks import WEB_PORT
from tryout.scenarios.local_zone_wordpress.servers import BALANCER, DATABASE
from tryout.scenarios.local_zone_wordpress.zone import LocalZoneWordpressZone
from tryout.waits import wait_until


class LocalZoneWordpressSite(LocalZoneWordpressZone):
    """Booted, served, and alive after an instance of WordPress and that of the database are replaced."""

    # The site

    @step(
        "the database boots on a blank volume: formatted, attached, MariaDB up, password from its secret",
        "real-code",
        only=("local-zone",),
        needs=(),
    )
    def database(self) -> str:
        require(*DATABASE)
        instance = self._member("DatabaseGroup")
        done = self._boot_database("database-1", instance)
        (volume,) = self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"]
        expect(volume["Attachments"][0]["InstanceId"] == instance, f"{volume['Attachments']}")
        expect([call[0] for call in done.calls].count("mkfs.ext4") == 1, "the volume was not formatted")
        password = self._secret("Password")
        expect(not [call for call in done.calls if password in " ".join(call)], "the password was an argument")
        expect(self._sql(password, "SELECT 1") == "1", "the user cannot log in")
        expect("denied" in self._sql("wrong", "SELECT 1"), "a wrong password is let in")
        return self._sql(password, "SELECT VERSION()")

    @step("a second boot changes nothing and formats nothing", "real-code", only=("local-zone",), needs=(database,))
    def again(self) -> str:
        password = self._secret("Password")
        self._sql(
            password, "CREATE TABLE IF NOT EXISTS wordpress.kept (word TEXT); INSERT INTO wordpress.kept VALUES ('x')"
        )
        done = self._boot_database("database-1", self._member("DatabaseGroup"))
        expect("mkfs.ext4" not in [call[0] for call in done.calls], "it formatted the volume")
        expect(self._sql(password, "SELECT word FROM wordpress.kept") == "x", "the row is gone")
        return "blkid found the file system"

    @step(
        "WordPress boots: secrets by its role, tables made, served by nginx and PHP-FPM",
        "real-code",
        only=("local-zone",),
        needs=(database,),
    )
    def web(self) -> str:
        done = self._boot_web("web-1", self._member("WebGroup"))
        root = self.servers.folder / "web-1"
        expect("installed" in done.output, done.output[-300:])
        config = done.path("/opt/wordpress/settings.ini")
        expect(oct(config.stat().st_mode & 0o777) == "0o640", oct(config.stat().st_mode))
        status, page = self._get("/healthz")
        expect((status, page) == (200, "ok"), f"{status}: {page[:100]}")
        status, page = self._get("/wp-login.php")
        expect(status == 200 and 'id="loginform"' in page, f"{status}: {page[:200]}")
        version = re.search(
            r"wp_version = '([^']+)'", (root / "opt/wordpress/site/wp-includes/version.php").read_text()
        )
        return f"WordPress {version[1] if version else ''} of the distribution on nginx"

    @step(
        "the administrator logs in with the generated password, and with no other",
        "real-code",
        only=("local-zone",),
        needs=(web,),
    )
    def log_in(self) -> str:
        wrong = self._log_in("wrong")
        expect("wordpress_logged_in" not in wrong, f"{wrong}")
        right = self._log_in(self._secret("Admin"))
        expect("wordpress_logged_in" in right, f"{right}")
        return "one cookie for admin, none for a wrong password"

    @step(
        "the remote interface, hidden files and uploaded scripts are not served",
        "real-code",
        only=("local-zone",),
        needs=(web,),
    )
    def refused(self) -> str:
        uploads = self.servers.folder / "web-1/opt/wordpress/site/wp-content/uploads"
        (uploads / "shell.php").write_text("<?php echo 'ran';")
        answers = {path: self._get(path) for path in ("/xmlrpc.php", "/.git/config", "/wp-content/uploads/shell.php")}
        seen = {path: status for path, (status, _) in answers.items()}
        expect(seen["/xmlrpc.php"] == 403 and seen["/.git/config"] == 404, f"{seen}")
        # As a file, if at all: its text and not what it would print.
        expect(answers["/wp-content/uploads/shell.php"][1] != "ran", "an uploaded script was run")
        return f"{seen}"

    @step(
        "the self-managed load balancer lists who answers; nginx takes its configuration",
        "real-code",
        only=("local-zone",),
        needs=(web,),
    )
    def balancer(self) -> str:
        require(*BALANCER)
        instance = self._balancer()
        done, environment = self._boot("balancer", instance, {}), self._environment(instance)
        with Front(done, environment) as front:
            said = front.look()
        expect(not self._told("SiteAnswers"), "a site that has never answered is told of: a deployment is under way")
        targets = done.path("/etc/nginx/targets").read_text()
        (web,) = self.ec2.describe_instances(InstanceIds=[self._member("WebGroup")])["Reservations"][0]["Instances"]
        expect(f"server {web['PrivateIpAddress']}:{WEB_PORT} " in targets, targets + said)
        with Front(done, environment, targets.replace(web["PrivateIpAddress"], "127.0.0.1")) as front:
            page, headers = front.page("/wp-login.php")
            expect('id="loginform"' in page and "Strict-Transport-Security" in headers, f"{headers} {page[:200]}")
            status, where = front.redirect()
            expect(status == 301 and where.startswith("https://"), f"{status} {where}")
            said = front.look()
        expect(self._told("SiteAnswers") == [1] and 820 < self._told("CertificateDays")[0] <= 825, said)
        return "TLS by its own certificate to WordPress; HTTP leads to HTTPS; CloudWatch hears that the site answers"

    @step(
        "a boot that fails when nobody deploys: the group hears of it, and replaces the instance",
        "real-code",
        only=("local-zone",),
        needs=(web,),
    )
    def fails_late(self) -> str:
        lost = self._member("WebGroup")
        done = self._run("web-0", lost, {"dnf": "exit 1"})
        expect(done.status != 0 and "installed" not in done.output, f"the boot has not failed: {done.output[-200:]}")
        self.servers.end("nginx")  # an instance of its own would not have it
        said = self._health(done, lost, looks=10)
        expect(f"told the group that {lost} is unhealthy" in said, said[-400:])
        wait_until("another instance", lambda: self._member("WebGroup") != lost, seconds=120)
        new = self._member("WebGroup")
        self._boot_web("web-1", new)
        expect(self._get("/healthz")[0] == 200, "its boot has not helped")
        return f"{lost} -> {new}, after ten looks without an answer"

    @step(
        "the database's instance is lost: the next one takes volume and address over, and the site is there",
        "real-code",
        only=("local-zone",),
        needs=(again, fails_late),
    )
    def replaced(self) -> str:
        lost = self._member("DatabaseGroup")
        self.servers.end("mariadb", signal.SIGKILL)
        expect(self._get("/wp-login.php")[0] == 500, "the site did not notice")
        expect(self._get("/healthz")[0] == 200, "WordPress instances would all be replaced")
        self.groups.terminate_instance_in_auto_scaling_group(InstanceId=lost, ShouldDecrementDesiredCapacity=False)
        new = self._member("DatabaseGroup")
        expect(new != lost, "the group has not replaced it")
        done = self._boot_database("database-2", new)
        expect("mkfs.ext4" not in [call[0] for call in done.calls], "it formatted the volume")
        (volume,) = self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"]
        expect(volume["Attachments"][0]["InstanceId"] == new, f"{volume['Attachments']}")
        expect(self._sql(self._secret("Password"), "SELECT word FROM wordpress.kept") == "x", "the data is gone")
        expect("wordpress_logged_in" in self._log_in(self._secret("Admin")), "nobody can log in")
        return f"{lost} -> {new}, killed in the middle, recovered by InnoDB"

    @step(
        "a new password in the secret counts from the next boot on",
        "real-code",
        only=("local-zone",),
        needs=(replaced,),
    )
    def rotated(self) -> str:
        secrets = self.deployed.client("secretsmanager")
        old, new = self._secret("Password"), "n" * 40
        secrets.put_secret_value(SecretId=self._secret_id("Password"), SecretString=new)
        self._boot_database("database-2", self._member("DatabaseGroup"))
        expect(self._sql(new, "SELECT 1") == "1", "the new one is refused")
        expect("denied" in self._sql(old, "SELECT 1"), "the old one still works")
        return "the old one is refused"
