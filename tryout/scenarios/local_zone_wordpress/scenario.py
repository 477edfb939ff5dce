"""The post's site, as far as one machine can be it: a real MariaDB, real PHP, a real WordPress, served by nginx.

What the instances of the zone would do, their delivered user data does here, in a folder each: with the rights of
their roles, their secrets from the embedded Secrets Manager, and the servers of this machine's distribution. WordPress
is the distribution's too, in place of the pinned release, which no test may download. Mounting, NFS and the packages of
Amazon Linux are only recorded.
"""

import argparse
import base64
import json
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from config.models import CommonSettings
from stacks.local_zone_wordpress import zone as zone_commands
from stacks.shared.command import CommandError
from tryout.hosts.metadata import InstanceMetadata
from tryout.hosts.user_data import Boot, Sandbox
from tryout.scenario import Deployed, Scenario, Step, expect, step
from tryout.scenarios.local_zone_wordpress.servers import Servers, free_port, program, wordpress

ZONE = "us-east-1-atl-2a"
WEB_PORT = 18_481  # of the WordPress instance, on the loopback interface of this machine
# Paths of URLs in what nginx is told, and no files.
ADDRESSES = frozenset({"/healthz", "/xmlrpc.php", "/index.php", "/wp-content/uploads/", "/CN", "/site/wp-load.php"})
ADDRESSES |= {"/settings.ini", "/site/wp-config.php", "/wp-settings.php"}
Json = dict[str, Any]


class LocalZoneWordpressScenario(Scenario):
    """In the zone: opted in, placed, booted, served, and alive after the database's instance is replaced."""

    variants: ClassVar[dict[str, Json]] = {
        "local-zone": {"zone": ZONE, "web_port": WEB_PORT, "allowed_cidrs": ["198.51.100.0/24"]},
        "rehearsal": {"load_balancer": "application", "allow_http": True, "nat": "gateway"},
    }

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.groups = deployed.client("ec2"), deployed.client("autoscaling")
        self.servers = Servers()
        self.metadata: list[InstanceMetadata] = []
        self.database_port = free_port()
        self.volume = deployed.outputs["DataVolume"]

    def __exit__(self, *_: object) -> None:
        """Ends the servers."""
        self.servers.stop()
        for each in self.metadata:
            each.stop()

    def steps(self) -> Iterator[Step]:
        """The second variant has another front door and way out, and nothing that is booted."""
        kind = type(self)
        second = {kind.two_zones, kind.closed}
        for each in super().steps():
            if (each.run in second - {kind.closed}) == (self.variant != "local-zone") or each.run is kind.closed:
                yield each

    # The zone

    @step("the account was opted in before the first subnet, and everything is in the zone", "our-model")
    def in_zone(self) -> str:
        (zone,) = self.ec2.describe_availability_zones(ZoneNames=[ZONE])["AvailabilityZones"]
        expect(zone["OptInStatus"] == "opted-in", f"{zone['OptInStatus']}")
        subnets = self.ec2.describe_subnets(SubnetIds=self.deployed.resources["AWS::EC2::Subnet"])["Subnets"]
        (volume,) = self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"]
        places = {subnet["AvailabilityZone"] for subnet in subnets} | {volume["AvailabilityZone"]}
        expect(places == {ZONE}, f"{places}")
        expect(volume["Encrypted"], "the data volume is not encrypted")
        return f"{len(subnets)} subnets and the encrypted volume in {ZONE}, parent {zone['ParentZoneName']}"

    @step("an unknown zone and one of another Region are refused with the nearest names", "real-code")
    def opt_in_function(self) -> str:
        (function,) = [name for name in self.deployed.resources["AWS::Lambda::Function"] if "OptIn" in name]
        code = self.deployed.client("lambda").get_function_configuration(FunctionName=function)
        policy = json.dumps(self._role_policies(code["Role"].rsplit("/", 1)[-1]))
        expect("ModifyAvailabilityZoneGroup" in policy, "it may not opt in")
        answers = {name: self._refused(name) for name in ("us-east-1-atl-9z", "us-west-2-lax-1a")}
        expect(ZONE in answers["us-east-1-atl-9z"], answers["us-east-1-atl-9z"])
        expect("us-west-2" in answers["us-west-2-lax-1a"], answers["us-west-2-lax-1a"])
        return answers["us-east-1-atl-9z"]

    @step("command zone: enable twice, types with paging, a type that is not offered", "emulated")
    def commands(self) -> str:
        enabled = self._zone("enable", ZONE)
        expect(enabled.data["opt_in_status"] == "opted-in", f"{enabled.data}")
        types = self._zone("types", ZONE).data["instance_types"]
        expect("t3.medium" in types, f"{types}")
        try:
            self._zone("types", ZONE, "--type", "t3.nano")
        except CommandError as refused:
            expect("t3.medium" in str(refused), str(refused))
            return str(refused)
        expect(False, "t3.nano was not refused")
        return ""

    # Network

    @step("private subnets go out by the NAT instance, which forwards; nftables takes its rules", "real-code")
    def way_out(self) -> str:
        tables = self.ec2.describe_route_tables(RouteTableIds=self.deployed.resources["AWS::EC2::RouteTable"])
        routes = [route for table in tables["RouteTables"] for route in table["Routes"]]
        (nat,) = [route["InstanceId"] for route in routes if route.get("InstanceId")]
        check = self.ec2.describe_instance_attribute(InstanceId=nat, Attribute="sourceDestCheck")
        expect(check["SourceDestCheck"]["Value"] is False, "it checks source and destination")
        done = self._boot("nat", nat, {"sysctl": ""})
        rules = done.path("/etc/sysconfig/nftables.conf")
        nft = subprocess.run([program("nft"), "-c", "-f", str(rules)], capture_output=True, text=True, check=False)
        if "Operation not permitted" in nft.stderr:
            return "the rules were written; nft -c needs the right to administer networks here"
        expect(nft.returncode == 0, nft.stderr[-200:])
        return f"{nat}: nft -c accepts {rules.name}"

    @step("nothing lets anybody in on 22 or 3389, and only readers on 80 and 443", "emulated")
    def closed(self) -> str:
        groups = self.ec2.describe_security_groups(GroupIds=self.deployed.resources["AWS::EC2::SecurityGroup"])
        open_to: dict[int, set[str]] = {}
        for permission in (each for group in groups["SecurityGroups"] for each in group["IpPermissions"]):
            for item in permission["IpRanges"]:
                open_to.setdefault(permission["FromPort"], set()).add(item["CidrIp"])
        readers = set(self.deployed.settings.allowed_cidrs)
        expect(open_to == ({80: readers, 443: readers} if readers else {}), f"{open_to}")
        return f"{open_to or 'nothing'}, {len(groups['SecurityGroups'])} groups"

    @step("outside of a Local Zone: the load balancer in two zones, the NAT gateway, HTTP as allowed", "emulated")
    def two_zones(self) -> str:
        balancers = self.deployed.client("elbv2")
        (balancer,) = balancers.describe_load_balancers(
            LoadBalancerArns=self.deployed.resources["AWS::ElasticLoadBalancingV2::LoadBalancer"]
        )["LoadBalancers"]
        zones = {zone["ZoneName"] for zone in balancer["AvailabilityZones"]}
        expect(len(zones) == 2, f"{zones}")
        (listener,) = balancers.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        gateways = self.deployed.resources["AWS::EC2::NatGateway"]
        (group,) = [each for each in self._groups() if "WebGroup" in each["AutoScalingGroupName"]]
        expect(group["HealthCheckType"] == "ELB", group["HealthCheckType"])
        return f"{listener['Protocol']} in {', '.join(sorted(zones))}; {gateways[0]}"

    # The site

    @step(
        "the database boots on a blank volume: formatted, attached, MariaDB up, password from its secret", "real-code"
    )
    def database(self) -> str:
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

    @step("a second boot changes nothing and formats nothing", "real-code")
    def again(self) -> str:
        password = self._secret("Password")
        self._sql(
            password, "CREATE TABLE IF NOT EXISTS wordpress.kept (word TEXT); INSERT INTO wordpress.kept VALUES ('x')"
        )
        done = self._boot_database("database-1", self._member("DatabaseGroup"))
        expect("mkfs.ext4" not in [call[0] for call in done.calls], "it formatted the volume")
        expect(self._sql(password, "SELECT word FROM wordpress.kept") == "x", "the row is gone")
        return "blkid found the file system"

    @step("WordPress boots: secrets by its role, tables made, served by nginx and PHP-FPM", "real-code")
    def web(self) -> str:
        instance = self._member("WebGroup")
        root = self.servers.folder / "web-1"
        shutil.copytree(wordpress(), root / "opt/wordpress/site", ignore_dangling_symlinks=True, dirs_exist_ok=True)
        (root / "opt/wordpress/site/wp-config.php").unlink(missing_ok=True)
        (interface,) = self.ec2.describe_network_interfaces(
            NetworkInterfaceIds=self.deployed.resources["AWS::EC2::NetworkInterface"]
        )["NetworkInterfaces"]
        local = f"127.0.0.1:{self.database_port}"
        services = f'case " $* " in *" restart php-fpm nginx "*) {self.servers.web(root)} ;; esac'
        quiet = dict.fromkeys(("chown", "mount"), "") | {"mountpoint": "exit 1", "systemctl": services}
        done = self._boot("web-1", instance, quiet, {interface["PrivateIpAddress"]: local})
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

    @step("the administrator logs in with the generated password, and with no other", "real-code")
    def log_in(self) -> str:
        wrong = self._log_in("wrong")
        expect("wordpress_logged_in" not in wrong, f"{wrong}")
        right = self._log_in(self._secret("Admin"))
        expect("wordpress_logged_in" in right, f"{right}")
        return "one cookie for admin, none for a wrong password"

    @step("the remote interface, hidden files and uploaded scripts are not served", "real-code")
    def refused(self) -> str:
        uploads = self.servers.folder / "web-1/opt/wordpress/site/wp-content/uploads"
        (uploads / "shell.php").write_text("<?php echo 'ran';")
        answers = {path: self._get(path) for path in ("/xmlrpc.php", "/.git/config", "/wp-content/uploads/shell.php")}
        seen = {path: status for path, (status, _) in answers.items()}
        expect(seen["/xmlrpc.php"] == 403 and seen["/.git/config"] == 404, f"{seen}")
        # As a file, if at all: its text and not what it would print.
        expect(answers["/wp-content/uploads/shell.php"][1] != "ran", "an uploaded script was run")
        return f"{seen}"

    @step("the self-managed load balancer lists who answers; nginx takes its configuration", "real-code")
    def balancer(self) -> str:
        (instance,) = [
            each
            for each in self.deployed.resources["AWS::EC2::Instance"]
            if "balancer"
            in json.dumps(self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [each]}])["Tags"])
        ]
        root = self.servers.folder / "balancer"
        done = self._boot("balancer", instance, {})
        (service,) = [value for name, value in done.directives("wordpress-targets") if name == "Environment"]
        variables = dict(pair.split("=", 1) for pair in shlex.split(service))
        # The address of the emulated instance is nobody's here: asking it is answered as it would answer.
        answering = root / "programs/curl"
        answering.write_text("#!/bin/sh\nexit 0\n")
        answering.chmod(0o755)
        environment = self._environment(instance) | variables | {"PATH": f"{root}/programs:{self._path()}"}
        looked = subprocess.run(
            ["bash", str(done.path("/opt/wordpress/targets.sh")), "once"],  # noqa: S607 - the machine's bash
            env=environment,
            check=False,
            timeout=60,
            capture_output=True,
            text=True,
        )
        targets = done.path("/etc/nginx/targets").read_text()
        (web,) = self.ec2.describe_instances(InstanceIds=[self._member("WebGroup")])["Reservations"][0]["Instances"]
        expect(f"server {web['PrivateIpAddress']}:{WEB_PORT} " in targets, targets + looked.stderr[-300:])
        return self._through(root, done, targets.replace(web["PrivateIpAddress"], "127.0.0.1"))

    @step(
        "the database's instance is lost: the next one takes volume and address over, and the site is there",
        "real-code",
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

    @step("a new password in the secret counts from the next boot on", "real-code")
    def rotated(self) -> str:
        secrets = self.deployed.client("secretsmanager")
        old, new = self._secret("Password"), "n" * 40
        secrets.put_secret_value(SecretId=self._secret_id("Password"), SecretString=new)
        self._boot_database("database-2", self._member("DatabaseGroup"))
        expect(self._sql(new, "SELECT 1") == "1", "the new one is refused")
        expect("denied" in self._sql(old, "SELECT 1"), "the old one still works")
        return "the old one is refused"

    # How

    def _boot_database(self, folder: str, instance: str) -> Boot:
        self.servers.end("mariadb")
        root, disk = self.servers.folder / folder, self.servers.folder / "volume"
        disk.mkdir(exist_ok=True)
        image = disk / "image"
        if not image.exists():
            with image.open("wb") as file:
                file.truncate(64 * 1024 * 1024)
        device = root / "dev/disk/by-id" / f"nvme-Amazon_Elastic_Block_Store_{self.volume.replace('-', '', 1)}"
        device.parent.mkdir(parents=True, exist_ok=True)
        if not device.exists():
            device.symlink_to(image)
        (disk / "files").mkdir(exist_ok=True)
        program("blkid")
        start = self.servers.mariadb(root, self.database_port)
        programs = {
            "chown": "",
            # The files are where the mounted volume would be; the file system itself is made and looked at for real.
            "mountpoint": f"[ -L {root}/opt/wordpress/data ]",
            "mount": f'rmdir "$1" && ln -s {disk}/files "$1"',
            "systemctl": f'case " $* " in *" --now mariadb "*) {start} ;; esac',
            "mariadb": self.servers.mariadb_client,
            "mkfs.ext4": f'exec {program("mkfs.ext4")} "$@"',
            "resize2fs": f'exec {program("resize2fs")} "$@"',
        }
        return self._boot(folder, instance, programs)

    def _boot(
        self, folder: str, instance: str, programs: dict[str, str], instead: dict[str, str] | None = None
    ) -> Boot:
        """Runs the user data of an instance's launch template with the rights of its role; it must end well."""
        script = self._user_data(instance)
        for old, new in (instead or {}).items():
            script = script.replace(old, new)
        programs = {"aws": f'exec {shlex.quote(str(Path(sys.executable).with_name("aws")))} "$@"', **programs}
        root = self.servers.folder / folder
        root.mkdir(exist_ok=True)
        environment = self._environment(instance) | {"PATH": self._path()}
        done = Sandbox(root, programs=programs, addresses=ADDRESSES).run(script, environment, seconds=180)
        expect(done.status == 0, f"the user data ended with {done.status}: {done.output[-600:]}")
        return done

    def _environment(self, instance: str) -> dict[str, str]:
        metadata = InstanceMetadata(instance, self.deployed.client)
        metadata.start()
        self.metadata.append(metadata)
        role = metadata.value("meta-data/iam/security-credentials/")
        credentials = json.loads(metadata.value(f"meta-data/iam/security-credentials/{role}") or "{}")
        return (
            self.deployed.aws.environment()
            | metadata.environment()
            | {
                "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
                "AWS_SESSION_TOKEN": credentials["Token"],
                "HOSTNAME": "instance",
            }
        )

    @staticmethod
    def _path() -> str:
        return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

    def _user_data(self, instance: str) -> str:
        for template in self.deployed.resources["AWS::EC2::LaunchTemplate"]:
            versions = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
            data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
            profile = data["IamInstanceProfile"].get("Arn") or data["IamInstanceProfile"]["Name"]
            (found,) = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
            if found["IamInstanceProfile"]["Arn"].rsplit("/", 1)[-1] == profile.rsplit("/", 1)[-1]:
                return base64.b64decode(data["UserData"]).decode()
        raise LookupError(f"no launch template of the stack has the profile of {instance}")

    def _through(self, root: Path, done: Boot, targets: str) -> str:
        """A request through the load balancer to WordPress; on other ports, because 80 and 443 are not ours to take."""
        secure, plain = free_port(), free_port()
        done.path("/etc/nginx/targets").write_text(targets)
        config = done.path("/etc/nginx/conf.d/wordpress.conf")
        text = config.read_text().replace("listen 443 ", f"listen 127.0.0.1:{secure} ")
        config.write_text(text.replace("listen 80 ", f"listen 127.0.0.1:{plain} "))
        with Servers() as front:
            started = subprocess.run(["bash", "-c", front.nginx(root)], check=False)  # noqa: S607 - the machine's bash
            log = root / "nginx.log"
            expect(started.returncode == 0, log.read_text()[-300:] if log.exists() else "nginx did not start")
            context = ssl.create_default_context(cafile=str(done.path("/etc/nginx/tls/site.pem")))
            context.check_hostname = False
            request = urllib.request.Request(f"https://127.0.0.1:{secure}/wp-login.php")
            with urllib.request.urlopen(request, context=context, timeout=20) as answer:  # noqa: S310
                page = answer.read().decode()
                expect("Strict-Transport-Security" in answer.headers, "no HSTS")
            expect('id="loginform"' in page, page[:200])
            status, where = self._redirect(plain)
            expect(status == 301 and where.startswith("https://"), f"{status} {where}")
        return "TLS by its own certificate to WordPress; HTTP leads to HTTPS"

    @staticmethod
    def _redirect(port: int) -> tuple[int, str]:
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any, **__: Any) -> None: ...

        try:
            urllib.request.build_opener(Stay).open(f"http://127.0.0.1:{port}/", timeout=10)
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers.get("Location", "")
        return 200, ""

    def _get(self, path: str) -> tuple[int, str]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{WEB_PORT}{path}", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(errors="replace")

    def _log_in(self, password: str) -> str:
        """The names of the cookies that WordPress gives."""

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any, **__: Any) -> None: ...

        opener = urllib.request.build_opener(Stay)
        form = urllib.parse.urlencode({"log": "admin", "pwd": password, "testcookie": "1"}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{WEB_PORT}/wp-login.php",
            data=form,
            headers={
                "X-Forwarded-For": "192.0.2.1",
                "X-Forwarded-Proto": "https",
                "Cookie": "wordpress_test_cookie=WP%20Cookie%20check",
            },
        )
        try:
            answer: Any = opener.open(request, timeout=30)
        except urllib.error.HTTPError as redirect:
            answer = redirect
        return " ".join(line.partition("=")[0] for line in answer.headers.get_all("Set-Cookie") or [])

    def _sql(self, password: str, statement: str) -> str:
        """What the user wordpress is answered over the network, or the error."""
        command = [program("mariadb"), "--no-defaults", "--host=127.0.0.1", f"--port={self.database_port}", "-N", "-B"]
        done = subprocess.run(
            [*command, "--user=wordpress", "-e", statement],
            env={**os.environ, "MYSQL_PWD": password},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return (done.stdout if done.returncode == 0 else done.stderr).strip()

    def _secret_id(self, name: str) -> str:
        (found,) = [each for each in self.deployed.resources["AWS::SecretsManager::Secret"] if f"Data{name}" in each]
        return found

    def _secret(self, name: str) -> str:
        secrets = self.deployed.client("secretsmanager")
        return str(secrets.get_secret_value(SecretId=self._secret_id(name))["SecretString"])

    def _groups(self) -> list[Json]:
        names = self.deployed.resources["AWS::AutoScaling::AutoScalingGroup"]
        found: list[Json] = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
        return found

    def _member(self, group: str) -> str:
        """The one instance of a group that is not on its way out."""
        (found,) = [each for each in self._groups() if group in each["AutoScalingGroupName"]]
        (member,) = [each for each in found["Instances"] if not each["LifecycleState"].startswith("Terminat")]
        return str(member["InstanceId"])

    def _role_policies(self, role: str) -> list[Any]:
        iam = self.deployed.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        return [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]

    def _zone(self, *words: str) -> Any:
        parser = argparse.ArgumentParser()
        zone_commands.ZONE.arguments(parser)

        def clients(service: str, region: str | None = None, /) -> Any:
            return self.deployed.client(service)

        return zone_commands.zone_command(parser.parse_args(words), CommonSettings(), self.deployed.settings, clients)

    def _refused(self, name: str) -> str:
        try:
            self._zone("enable", name)
        except CommandError as refused:
            return str(refused)
        raise LookupError(f"{name} was not refused")


SCENARIO = LocalZoneWordpressScenario
