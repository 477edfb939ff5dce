"""The post's site, as far as one machine can be it: a real MariaDB, real PHP, a real WordPress, served by nginx.

What the instances of the zone would do, their delivered user data does here, in a folder each: with the rights of
their roles, their secrets from the embedded Secrets Manager, and the servers of this machine's distribution. WordPress
is the distribution's too, in place of the pinned release, which no test may download. Mounting, NFS and the packages of
Amazon Linux are only recorded.
"""

import json
import re
import signal
import subprocess
from typing import ClassVar

from stacks.shared.command import CommandError
from tryout.hosts.programs import program, require
from tryout.scenario import expect, step
from tryout.scenarios.local_zone_wordpress.front import Front
from tryout.scenarios.local_zone_wordpress.looks import WEB_PORT, Json, LocalZoneWordpressLooks
from tryout.scenarios.local_zone_wordpress.servers import BALANCER, DATABASE, NAT
from tryout.steps import STAND_IN
from tryout.waits import wait_until

ZONE = "us-east-1-atl-2a"


class LocalZoneWordpressSite(LocalZoneWordpressLooks):
    """In the zone: opted in, placed, booted, served, and alive after the database's instance is replaced."""

    variants: ClassVar[dict[str, Json]] = {
        "local-zone": {"zone": ZONE, "web_port": WEB_PORT, "allowed_cidrs": ["198.51.100.0/24"]},
        "rehearsal": {"load_balancer": "application", "allow_http": True, "nat": "gateway"},
    }
    # An account that was opted in to a Local Zone stays so.
    in_account: ClassVar[dict[str, Json]] = {"rehearsal": variants["rehearsal"]}
    emulated = STAND_IN
    account_minutes = 45

    # The zone

    @step(
        "the account was opted in before the first subnet, and everything is in the zone",
        "our-model",
        only=("local-zone",),
        needs=(),
    )
    def in_zone(self) -> str:
        (zone,) = self.ec2.describe_availability_zones(ZoneNames=[ZONE])["AvailabilityZones"]
        expect(zone["OptInStatus"] == "opted-in", f"{zone['OptInStatus']}")
        subnets = self.ec2.describe_subnets(SubnetIds=self.deployed.resources["AWS::EC2::Subnet"])["Subnets"]
        (volume,) = self.ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"]
        places = {subnet["AvailabilityZone"] for subnet in subnets} | {volume["AvailabilityZone"]}
        expect(places == {ZONE}, f"{places}")
        expect(volume["Encrypted"], "the data volume is not encrypted")
        return f"{len(subnets)} subnets and the encrypted volume in {ZONE}, parent {zone['ParentZoneName']}"

    @step(
        "an unknown zone and one of another Region are refused with the nearest names",
        "real-code",
        only=("local-zone",),
        needs=(),
    )
    def opt_in_function(self) -> str:
        (function,) = [name for name in self.deployed.resources["AWS::Lambda::Function"] if "OptIn" in name]
        code = self.deployed.client("lambda").get_function_configuration(FunctionName=function)
        policy = json.dumps(self._role_policies(code["Role"].rsplit("/", 1)[-1]))
        expect("ModifyAvailabilityZoneGroup" in policy, "it may not opt in")
        answers = {name: self._refused(name) for name in ("us-east-1-atl-9z", "us-west-2-lax-1a")}
        expect(ZONE in answers["us-east-1-atl-9z"], answers["us-east-1-atl-9z"])
        expect("us-west-2" in answers["us-west-2-lax-1a"], answers["us-west-2-lax-1a"])
        return answers["us-east-1-atl-9z"]

    @step(
        "command zone: enable twice, types with paging, a type that is not offered",
        "emulated",
        only=("local-zone",),
        needs=(),
    )
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

    @step(
        "private subnets go out by the NAT instance, which forwards; nftables takes its rules",
        "real-code",
        only=("local-zone",),
        needs=(),
    )
    def way_out(self) -> str:
        require(*NAT)
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

    @step(
        "nothing lets anybody in on 22 or 3389, and only readers on 80 and 443", "emulated", needs=(), where="anywhere"
    )
    def closed(self) -> str:
        groups = self.ec2.describe_security_groups(GroupIds=self.deployed.resources["AWS::EC2::SecurityGroup"])
        open_to: dict[int, set[str]] = {}
        for permission in (each for group in groups["SecurityGroups"] for each in group["IpPermissions"]):
            for item in permission["IpRanges"]:
                open_to.setdefault(permission["FromPort"], set()).add(item["CidrIp"])
        readers = set(self.deployed.settings.allowed_cidrs)
        expect(open_to == ({80: readers, 443: readers} if readers else {}), f"{open_to}")
        return f"{open_to or 'nothing'}, {len(groups['SecurityGroups'])} groups"

    @step(
        "outside of a Local Zone: the load balancer in two zones, the NAT gateway, HTTP as allowed",
        "emulated",
        only=("rehearsal",),
        needs=(),
        where="anywhere",
    )
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
