"""What the post on Local Zones promises, read off the templates, and what its sample got wrong."""

import configparser
import json
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from shared.guard.changes import changed
from stacks.local_zone_wordpress.settings import LocalZoneWordpressSettings
from stacks.local_zone_wordpress.user_data import PARTS, read
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, every_action, synthesized
from tests.variants import ROOT, Json

SLUG = "local_zone_wordpress"
ZONE = "us-east-1-atl-2a"
USER_DATA = ROOT / "stacks" / SLUG / "user_data"
IN_ZONE, REHEARSAL, OWN_NETWORK = "demand", "nat", variants.DEFAULT


template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def zone() -> Template:
    """In a Local Zone, self-managed, with a certificate from a secret."""
    return template(IN_ZONE)


@pytest.fixture(scope="module")
def rehearsal() -> Template:
    """In the Region: NAT gateway, Application Load Balancer without a certificate, gp2."""
    return template(REHEARSAL)


def of_type(of: Template, kind: str) -> dict[str, Json]:
    return {name: dict(found) for name, found in of.find_resources(kind).items()}


def properties(of: Template, kind: str) -> list[Json]:
    return [found["Properties"] for found in of_type(of, kind).values()]


def script(of: Template, name: str) -> str:
    """The user data of a launch template, with a word of the usual length for each reference."""
    (found,) = [t for key, t in of_type(of, "AWS::EC2::LaunchTemplate").items() if key.startswith(name)]
    data = found["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    if isinstance(data, str):
        return data
    return "".join(part if isinstance(part, str) else "reference" * 9 for part in data["Fn::Join"][1])


# The zone


def test_everything_that_has_a_place_is_in_the_zone(zone: Template) -> None:
    places = {p["AvailabilityZone"] for p in properties(zone, "AWS::EC2::Subnet")}
    places |= {p["AvailabilityZone"] for p in properties(zone, "AWS::EC2::Volume")}
    assert places == {ZONE}


def test_nothing_is_made_in_the_zone_before_the_account_has_it(zone: Template) -> None:
    (opt_in,) = of_type(zone, "Custom::ZoneOptIn")
    for kind in ("AWS::EC2::Subnet", "AWS::EC2::Volume"):
        for found in of_type(zone, kind).values():
            assert opt_in in found["DependsOn"], kind


def test_the_function_can_opt_in_and_nothing_else(zone: Template, enterprise: Template) -> None:
    for of in (zone, enterprise):
        assert every_action(of, "OptInRole") - {"logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt"} == {
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstanceTypeOfferings",
            "ec2:ModifyAvailabilityZoneGroup",
        }
    code = (ROOT / "lambdas" / SLUG / "opt_in" / "handler.py").read_text(encoding="utf-8")
    assert re.findall(r"OptInStatus=(\S+)\)", code) == ['"opted-in"']


def test_a_rehearsal_opts_in_to_nothing(rehearsal: Template) -> None:
    rehearsal.resource_count_is("Custom::ZoneOptIn", 0)
    assert "ModifyAvailabilityZoneGroup" not in json.dumps(rehearsal.to_json())
    zones = {json.dumps(p["AvailabilityZone"]) for p in properties(rehearsal, "AWS::EC2::Subnet")}
    assert len(zones) == 2  # an Application Load Balancer needs two outside of a Local Zone


def test_the_types_that_the_zone_must_offer_are_those_that_are_used(zone: Template, enterprise: Template) -> None:
    zone.has_resource_properties("Custom::ZoneOptIn", {"InstanceTypes": ["t4g.medium", "t4g.small"], "Zone": ZONE})
    enterprise.has_resource_properties("Custom::ZoneOptIn", {"InstanceTypes": ["t3.medium"]})


def test_public_addresses_are_advertised_by_the_zone(zone: Template, rehearsal: Template) -> None:
    assert {p["NetworkBorderGroup"] for p in properties(zone, "AWS::EC2::EIP")} == {"us-east-1-atl-2"}
    rehearsal.all_resources_properties("AWS::EC2::EIP", {"NetworkBorderGroup": Match.absent()})


# The network


def test_an_edge_instance_reaches_aws_before_it_has_its_elastic_address(zone: Template) -> None:
    """It signals at the end of its boot, and only then it is complete and gets that address."""
    (public,) = [name for name in of_type(zone, "AWS::EC2::Subnet") if "Public" in name]
    assert of_type(zone, "AWS::EC2::Subnet")[public]["Properties"]["MapPublicIpOnLaunch"] is True
    (way,) = [name for name in of_type(zone, "AWS::EC2::Route") if "PublicSubnet1DefaultRoute" in name]
    for instance in of_type(zone, "AWS::EC2::Instance").values():
        assert instance["Properties"]["SubnetId"] == {"Ref": public} and way in instance["DependsOn"]


def test_addresses_of_the_zone_come_after_the_opt_in_and_go_before_the_internet_gateway(zone: Template) -> None:
    (opt_in,) = of_type(zone, "Custom::ZoneOptIn")
    (attachment,) = of_type(zone, "AWS::EC2::VPCGatewayAttachment")
    (way,) = [name for name in of_type(zone, "AWS::EC2::Route") if "PublicSubnet1DefaultRoute" in name]
    assert {opt_in, attachment} <= set(of_type(zone, "AWS::EC2::Route")[way]["DependsOn"])
    for address in of_type(zone, "AWS::EC2::EIP").values():
        assert way in address["DependsOn"]


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_no_rule_opens_ssh_or_rdp(variant: str) -> None:
    for kind in ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
        for found in properties(template(variant), kind):
            for rule in [*found.get("SecurityGroupIngress", []), found]:
                if "FromPort" in rule:
                    assert not any(rule["FromPort"] <= port <= rule["ToPort"] for port in (22, 3389)), rule


def test_groups_name_each_other_and_readers_come_by_their_ranges_only(zone: Template) -> None:
    ports = sorted(p["FromPort"] for p in properties(zone, "AWS::EC2::SecurityGroupIngress"))
    assert ports == [443, 443, 2049, 3306, 8080]  # NAT from two groups, uploads, MariaDB, WordPress
    zone.all_resources_properties("AWS::EC2::SecurityGroupIngress", {"SourceSecurityGroupId": Match.any_value()})
    ranges = [
        (rule["CidrIp"], rule["FromPort"])
        for group in properties(zone, "AWS::EC2::SecurityGroup")
        for rule in group.get("SecurityGroupIngress", [])
    ]
    assert sorted(ranges) == [("198.51.100.0/24", 80), ("198.51.100.0/24", 443)]


def test_by_default_nobody_may_come_in() -> None:
    of = template(variants.DEFAULT)
    assert not [g for g in properties(of, "AWS::EC2::SecurityGroup") if g.get("SecurityGroupIngress")]


def test_private_subnets_go_out_by_an_instance_that_forwards(zone: Template) -> None:
    zone.has_resource_properties(
        "AWS::EC2::Route", {"DestinationCidrBlock": "0.0.0.0/0", "InstanceId": {"Ref": "NatInstance"}}
    )
    assert of_type(zone, "AWS::EC2::Instance")["NatInstance"]["Properties"]["SourceDestCheck"] is False
    zone.resource_count_is("AWS::EC2::NatGateway", 0)
    text = script(zone, "NatTemplate")
    for old in ("yum", "eth0", "iptables"):  # what the sample did on Amazon Linux 2
        assert old not in text
    assert "masquerade" in text and "policy drop" in text


def test_a_nat_gateway_is_a_setting(rehearsal: Template) -> None:
    rehearsal.resource_count_is("AWS::EC2::NatGateway", 1)
    rehearsal.resource_count_is("AWS::EC2::Instance", 0)


def test_in_an_existing_network_no_network_is_made(enterprise: Template) -> None:
    for kind in ("VPC", "Subnet", "Route", "EIP", "NatGateway", "Instance"):
        enterprise.resource_count_is(f"AWS::EC2::{kind}", 0)


# Data and secrets


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_no_password_is_in_the_template_and_each_role_reads_its_own(variant: str) -> None:
    of = template(variant)
    for secret in properties(of, "AWS::SecretsManager::Secret"):
        assert "SecretString" not in secret and secret["GenerateSecretString"]["ExcludePunctuation"] is True
    assert "resolve:secretsmanager" not in json.dumps(of.to_json())
    read: dict[str, int] = {}
    for name, policy in of_type(of, "AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Action"] == "secretsmanager:GetSecretValue":
                kind = re.split(r"Role", name)[0]
                resources = statement["Resource"]
                read[kind] = read.get(kind, 0) + (len(resources) if isinstance(resources, list) else 1)
    own = {"Database": 1, "Web": 3}
    assert read == (own | {"Balancer": 1} if variant == IN_ZONE else own)


def test_the_volume_is_encrypted_guarded_and_kept_when_data_is_to_be_kept(zone: Template, enterprise: Template) -> None:
    (volume,) = of_type(enterprise, "AWS::EC2::Volume").values()
    assert volume["Properties"]["Encrypted"] is True and volume["DeletionPolicy"] == "Retain"
    assert volume["Properties"]["VolumeType"] == "gp3"  # EC2 knows no GP3
    assert "11111111-2222" in volume["Properties"]["KmsKeyId"]
    assert volume["Properties"]["SnapshotId"] == "snap-0123456789abcdef0"
    (volume,) = of_type(zone, "AWS::EC2::Volume").values()
    assert set(of_type(zone, "Custom::Guard")) <= set(volume["DependsOn"])
    # What takes its place, or the end of the stack, leaves a snapshot of it.
    assert volume["DeletionPolicy"] == volume["UpdateReplacePolicy"] == "Snapshot"


def guarded(of: Template) -> dict[str, Json]:
    return {name: found["Properties"] for name, found in of_type(of, "Custom::Guard").items()}


def test_a_volume_is_named_after_the_snapshot_that_it_comes_from(zone: Template, enterprise: Template) -> None:
    """CloudFormation changes no volume's snapshot, key or zone, and replaces none: only another name makes another.

    Without a snapshot it is the name of before, so that a deployment of another version does not make an empty one.
    """
    assert list(of_type(zone, "AWS::EC2::Volume")) == ["DataVolume84F27F95"]
    (restored,) = of_type(enterprise, "AWS::EC2::Volume")
    assert restored.startswith("DataVolumeSnap0123456789Abcdef0")


def test_a_restore_is_accepted_once_and_nothing_else_replaces_the_volume(zone: Template, enterprise: Template) -> None:
    (place,) = [found for name, found in guarded(zone).items() if name.startswith("VolumePlaceGuard")]
    (volume,) = [found for name, found in guarded(zone).items() if name.startswith("VolumeGuard")]
    assert place["Guarded"] == {"AvailabilityZone": ZONE, "KmsKeyId": "aws/ebs"} and not place["Accepted"]
    assert volume["Guarded"] == {"SnapshotId": "none"}
    of_snapshot = guarded(enterprise)
    (restored,) = [found for name, found in of_snapshot.items() if name.startswith("VolumeGuard")]
    # A stack that was made from this snapshot by a version with the old name hears of it too.
    before, now = {"SnapshotId": "snap-0123456789abcdef0"}, restored["Guarded"]
    assert changed(before, now)
    # A volume from another snapshot may have another key: its guard is another one.
    assert not any(name.startswith("VolumePlaceGuard") for name in of_snapshot)


def test_there_is_no_way_back_to_an_empty_volume() -> None:
    """restore_from: null after a restore is another volume, an empty one: never accepted."""
    (found,) = LocalZoneWordpressSettings(accept_volume_replacement=True).problems()
    assert found.message.startswith("must be false while restore_from is null")
    restored = LocalZoneWordpressSettings(accept_volume_replacement=True, restore_from="snap-0123456789abcdef0")
    assert not list(restored.problems())


def test_the_network_does_not_move_and_says_where_to_go(zone: Template, enterprise: Template) -> None:
    for found, vpc in ((zone, "172.31.100.0/24"), (enterprise, "vpc-0123456789abcdef0")):
        guard = of_type(found, "Custom::Guard")["NetworkGuard"]["Properties"]
        assert guard["Guarded"]["Vpc"] == vpc and guard["Accepted"] is False and "restore_from" in guard["Way"]
    for kind in ("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::VPCGatewayAttachment", "AWS::EC2::SecurityGroup"):
        assert all("NetworkGuard" in item["DependsOn"] for item in of_type(zone, kind).values())


def test_subnets_keep_their_ranges_when_a_second_zone_comes(zone: Template, rehearsal: Template) -> None:
    def ranges(found: Template) -> dict[str, str]:
        return {name: item["Properties"]["CidrBlock"] for name, item in of_type(found, "AWS::EC2::Subnet").items()}

    assert ranges(zone).items() <= ranges(rehearsal).items() and len(ranges(rehearsal)) == 4


def test_the_volume_is_backed_up_where_it_is(zone: Template, enterprise: Template, rehearsal: Template) -> None:
    seen = []
    for of in (zone, enterprise, rehearsal):
        (policy,) = properties(of, "AWS::DLM::LifecyclePolicy")
        details = policy["PolicyDetails"]
        (schedule,) = details["Schedules"]
        (volume,) = properties(of, "AWS::EC2::Volume")
        assert details["TargetTags"][0] in volume["Tags"]
        seen.append((details["ResourceLocations"], schedule["CreateRule"]["Location"], schedule["RetainRule"]["Count"]))
    assert seen == [(["LOCAL_ZONE"], "CLOUD", 7), (["LOCAL_ZONE"], "LOCAL_ZONE", 28), (["CLOUD"], "CLOUD", 7)]


def test_a_volume_that_was_kept_is_not_backed_up_by_the_next_policy(zone: Template, enterprise: Template) -> None:
    """It is the role's volume no more, and a policy that is refused something takes no snapshots any more.

    https://docs.aws.amazon.com/ebs/latest/userguide/monitor-cloudwatch-events.html has the event of such a policy.
    """
    values = []
    for of in (zone, enterprise):
        (policy,) = properties(of, "AWS::DLM::LifecyclePolicy")
        ((tag,),) = [policy["PolicyDetails"]["TargetTags"]]
        values.append(json.dumps(tag["Value"]))
        # Not what a stack of the same name has given before, and the snapshots keep their own name.
        assert "AWS::StackId" in values[-1]
        (volume,) = properties(of, "AWS::EC2::Volume")
        assert {"Key": "local-zone-wordpress", "Value": volume["Tags"][0]["Value"].removesuffix("-data")} in volume[
            "Tags"
        ]
    assert values[0] != values[1]  # nor what the volume had before restore_from


def test_snapshots_of_a_volume_under_a_customer_managed_key_use_that_key(enterprise: Template, zone: Template) -> None:
    """https://docs.aws.amazon.com/ebs/latest/userguide/dlm-prerequisites.html, "Permissions for encryption"."""
    of_keys = {action for action in every_action(enterprise, "DataSnapshotRole") if action.startswith("kms:")}
    assert of_keys == {
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    }
    assert not {action for action in every_action(zone, "DataSnapshotRole") if action.startswith("kms:")}


def test_only_the_database_s_instances_may_take_the_volume_and_the_address(zone: Template) -> None:
    (policy,) = [p for name, p in of_type(zone, "AWS::IAM::Policy").items() if name.startswith("DatabaseRole")]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    attaching = [s for s in statements if "ec2:AttachVolume" in s["Action"]]
    assert len(attaching) == 2
    (on_instances,) = [s for s in attaching if "Condition" in s]
    condition = on_instances["Condition"]["StringLike"]["aws:ResourceTag/aws:autoscaling:groupName"]
    assert condition == "demand-local-zone-wordpress-DatabaseGroup-*"
    assert not [s for s in statements if "ec2:Detach" in json.dumps(s) or "ec2:Delete" in json.dumps(s)]


def test_attaching_a_volume_under_a_customer_managed_key_lets_ec2_use_the_key(
    enterprise: Template, zone: Template
) -> None:
    (policy,) = [p for name, p in of_type(enterprise, "AWS::IAM::Policy").items() if name.startswith("DatabaseRole")]
    (granting,) = [
        s for s in policy["Properties"]["PolicyDocument"]["Statement"] if "kms:CreateGrant" in json.dumps(s["Action"])
    ]
    assert granting["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert granting["Resource"].endswith("key/11111111-2222-3333-4444-555555555555")
    assert "kms:CreateGrant" not in every_action(zone, "DatabaseRole") | every_action(enterprise, "WebRole")


# The groups


def groups(of: Template) -> dict[str, Json]:
    return of_type(of, "AWS::AutoScaling::AutoScalingGroup")


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_an_update_goes_on_when_the_new_instance_says_so(variant: str) -> None:
    found = groups(template(variant))
    assert set(found) == {"DatabaseGroup", "WebGroup"}
    for name, group in found.items():
        update = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
        assert update["WaitOnResourceSignals"] is True and update["PauseTime"] == "PT15M", name
        assert group["CreationPolicy"]["ResourceSignal"]["Timeout"] == "PT15M"
        assert int(update["MinInstancesInService"]) < int(group["Properties"]["MaxSize"]), name
        text = script(template(variant), name.removesuffix("Group"))
        assert f"--logical-resource-id '{name}'" in text


def test_a_volume_has_one_holder_so_the_old_database_ends_first(zone: Template) -> None:
    group = groups(zone)["DatabaseGroup"]
    assert group["UpdatePolicy"]["AutoScalingRollingUpdate"]["MinInstancesInService"] == 0
    assert (group["Properties"]["MinSize"], group["Properties"]["MaxSize"]) == ("1", "1")


def test_wordpress_boots_after_its_database_and_its_way_out(zone: Template) -> None:
    needed = groups(zone)["WebGroup"]["DependsOn"]
    assert "DatabaseGroup" in needed and "NatInstance" in needed
    assert [name for name in needed if name.startswith("WayOutRoute")]


def test_edge_instances_signal_too(zone: Template) -> None:
    for name in ("NatInstance", "BalancerInstance"):
        instance = of_type(zone, "AWS::EC2::Instance")[name]
        assert instance["CreationPolicy"]["ResourceSignal"] == {"Count": 1, "Timeout": "PT15M"}
        assert f"--logical-resource-id '{name}'" in script(zone, name.removesuffix("Instance"))


# The front door


def test_https_by_a_certificate_and_http_leads_to_it(enterprise: Template) -> None:
    by_port = {p["Port"]: p for p in properties(enterprise, "AWS::ElasticLoadBalancingV2::Listener")}
    assert by_port[443]["Certificates"][0]["CertificateArn"].startswith("arn:aws:acm:eu-central-1")
    assert by_port[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    (balancer,) = properties(enterprise, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Subnets"] == ["subnet-0123456789abcdef3"]  # one zone is enough on Local Zones
    group = groups(enterprise)["WebGroup"]["Properties"]
    assert group["HealthCheckType"] == "ELB" and group["TargetGroupARNs"]


def test_http_alone_only_where_it_is_allowed(rehearsal: Template) -> None:
    (listener,) = properties(rehearsal, "AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")


def test_a_self_managed_balancer_may_look_and_nothing_else(zone: Template) -> None:
    zone.resource_count_is("AWS::ElasticLoadBalancingV2::LoadBalancer", 0)
    assert every_action(zone, "BalancerRole") == {
        "autoscaling:DescribeAutoScalingGroups",
        "cloudformation:SignalResource",
        "cloudwatch:PutMetricData",
        "ec2:DescribeInstances",
        "kms:Decrypt",
        "secretsmanager:GetSecretValue",
    }


# User data


SCRIPTS = ("Nat", "Database", "Web", "Balancer")


@pytest.mark.parametrize("name", SCRIPTS)
def test_user_data_is_complete_fits_and_is_shell(zone: Template, name: str) -> None:
    text = script(zone, f"{name}Template")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert re.findall(r"@[A-Z_]+@", code) == []
    assert len(text.encode()) < 16_384
    assert subprocess.run(["bash", "-n"], input=code, text=True, check=False).returncode == 0  # noqa: S607
    for old in ("yum", "eth0", ":latest", "exampleuser"):
        assert old not in code


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_a_boot_signals_its_stack_in_the_form_that_its_role_allows(variant: str) -> None:
    """A stack named by its name is judged on stack/NAME/*: https://github.com/aws/aws-parallelcluster/issues/754."""
    allowed = []
    for policy in properties(template(variant), "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Action"] == "cloudformation:SignalResource":
                allowed.append(statement["Resource"])
    assert allowed and all(resource == {"Ref": "AWS::StackId"} for resource in allowed)
    for found in properties(template(variant), "AWS::EC2::LaunchTemplate"):
        parts = found["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
        named = [parts[at + 1] for at, part in enumerate(parts) if str(part).endswith("--stack-name '")]
        assert named == [{"Ref": "AWS::StackId"}]


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ("", 0),
        ("An error occurred (ValidationError) when calling the SignalResource operation: it cannot be signaled", 0),
        ("An error occurred (AccessDenied) when calling the SignalResource operation: not authorized to perform", 1),
    ],
)
def test_a_boot_fails_visibly_if_it_may_not_signal(tmp_path: Path, refusal: str, status: int) -> None:
    """A stack that is not waiting is no fault; a right that is missing ends the boot and is in its output."""
    common = read("common.sh", **PARTS).replace("instance=$(metadata instance-id)", "")
    answer = f"echo '{refusal}' >&2; exit {254 if refusal else 0}"
    booted = subprocess.run(
        ["bash", "-c", f"set -Eeuo pipefail; instance=i-1; aws() ( {answer} )\n{common}\nsignal SUCCESS; echo done"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    assert booted.returncode == status and ("done" in booted.stdout) is not bool(status)
    assert refusal in booted.stderr


def test_wordpress_is_a_release_with_its_checksum(zone: Template) -> None:
    text = script(zone, "WebTemplate")
    assert "release=wordpress-6.9.7.tar.gz" in text
    assert 'echo "11fd65eccbf4dd5de5ecb3724b55f92c56d6c1ea967497fe9374bcdd7a6fbda6  $home/$release" | sha256sum' in text


def test_what_is_scheduled_is_published_without_a_way_to_the_site(zone: Template) -> None:
    """https://github.com/docker-library/wordpress/issues/493: the site's own address is shut to the site."""
    text = script(zone, "WebTemplate")
    assert "define('DISABLE_WP_CRON', true)" in text and "/opt/wordpress/site/wp-cron.php" in text
    assert re.search(r"systemctl enable --now .*wordpress-cron\.timer", text)
    assert "update_option('permalink_structure'" in text
    # https://github.com/WordPress/health-check/issues/357: what it asks of itself it asks here.
    assert "'pre_http_request'" in text and '"http://127.0.0.1:8080$path"' in text


def test_health_does_not_wait_behind_requests_that_wait_for_the_database() -> None:
    pools = configparser.ConfigParser()
    pools.read(USER_DATA / "php-pool.conf")
    web = (USER_DATA / "web.conf").read_text(encoding="utf-8")
    (health,) = re.findall(r"location = /healthz \{.*?fastcgi_pass unix:(\S+);", web, re.DOTALL)
    assert health == pools["health"]["listen"] != pools["wordpress"]["listen"]
    assert int(pools["wordpress"]["php_admin_value[default_socket_timeout]"]) <= 10
    assert pools["wordpress"]["request_terminate_timeout"] == "120"


def test_an_upload_that_hangs_over_nfs_holds_no_worker_of_the_site(zone: Template) -> None:
    """https://github.com/kaltura/nginx-vod-module/issues/779: no time-out ends an open() that waits for a disk."""
    web = (USER_DATA / "web.conf").read_text(encoding="utf-8")
    (uploads,) = re.findall(r"location \^~ /wp-content/uploads/ \{(.*?)\}", web, re.DOTALL)
    assert (
        "proxy_pass http://uploads;" in uploads and "try_files" not in uploads and "proxy_read_timeout 10s;" in uploads
    )
    # Not by the location of all other pages either, which would look whether the folder is there.
    assert "location = /wp-content/uploads { return 404; }" in web
    text = script(zone, "WebTemplate")
    assert "ExecStart=/usr/sbin/nginx -c /etc/nginx/uploads.conf" in text
    assert re.search(r"systemctl restart .*\bwordpress-uploads$", text, re.MULTILINE)


def test_the_database_takes_the_connections_of_the_largest_group() -> None:
    pools = configparser.ConfigParser()
    pools.read(USER_DATA / "php-pool.conf")
    (most,) = [
        limit.le for limit in LocalZoneWordpressSettings.model_fields["max_instances"].metadata if hasattr(limit, "le")
    ]
    (taken,) = re.findall(r"^max_connections=(\d+)$", (USER_DATA / "database.cnf").read_text(encoding="utf-8"), re.M)
    # The children of PHP, cron, and a boot that installs.
    assert int(taken) >= most * (int(pools["wordpress"]["pm.max_children"]) + 2)


@pytest.mark.parametrize(("total", "pool"), [(446, 223), (3_836, 1_918), (31_600, 15_800)])
def test_the_database_uses_half_the_memory_of_its_type(tmp_path: Path, total: int, pool: int) -> None:
    """A fixed size starts no small instance, and a larger database_type would make nothing faster."""
    code = (USER_DATA / "database.sh").read_text(encoding="utf-8")
    (line,) = [line for line in code.splitlines() if "innodb_buffer_pool_size" in line]
    line = line.replace("/etc/my.cnf.d/wordpress.cnf", str(tmp_path / "cnf"))
    free = f"free() {{ printf '       total used free\\nMem:  {total} 9 9\\nSwap: 0 0 0\\n'; }}"
    subprocess.run(["bash", "-euc", f"{free}\n{line}"], check=True)  # noqa: S607
    assert (tmp_path / "cnf").read_text(encoding="utf-8") == f"innodb_buffer_pool_size={pool}M\n"
    # It ends the section of the server, which the file has alone.
    assert re.findall(r"^\[.*\]$", (USER_DATA / "database.cnf").read_text(encoding="utf-8"), re.M) == ["[mysqld]"]


def test_the_client_does_not_write_its_own_address() -> None:
    web = (USER_DATA / "web.conf").read_text(encoding="utf-8")
    assert "REMOTE_ADDR $remote_addr;" in web and "real_ip_recursive off;" in web  # the last address, not the first


def test_uploads_are_mounted_when_the_database_comes_back() -> None:
    """https://github.com/compiler-explorer/compiler-explorer/issues/1473."""
    (line,) = [x for x in (USER_DATA / "web.sh").read_text(encoding="utf-8").splitlines() if " nfs4 " in x]
    assert "x-systemd.automount" in line


@pytest.mark.parametrize("unit", ["mariadb", "nfs-server"])
def test_nothing_is_served_from_the_root_volume_after_a_reboot(unit: str) -> None:
    """A mount with nofail is waited for by nobody who does not say so."""
    text = (USER_DATA / "database.sh").read_text(encoding="utf-8")
    (drop_in,) = re.findall(rf"^.*>/etc/systemd/system/{unit}\.service\.d/wordpress\.conf.*\n(?:.*\n)?.*", text, re.M)
    assert "RequiresMountsFor=" in drop_in


def test_another_size_of_the_volume_replaces_the_instance_that_grows_it(zone: Template) -> None:
    (size,) = [p["Size"] for p in properties(zone, "AWS::EC2::Volume")]
    assert f'resize2fs "$device" # to {size} GiB' in script(zone, "DatabaseTemplate")


def test_a_renewed_certificate_is_taken(zone: Template) -> None:
    text = script(zone, "BalancerTemplate")
    assert "systemctl enable --now wordpress-certificate.timer" in text and "OnUnitInactiveSec=3600" in text
    assert "SECRET=arn:" in text or "SECRET=reference" in text


@pytest.mark.parametrize(("good", "kept"), [(True, "new"), (False, "old")])
def test_a_certificate_that_nginx_refuses_changes_nothing(tmp_path: Path, good: bool, kept: str) -> None:
    site = tmp_path / "site.pem"
    site.write_text("old\n", encoding="utf-8")
    for name, does in {"aws": "echo new", "nginx": "exit 0" if good else "exit 1", "systemctl": "exit 0"}.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{does}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    code = (USER_DATA / "certificate.sh").read_text(encoding="utf-8").replace("/etc/nginx/tls/site.pem", str(site))
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "REGION": "r", "SECRET": "s"}
    ended = subprocess.run(["bash", "-c", code], env=env, capture_output=True, check=False)  # noqa: S607
    assert (ended.returncode == 0) is good and site.read_text(encoding="utf-8") == f"{kept}\n"


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl, which scripts/servers installs")
@pytest.mark.parametrize("domain", ["blog.example.com", f"{'blog.' * 48}example.com"])
def test_the_load_balancer_signs_a_certificate_for_the_longest_name(tmp_path: Path, domain: str) -> None:
    """A common name has 64 characters at most: https://github.com/openssl/openssl/issues/6479."""
    code = (USER_DATA / "balancer.sh").read_text(encoding="utf-8")
    (command,) = re.findall(r"^  (openssl req -x509 .*\\\n.*) 2>&1$", code, re.MULTILINE)
    command = command.replace("@NAME@", domain).replace("/etc/nginx/tls", str(tmp_path))
    signed = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)  # noqa: S607
    assert signed.returncode == 0, signed.stderr
    shown = ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", str(tmp_path / "certificate.pem")]
    assert f"DNS:{domain}\n" in subprocess.run(shown, capture_output=True, text=True, check=True).stdout


def test_the_boot_of_the_nat_depends_on_its_own_key_only() -> None:
    assert "sysctl --system" not in (USER_DATA / "nat.sh").read_text(encoding="utf-8")


def test_no_secret_is_an_argument_of_a_command() -> None:
    for name in ("database.sh", "web.sh"):
        for line in (USER_DATA / name).read_text(encoding="utf-8").splitlines():
            assert not re.search(r"(mariadb|php|curl)\b.*\$(password|admin|keys)\b(?!\")", line) or "<<<" in line, line


@pytest.mark.skipif(not shutil.which("php"), reason="needs php, which scripts/servers installs")
def test_an_installation_that_dies_halfway_has_failed(tmp_path: Path) -> None:
    """WordPress ends with status 0 when the database does not answer; the site would be for whoever comes first."""
    shutil.copy(USER_DATA / "install.php", tmp_path)
    (tmp_path / "settings.ini").write_text('url = "https://blog.example.com"\n', encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "wp-load.php").write_text("<?php die('no database');", encoding="utf-8")
    ended = subprocess.run(
        ["php", str(tmp_path / "install.php")],  # noqa: S607
        input="secret",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no database" in ended.stdout and ended.returncode == 1


# What people see


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_the_outputs_say_what_is_next_and_what_stays(variant: str) -> None:
    outputs = template(variant).to_json()["Outputs"]
    assert {"SiteUrl", "Address", "AdminPassword", "DataVolume", "Snapshots"} <= set(outputs)
    assert "delete-snapshot" in outputs["Snapshots"]["Description"]


def test_alarms_tell_of_missing_instances_and_failing_edges(zone: Template, enterprise: Template) -> None:
    names = {re.sub(r"[0-9A-F]{8}$", "", name) for name in of_type(zone, "AWS::CloudWatch::Alarm")}
    assert names == {
        "AlarmsMissingDatabase",
        "AlarmsMissingWeb",
        "AlarmsNatFails",
        "AlarmsBalancerFails",
        "AlarmsSiteFails",
        "AlarmsCertificateExpires",
        "AlarmsDataFills",
        "AlarmsDatabaseSilent",
    }
    edges = [a for a in properties(zone, "AWS::CloudWatch::Alarm") if a.get("MetricName") == "StatusCheckFailed"]
    assert [(a["Period"], a["EvaluationPeriods"]) for a in edges] == [(60, 2)] * 2  # two minutes
    names = {re.sub(r"[0-9A-F]{8}$", "", name) for name in of_type(enterprise, "AWS::CloudWatch::Alarm")}
    always = {"AlarmsMissingDatabase", "AlarmsMissingWeb", "AlarmsDataFills", "AlarmsDatabaseSilent"}
    assert names == always | {"AlarmsUnhealthyInstances", "AlarmsSiteFails"}


def test_a_site_that_fails_is_told_of_by_whatever_is_in_front_of_it(zone: Template, enterprise: Template) -> None:
    (own,) = [a for n, a in of_type(zone, "AWS::CloudWatch::Alarm").items() if n.startswith("AlarmsSiteFails")]
    # What falls silent after it has once told is no answer; a first deployment, which waits for it, tells nothing.
    assert "FILL(answers, 0)" in json.dumps(own["Properties"]["Metrics"]) and "WebGroup" in own["DependsOn"]
    assert (own["Properties"]["TreatMissingData"], own["Properties"]["EvaluationPeriods"]) == ("ignore", 5)
    (of_balancer,) = [a for n, a in of_type(enterprise, "AWS::CloudWatch::Alarm").items() if n.startswith("AlarmsSite")]
    names = [query["MetricStat"]["Metric"]["MetricName"] for query in of_balancer["Properties"]["Metrics"][1:]]
    assert names == ["HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count"]


@pytest.mark.parametrize(("answers", "told"), [(("000",), []), (("200", "000"), [1, 0]), (("502", "302"), [1])])
def test_the_load_balancer_tells_of_the_site_once_it_has_answered(
    tmp_path: Path, answers: tuple[str, ...], told: list[int]
) -> None:
    """Each answer stands for a minute."""
    code = (USER_DATA / "targets.sh").read_text(encoding="utf-8")
    (tell,) = re.findall(r"^(tell\(\) \{.*?^\}$)", code, re.MULTILINE | re.DOTALL)
    minutes = "".join(f"status={answer}; curl() {{ echo {answer}; }}; tell\n" for answer in answers)
    fakes = f"""answered='' REGION=r NAMESPACE=n NAME=s SITE=https://site
openssl() {{ echo 'notAfter=Jan  1 00:00:00 2050 GMT'; }}
aws() {{ echo "$*" >>{tmp_path}/told; }}
"""
    subprocess.run(["bash", "-uc", f"{fakes}{tell}\n{minutes}"], check=False)  # noqa: S607
    said = (tmp_path / "told").read_text(encoding="utf-8") if told else ""
    assert [int(value) for value in re.findall(r"SiteAnswers,Value=(\d)", said)] == told
    assert said.count("CertificateDays,Value=") == len(told) == said.count("Dimensions=[{Name=Stack,Value=s}]") / 2


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise", IN_ZONE])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
