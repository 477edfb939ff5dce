"""The zone and its network: opted in, nothing outside of it, commands that know it, and who gets in and out."""

import json
import subprocess
from typing import ClassVar

from stacks.shared.command import CommandError
from tryout.hosts.programs import program, require
from tryout.scenario import expect, step
from tryout.scenarios.local_zone_wordpress.looks import WEB_PORT, Json, LocalZoneWordpressLooks
from tryout.scenarios.local_zone_wordpress.servers import NAT
from tryout.steps import STAND_IN

ZONE = "us-east-1-atl-2a"


class LocalZoneWordpressZone(LocalZoneWordpressLooks):
    """In a Local Zone, and a rehearsal outside of one."""

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
