"""What the steps of the scenario look at, and what they do again and again."""

import argparse
import base64
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from config.models import CommonSettings
from stacks.local_zone_wordpress import zone as zone_commands
from stacks.shared.command import CommandError
from tryout.hosts.metadata import InstanceMetadata
from tryout.hosts.programs import program, require, search_path
from tryout.hosts.user_data import Boot, Sandbox
from tryout.loaded import aws_cli
from tryout.scenario import Deployed, Scenario, expect
from tryout.scenarios.local_zone_wordpress.servers import WEB, Servers, free_port, wordpress

WEB_PORT = 18_481  # of the WordPress instance, on the loopback interface of this machine
# Paths of URLs in what nginx is told, and no files.
ADDRESSES = frozenset({"/healthz", "/xmlrpc.php", "/index.php", "/wp-content/uploads/", "/CN", "/site/wp-load.php"})
ADDRESSES |= {"/settings.ini", "/site/wp-config.php", "/wp-settings.php", "/usr/sbin/nginx", "/wp-content/uploads"}
ADDRESSES |= {"/dev/tcp/127.0.0.1/2049"}  # bash's word for a port
Json = dict[str, Any]


class LocalZoneWordpressLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.groups = deployed.client("ec2"), deployed.client("autoscaling")
        self.metadata: list[InstanceMetadata] = []
        self.database_port = free_port()
        self.volume = deployed.outputs["DataVolume"]
        self.web_port = deployed.settings.web_port
        self.host = str(urllib.parse.urlsplit(deployed.outputs["SiteUrl"]).hostname)

    @cached_property
    def servers(self) -> Servers:
        """This machine's servers."""
        return Servers()

    def __exit__(self, *_: object) -> None:
        """Ends the servers."""
        self.servers.stop()
        for each in self.metadata:
            each.stop()

    def _boot_database(self, folder: str, instance: str) -> Boot:
        self.servers.end("mariadb")
        root, disk = self.servers.folder / folder, self.servers.folder / self.volume
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
        start = self.servers.mariadb(root, self.database_port)
        programs = {
            "chown": "",
            "free": "echo 'Mem: 512'",  # of the machine, MariaDB shall not take half here
            # The files are where the mounted volume would be; the file system itself is made and looked at for real.
            "mountpoint": f"[ -L {root}/opt/wordpress/data ]",
            "mount": f'rmdir "$1" && ln -s {disk}/files "$1"',
            "systemctl": f'case " $* " in *" --now mariadb "*) {start} ;; esac',
            "mariadb": self.servers.mariadb_client,
            "mkfs.ext4": f'exec {program("mkfs.ext4")} "$@"',
            "resize2fs": f'exec {program("resize2fs")} "$@"',
        }
        return self._boot(folder, instance, programs)

    def _boot_web(self, folder: str, instance: str) -> Boot:
        """A WordPress instance; the address of the database is that of this machine's."""
        require(*WEB)
        root = self.servers.folder / folder
        shutil.copytree(wordpress(), root / "opt/wordpress/site", ignore_dangling_symlinks=True, dirs_exist_ok=True)
        (root / "opt/wordpress/site/wp-config.php").unlink(missing_ok=True)
        (interface,) = self.ec2.describe_network_interfaces(
            NetworkInterfaceIds=self.deployed.resources["AWS::EC2::NetworkInterface"]
        )["NetworkInterfaces"]
        local = f"127.0.0.1:{self.database_port}"
        services = f'case " $* " in *" restart php-fpm nginx "*) {self.servers.web(root)} ;; esac'
        quiet = dict.fromkeys(("chown", "mount"), "") | {"mountpoint": "exit 1", "systemctl": services}
        return self._boot(folder, instance, quiet, {interface["PrivateIpAddress"]: local})

    def _boot(
        self, folder: str, instance: str, programs: dict[str, str], instead: dict[str, str] | None = None
    ) -> Boot:
        """Runs the user data of an instance's launch template with the rights of its role; it must end well."""
        done = self._run(folder, instance, programs, instead)
        expect(done.status == 0, f"the user data ended with {done.status}: {done.output[-600:]}")
        return done

    def _run(self, folder: str, instance: str, programs: dict[str, str], instead: dict[str, str] | None = None) -> Boot:
        """The same, however it ends."""
        script = self._user_data(instance)
        for old, new in (instead or {}).items():
            script = script.replace(old, new)
        programs = {"aws": aws_cli(), **programs}
        root = self.servers.folder / folder
        root.mkdir(exist_ok=True)
        environment = self._environment(instance) | {"PATH": search_path()}
        return Sandbox(root, programs=programs, addresses=ADDRESSES).run(script, environment, seconds=180)

    def _health(self, done: Boot, instance: str, looks: int) -> str:
        """Does what wordpress-health.service does for so many looks, however long they are apart; what it said."""
        programs = done.root / "programs"
        count = f'echo >>{done.root}/slept; [ "$(wc -l <{done.root}/slept)" -lt {looks} ] || kill $PPID'
        (programs / "sleep").write_text(f"#!/bin/sh\n{count}\n")
        service = done.service("wordpress-health")
        ran = subprocess.run(
            service.command,
            env={**self._environment(instance), **service.environment, "PATH": f"{programs}:{search_path()}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return ran.stdout + ran.stderr

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

    def _user_data(self, instance: str) -> str:
        for template in self.deployed.resources["AWS::EC2::LaunchTemplate"]:
            versions = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
            data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
            profile = data["IamInstanceProfile"].get("Arn") or data["IamInstanceProfile"]["Name"]
            (found,) = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
            if found["IamInstanceProfile"]["Arn"].rsplit("/", 1)[-1] == profile.rsplit("/", 1)[-1]:
                return base64.b64decode(data["UserData"]).decode()
        raise LookupError(f"no launch template of the stack has the profile of {instance}")

    def _balancer(self) -> str:
        """The instance of the load balancer."""
        for instance in self.deployed.resources_now()["AWS::EC2::Instance"]:
            tags = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]}])["Tags"]
            if any(tag["Value"].endswith("-balancer") for tag in tags):
                return str(instance)
        raise LookupError("the stack has no load balancer's instance")

    def _get(self, path: str) -> tuple[int, str]:
        # Host is said, because WordPress leads whoever asks for another one to its own.
        headers = {"Host": self.host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}{path}", headers=headers)
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
            f"http://127.0.0.1:{self.web_port}/wp-login.php",
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

    def _told(self, name: str) -> list[float]:
        """The largest of each minute that the load balancer has told CloudWatch of the site."""
        now = datetime.now(UTC)
        found = self.deployed.client("cloudwatch").get_metric_statistics(
            Namespace="ComputeBlog/LocalZoneWordpress",
            MetricName=name,
            Dimensions=[{"Name": "Stack", "Value": self.deployed.stack_name}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=["Maximum"],
        )
        return [point["Maximum"] for point in found["Datapoints"]]

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
