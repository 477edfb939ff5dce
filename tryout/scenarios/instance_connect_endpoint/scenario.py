"""The post's test up to the tunnel: who may connect where, what stands in the way, and what a change may not do.

The tunnel itself is AWS's, and nothing here pretends to be it.
"""

import json
import re
import shlex
from typing import ClassVar

from tryout.scenario import expect, step
from tryout.scenarios.instance_connect_endpoint.looks import CLIENT, InstanceConnectEndpointLooks, Json
from tryout.steps import BESIDE, PLANTED
from tryout.waits import wait_until


class InstanceConnectEndpointScenario(InstanceConnectEndpointLooks):
    """Policies decide, the doctor finds what is wrong, the guard stops what CloudFormation could not finish."""

    variants: ClassVar[dict[str, Json]] = {
        "ssh": {},
        "ssh, rdp, trail": {
            "ports": [22, 3389],
            "windows_instance_type": "t3.medium",
            "preserve_client_ip": True,
            "client_cidrs": ["203.0.113.0/24"],
            "tunnel_seconds": 900,
            "trail": "create",
            "expected_principals": ["assumed-role/Operators/*"],
        },
    }
    in_account: ClassVar[dict[str, Json]] = {"ssh": {}}
    account_minutes = 25

    # What is there

    @step("the VPC has no way to the internet, and nothing opens a port to it", "emulated", where="anywhere")
    def private(self) -> str:
        vpcs = self.deployed.resources["AWS::EC2::VPC"]
        gateways = self.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": vpcs}])
        expect(not gateways["InternetGateways"], "it has an internet gateway")
        groups = self.ec2.describe_security_groups(GroupIds=self.deployed.resources["AWS::EC2::SecurityGroup"])
        rules = [rule for group in groups["SecurityGroups"] for rule in self._rules(group)]
        everyone = [rule for rule in rules if "0.0.0.0/0" in json.dumps(rule) or "::/0" in json.dumps(rule)]
        expect(not everyone, f"open to everyone: {everyone}")
        instances = [self._instance(i) for i in self.deployed.resources["AWS::EC2::Instance"]]
        public = [instance["InstanceId"] for instance in instances if instance.get("PublicIpAddress")]
        expect(not public, f"with a public address: {public}")
        return f"{len(rules)} rules, none of them with 0.0.0.0/0; {len(instances)} instances without public address"

    @step("the outputs are commands that name this endpoint and this instance", "emulated", where="anywhere")
    def pastes(self) -> str:
        names = [name for name in ("Ssh", "SshWithProxyCommand", "Rdp", "WindowsPassword") if name in self.outputs]
        for name in names:
            words = shlex.split(self.outputs[name])
            expect(words[0] in ("aws", "(umask"), f"{name}: {words[:3]}")
            wanted = self.outputs["WindowsInstanceId" if name in ("Rdp", "WindowsPassword") else "LinuxInstanceId"]
            expect(wanted in self.outputs[name], f"{name} does not name {wanted}")
            if name != "WindowsPassword":
                expect(self.outputs["EndpointId"] in self.outputs[name], f"{name} does not name the endpoint")
        return ", ".join(names)

    @step("the doctor, asked for a role with the data-plane policy, finds nothing", "real-code", emulated=BESIDE)
    def healthy(self) -> str:
        found = self._doctor()
        problems = [finding for finding in found if finding["status"] != "ok"]
        expect(not problems, f"{problems}")
        return ", ".join(finding["what"] for finding in found)

    # Who may what

    @step(
        "the data-plane policy allows what the settings say and nothing beside it",
        "emulated",
        only=("ssh",),
        emulated=BESIDE,
    )
    def connects(self) -> str:
        address = self._instance(self.outputs["LinuxInstanceId"])["PrivateIpAddress"]
        cases = {
            "port 22": (("22", address, "3600"), True),
            "port 8080": (("8080", address, "3600"), False),
            "port 3389": (("3389", address, "3600"), False),
            "another network": (("22", "192.168.0.9", "3600"), False),
            "longer than an hour": (("22", address, "3601"), False),
        }
        for what, (request, allowed) in cases.items():
            decided = self._may_tunnel("connects", *request)
            expect(decided == allowed, f"{what}: allowed is {decided}")
        for tag, allowed in (("allowed", True), ("other", False)):
            decided = self._may_push("connects", tag)
            expect(decided == allowed, f"a key for an instance tagged {tag}: allowed is {decided}")
        expect(not self._may("connects", "ec2:CreateInstanceConnectEndpoint", "*"), "it may build endpoints")
        return f"allowed: port 22 of {address} for an hour, keys for tagged instances; denied: {len(cases)} others"

    @step("the control-plane policy builds endpoints and opens no tunnel", "emulated", only=("ssh",), emulated=BESIDE)
    def builds(self) -> str:
        self._role("builds", "ControlPlanePolicyArn")
        subnet = self._endpoint()["SubnetId"]
        arn = self._endpoint()["InstanceConnectEndpointArn"].rsplit(":", 1)[0]
        here = {"ec2:SubnetID": ("string", subnet)}
        elsewhere = {"ec2:SubnetID": ("string", "subnet-0123456789abcdef0")}
        delete = ("builds", "ec2:DeleteInstanceConnectEndpoint", f"{arn}:instance-connect-endpoint/eice-1")
        expect(self._may("builds", "ec2:CreateInstanceConnectEndpoint", f"{arn}:subnet/{subnet}"), "cannot create")
        expect(self._may(*delete, here), "cannot delete here")
        expect(not self._may(*delete, elsewhere), "deletes elsewhere")
        address = self._instance(self.outputs["LinuxInstanceId"])["PrivateIpAddress"]
        expect(not self._may_tunnel("builds", "22", address, "60"), "opens tunnels")
        expect(not self._may_push("builds", "allowed"), "pushes keys")
        return f"creates and deletes in {subnet} only"

    # What stands in the way

    @step("the doctor names each thing that is wrong, with its fix", "real-code", only=("ssh",), emulated=BESIDE)
    def finds(self) -> str:
        instance_id, group = self.outputs["LinuxInstanceId"], self.outputs["InstanceGroupId"]
        pair = [{"GroupId": self.outputs["EndpointGroupId"]}]
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        inbound = [r["SecurityGroupRuleId"] for r in rules["SecurityGroupRules"] if not r["IsEgress"]]
        rule = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": pair}]
        everyone = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        seen = []
        self.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=inbound)
        seen.append(self._problem("group of the instance"))
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everyone)
        seen.append(self._problem("group of the instance"))
        self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=everyone)
        self.ec2.stop_instances(InstanceIds=[instance_id])
        seen.append(self._problem("instance"))
        self.ec2.start_instances(InstanceIds=[instance_id])
        self.iam.detach_role_policy(RoleName="connects", PolicyArn=self.outputs["DataPlanePolicyArn"])
        seen.append(self._problem("right to open a tunnel"))
        self.iam.attach_role_policy(RoleName="connects", PolicyArn=self.outputs["DataPlanePolicyArn"])
        seen.append(self._problem("port", port=8080))
        return "; ".join(seen)

    @step(
        "with the client's address preserved, the doctor knows who is let in",
        "real-code",
        only=("ssh, rdp, trail",),
        emulated=BESIDE,
    )
    def knows_clients(self) -> str:
        seen = self._problem("client address", client_ip="198.51.100.9")
        return f"{CLIENT} is let in; {seen}"

    @step(
        "RDP to the Windows instance is examined on port 3389", "real-code", only=("ssh, rdp, trail",), emulated=BESIDE
    )
    def finds_windows(self) -> str:
        found = self._doctor(port=3389)
        problems = [finding for finding in found if finding["status"] != "ok"]
        expect(not problems, f"{problems}")
        expect(not any(finding["what"] == "right to push a key" for finding in found), "RDP takes no SSH key")
        return ", ".join(finding["what"] for finding in found)

    # What a change may not do

    @step(
        "the guard stops a change that would replace the endpoint, before anything happens",
        "real-code",
        only=("ssh",),
        where="anywhere",
    )
    def guards(self) -> str:
        before = self._endpoint()
        done = self._update(_changed)
        expect(done.status == "UPDATE_ROLLBACK_COMPLETE", f"{done.status}: {done.reasons}")
        expect(self._endpoint() == before, "the endpoint has changed")
        (said,) = [reason for reason in done.reasons if "two deployments" in reason]
        touched = [event for event in done.events if event["LogicalResourceId"] == "Endpoint"]
        expect(not touched, "CloudFormation has begun to replace the endpoint")
        return said[said.index("stopped") :][:60] + " ..."

    @step(
        "an accepted change that CloudFormation cannot finish is rolled back past the guard",
        "real-code",
        only=("ssh",),
        where="anywhere",
    )
    def rolls_back(self) -> str:
        before = self._endpoint()
        done = self._update(lambda template: _changed(template, accepted=True))
        expect(done.status == "UPDATE_ROLLBACK_COMPLETE", f"{done.status}: {done.reasons}")
        expect(self._endpoint() == before, "the endpoint has changed")
        (why,) = {reason for reason in done.reasons if "maximum number" in reason}
        return f"{re.sub('^.*The maximum', 'the maximum', why)[:70]} ... -> {done.status}"

    @step("the two-step way replaces the endpoint", "emulated", only=("ssh",), emulated=BESIDE)
    def two_steps(self) -> str:
        before = self._endpoint()["InstanceConnectEndpointId"]
        original = self.deployed.template()
        done = self._update(_without_endpoint)
        expect(done.complete, f"{done.status}: {done.reasons}")
        expect(not self.ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"], "it is still there")
        _changed(original)
        done = self.deployed.update(original)
        expect(done.complete, f"{done.status}: {done.reasons}")
        (endpoint,) = self.ec2.describe_instance_connect_endpoints()["InstanceConnectEndpoints"]
        expect(endpoint["PreserveClientIp"], "it does not preserve the client's address")
        return f"{before} -> {endpoint['InstanceConnectEndpointId']}"

    # Who was it

    @step(
        "an OpenTunnel event as AWS documents it is logged, and the saved query prints who, whence and whither",
        "emulated",
        only=("ssh, rdp, trail",),
        emulated=PLANTED,
    )
    def logs(self) -> str:
        self._open_tunnel("arn:aws:sts::123456789012:assumed-role/Operators/ada", "198.51.100.4")
        self._open_tunnel("arn:aws:iam::123456789012:user/mallory", "203.0.113.99")
        wait_until("two tunnels in the log", lambda: len(self._who_connected()) == 2)
        wanted = {
            "detail.userIdentity.arn": "arn:aws:iam::123456789012:user/mallory",
            "detail.sourceIPAddress": "203.0.113.99",
            "detail.requestParameters.privateIpAddress": "10.0.1.1",
            "detail.requestParameters.remotePort": "22",
        }
        rows = self._who_connected()
        expect(any(row | wanted == row for row in rows), f"{rows}")
        return " | ".join(wanted.values())

    @step(
        "a tunnel of somebody unexpected is told in a sentence, an expected one is not",
        "emulated",
        only=("ssh, rdp, trail",),
        emulated=PLANTED,
    )
    def tells(self) -> str:
        sqs, sns = self.deployed.client("sqs"), self.deployed.client("sns")
        queue = sqs.create_queue(QueueName="hears")["QueueUrl"]
        self.cleanup.append(lambda: sqs.delete_queue(QueueUrl=queue))
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = self.outputs["AlarmTopicArn"]
        send = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        document = {"Version": "2012-10-17", "Statement": [{**send, "Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(document)})
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        self.cleanup.append(lambda: sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"]))
        self._open_tunnel("arn:aws:sts::123456789012:assumed-role/Operators/ada", "198.51.100.4")
        self._open_tunnel("arn:aws:iam::123456789012:user/mallory", "203.0.113.99")
        heard: list[str] = []

        def hear() -> bool:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
                heard.append(json.loads(message["Body"])["Message"])
            return bool(heard)

        wait_until("a sentence", hear)
        expect(len(heard) == 1 and "Operators" not in heard[0], f"{heard}")
        expect("mallory opened a tunnel from 203.0.113.99 to 10.0.1.1 port 22" in heard[0], heard[0])
        return heard[0].strip('"')[:110] + " ..."

    @step(
        "the bucket of the trail has files in it when the stack is destroyed",
        "recorded",
        only=("ssh, rdp, trail",),
        emulated=PLANTED,
    )
    def fills_bucket(self) -> str:
        (bucket,) = self.deployed.resources["AWS::S3::Bucket"]
        for number in range(3):
            key = f"AWSLogs/{self.deployed.aws.account}/CloudTrail/{number}.json.gz"
            self.deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=b"as CloudTrail would")
        return "3 files; the trail is only recorded, its bucket is real, and Trail-Emptier has to empty it"


def _changed(template: Json, *, accepted: bool = False) -> None:
    """What CDK synthesizes with preserve_client_ip: true."""
    resources = template["Resources"]
    resources["Endpoint"]["Properties"]["PreserveClientIp"] = True
    resources["EndpointGuard"]["Properties"]["Guarded"]["PreserveClientIp"] = True
    resources["EndpointGuard"]["Properties"]["Accepted"] = accepted


def _without_endpoint(template: Json) -> None:
    """What CDK synthesizes with endpoint: false."""

    def named(value: object) -> bool:
        return '"Fn::GetAtt": ["Endpoint"' in json.dumps(value)

    resources = template["Resources"]
    for name in ("Endpoint", "EndpointGuard"):
        del resources[name]
    for name in [name for name, output in template["Outputs"].items() if named(output)]:
        del template["Outputs"][name]
    for resource in resources.values():
        document = resource.get("Properties", {}).get("PolicyDocument", {})
        if named(document):
            document["Statement"] = [statement for statement in document["Statement"] if not named(statement)]


SCENARIO = InstanceConnectEndpointScenario
