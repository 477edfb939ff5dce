"""An account on the embedded AWS: bootstrapped, with what ``common`` may name.

The values that the rules on updates try (tests/conformance/updates/values.py) name things of nobody; each has one
here that exists and stands in its place.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from emulator.client import EmbeddedAws
from stacks.shared.preflight import BOOTSTRAP_VERSION, CDK_QUALIFIER
from tests.conformance.told import told
from tests.conformance.updates.states import states

Json = dict[str, Any]

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
QUALIFIERS = (CDK_QUALIFIER, "acme1")
ZONES = ("a", "b")
BOUNDARY = "developers"
UNITS = ("ou-ab12-canary34", "ou-ab12-cdefgh34")
MEMBER = "210987654321"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


class Account:
    """One account and Region with stand-ins for what a configuration names.

    Args:
        key_policy: what the key allows besides its own account, by the statements of README.md.
        roles: those that settings name: a key's policy takes none that is not there.
    """

    def __init__(
        self, aws: EmbeddedAws, key_policy: Sequence[Json], topic_policy: Sequence[Json], roles: Iterable[str] = ()
    ) -> None:
        self.aws = aws
        self._bootstrap(aws.region)
        for name in roles:
            self._create_role(name, {"AWS": f"arn:aws:iam::{aws.account}:root"})
        self.vpcs: list[str] = []
        self._real = dict(self._made(key_policy, topic_policy))

    def client(self, service: str, region: str = "") -> Any:
        """A client with the permissions of the account's administrator."""
        return self.aws.client(service, **({"region_name": region} if region else {}))

    def real(self, template: str) -> str:
        """A template in which what does not exist is replaced by what does."""
        for name, real in self._real.items():
            template = template.replace(name, real)
        return template

    def id_of(self, name: str) -> str:
        """What stands in the place of a name."""
        return self._real[name]

    def other_region(self, region: str) -> None:
        """Bootstraps another Region."""
        self._bootstrap(region)

    def _bootstrap(self, region: str) -> None:
        """What ``cdk bootstrap`` leaves and a deployment without its roles needs."""
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        for qualifier in QUALIFIERS:
            self.client("s3", region).create_bucket(Bucket=bucket(self.aws, qualifier, region), **where)
            name = f"/cdk-bootstrap/{qualifier}/version"
            self.client("ssm", region).put_parameter(Name=name, Value=str(BOOTSTRAP_VERSION), Type="String")
            # Which a key's policy of a stack may name: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
            name = f"cdk-{qualifier}-cfn-exec-role-{self.aws.account}-{region}"
            self._create_role(name, {"Service": "cloudformation.amazonaws.com"})

    def _create_role(self, name: str, trusted: Json) -> None:
        trust = document([{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}])
        self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)

    def _made(self, key_policy: Sequence[Json], topic_policy: Sequence[Json]) -> Iterator[tuple[str, str]]:
        ec2 = self.client("ec2")
        for number in range(2):
            vpc = ec2.create_vpc(CidrBlock=f"10.{200 + number}.0.0/16")["Vpc"]["VpcId"]
            self.vpcs.append(vpc)
            yield f"vpc-0123456789abcdef{number}", vpc
            for index, zone in enumerate(ZONES):
                subnet = ec2.create_subnet(
                    VpcId=vpc,
                    CidrBlock=f"10.{200 + number}.{index}.0/24",
                    AvailabilityZone=f"{self.aws.region}{zone}",
                )
                yield f"subnet-0123456789abcdef{2 * number + index}", subnet["Subnet"]["SubnetId"]
        ec2.modify_availability_zone_group(GroupName=f"{self.aws.region}-bos-1", OptInStatus="opted-in")
        for number in (4, 5):
            subnet = ec2.create_subnet(
                VpcId=self.vpcs[0], CidrBlock=f"10.200.{number}.0/24", AvailabilityZone=f"{self.aws.region}-bos-1a"
            )
            yield f"subnet-0123456789abcdef{number}", subnet["Subnet"]["SubnetId"]
        volume = ec2.create_volume(AvailabilityZone=f"{self.aws.region}a", Size=8)["VolumeId"]
        for number in range(2):
            yield f"snap-0123456789abcdef{number}", ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
            mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}]
            image = ec2.register_image(Name=f"image-{number}", RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)
            yield f"ami-0123456789abcdef{number}", image["ImageId"]
        root = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.aws.account}:root"}}
        policy = document([{**root, "Action": "kms:*", "Resource": "*"}, *key_policy])
        yield KEY, self.client("kms").create_key(Policy=self._here(policy))["KeyMetadata"]["Arn"]
        topic = self.client("sns").create_topic(Name="alarms")["TopicArn"]
        yield TOPIC, topic
        if topic_policy:
            allowed = document([{**statement, "Resource": topic} for statement in topic_policy])
            text = self._here(allowed)
            self.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)
        organizations = self.client("organizations")
        root = organizations.list_roots()["Roots"][0]["Id"]
        organizations.enable_policy_type(RootId=root, PolicyType="DECLARATIVE_POLICY_EC2")
        for name in UNITS:
            unit = organizations.create_organizational_unit(ParentId=root, Name=name)
            yield name, unit["OrganizationalUnit"]["Id"]
        member = organizations.create_account(AccountName="member", Email="member@example.com")
        yield MEMBER, member["CreateAccountStatus"]["AccountId"]
        bounded = document([{"Effect": "Allow", "Action": "*", "Resource": "*"}])
        self.client("iam").create_policy(PolicyName=BOUNDARY, PolicyDocument=bounded)

    def _here(self, policy: str) -> str:
        return policy.replace("ACCOUNT", self.aws.account).replace("REGION", self.aws.region)

    # Assets

    def upload(self, assembly: Path, stack: str, region: str) -> None:
        """Puts the files of a cloud assembly where its template looks for them, unless they are there."""
        manifest = json.loads((assembly / f"{stack}.assets.json").read_text(encoding="utf-8"))
        for name, file in manifest.get("files", {}).items():
            source = assembly / file["source"]["path"]
            for destination in file["destinations"].values():
                if source.suffixes[-2:] == [".template", ".json"]:
                    continue
                parts = {"${AWS::AccountId}": self.aws.account, "${AWS::Region}": region}
                where = _filled(destination["bucketName"], parts)
                self._put(where, destination["objectKey"], source, file["source"]["packaging"], name)

    def _put(self, where: str, key: str, source: Path, packaging: str, name: str) -> None:
        s3 = self.client("s3")
        try:
            s3.head_object(Bucket=where, Key=key)
            return
        except ClientError:
            pass
        if packaging == "zip":
            packed = shutil.make_archive(str(source.with_name(f"packed-{name}")), "zip", source)
            source = Path(packed)
        s3.put_object(Bucket=where, Key=key, Body=source.read_bytes())


def bucket(aws: EmbeddedAws, qualifier: str, region: str) -> str:
    """The bucket of assets that ``cdk bootstrap`` makes."""
    return f"cdk-{qualifier}-assets-{aws.account}-{region}"


def roles_in(slug: str, account: str) -> list[str]:
    """The names of the account's roles that any tried value of a solution's settings has."""
    others: Json = told(slug, "OTHERS", {})
    tried = json.dumps([others, *(state.section for state in states(slug, all_of_them=True))])
    return sorted(set(re.findall(rf"arn:aws:iam::{account}:role/([\w+=,.@-]+)\"", tried)))


def document(statements: Sequence[Mapping[str, Any]]) -> str:
    """A policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _filled(text: str, parts: Mapping[str, str]) -> str:
    for name, value in parts.items():
        text = text.replace(name, value)
    return text
