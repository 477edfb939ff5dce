"""What the steps of the scenario look at, and what they do again and again."""

import argparse
import json
from collections.abc import Callable
from typing import Any, Self

from config.models import CommonSettings
from stacks.instance_connect_endpoint.doctor import doctor
from tryout.deployed import Update
from tryout.scenario import Deployed, Scenario, expect

Json = dict[str, Any]
TUNNEL, PUSH = "ec2-instance-connect:OpenTunnel", "ec2-instance-connect:SendSSHPublicKey"
CLIENT = "203.0.113.7"


class InstanceConnectEndpointLooks(Scenario):
    """The stack, and what happens in it."""

    def __init__(self, deployed: Deployed, variant: str) -> None:
        super().__init__(deployed, variant)
        self.ec2, self.iam = deployed.client("ec2"), deployed.client("iam")
        self.outputs = deployed.outputs
        self.principal = ""
        self.cleanup: list[Callable[[], object]] = []

    def __enter__(self) -> Self:
        """Somebody has the data-plane policy: a role that anybody may assume."""
        self.principal = self._role("connects", "DataPlanePolicyArn")
        return self

    def __exit__(self, *_: object) -> None:
        """Removes what the scenario has made besides the stack."""
        for undo in self.cleanup:
            undo()
        for role in ("connects", "builds"):
            for policy in self._attached(role):
                self.iam.detach_role_policy(RoleName=role, PolicyArn=policy)
                self.iam.delete_role(RoleName=role)

    def _rules(self, group: Json) -> list[Json]:
        return [*group["IpPermissions"], *group["IpPermissionsEgress"]]

    def _instance(self, instance_id: str) -> Json:
        found: Json = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        return found

    def _endpoint(self) -> Json:
        found: Json = self.ec2.describe_instance_connect_endpoints(
            InstanceConnectEndpointIds=[self.outputs["EndpointId"]]
        )["InstanceConnectEndpoints"][0]
        return found

    def _role(self, name: str, policy: str) -> str:
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn: str = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.iam.attach_role_policy(RoleName=name, PolicyArn=self.outputs[policy])
        return arn

    def _attached(self, role: str) -> list[str]:
        try:
            found = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        except self.iam.exceptions.NoSuchEntityException:
            return []
        return [policy["PolicyArn"] for policy in found]

    def _may(self, role: str, action: str, resource: str, keys: dict[str, tuple[str, str]] | None = None) -> bool:
        answer = self.iam.simulate_principal_policy(
            PolicySourceArn=self.iam.get_role(RoleName=role)["Role"]["Arn"],
            ActionNames=[action],
            ResourceArns=[resource],
            ContextEntries=[
                {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": [value]}
                for name, (kind, value) in (keys or {}).items()
            ],
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")

    def _may_tunnel(self, role: str, port: str, address: str, seconds: str) -> bool:
        keys = {
            "ec2-instance-connect:remotePort": ("numeric", port),
            "ec2-instance-connect:privateIpAddress": ("ip", address),
            "ec2-instance-connect:maxTunnelDuration": ("numeric", seconds),
        }
        return self._may(role, TUNNEL, self._endpoint()["InstanceConnectEndpointArn"], keys)

    def _may_push(self, role: str, tag: str) -> bool:
        keys = {"ec2:osuser": ("string", "ec2-user"), "aws:ResourceTag/instance-connect": ("string", tag)}
        arn = self._endpoint()["InstanceConnectEndpointArn"].rsplit(":", 1)[0]
        return self._may(role, PUSH, f"{arn}:instance/{self.outputs['LinuxInstanceId']}", keys)

    def _doctor(self, port: int = 22, client_ip: str = CLIENT) -> list[Json]:
        options = argparse.Namespace(instance=None, port=port, client_ip=client_ip, principal=self.principal)
        prefix = self.deployed.stack_name.removesuffix("instance-connect-endpoint").rstrip("-") or None
        common = CommonSettings(prefix=prefix)
        found: list[Json] = doctor(
            options, common, self.deployed.settings, lambda service, *_: self.deployed.client(service)
        ).data
        return found

    def _problem(self, what: str, **request: Any) -> str:
        """Expects that the doctor finds this one thing, and says what."""
        problems = [finding for finding in self._doctor(**request) if finding["status"] == "problem"]
        named = [finding for finding in problems if finding["what"] == what]
        expect(bool(named) and bool(named[0]["fix"]), f"{what} is not among {problems}")
        return str(named[0]["says"])

    def _update(self, change: Callable[[Json], object]) -> Update:
        template = self.deployed.template()
        change(template)
        return self.deployed.update(template)

    def _open_tunnel(self, who: str, whence: str) -> None:
        """The event of the page "Log connections established over EC2 Instance Connect Endpoint", by somebody.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/log-ec2-instance-connect-endpoint-using-cloudtrail.html
        """
        detail = {
            "eventVersion": "1.08",
            "userIdentity": {"type": "IAMUser", "arn": who, "accountId": "123456789012"},
            "eventTime": "2023-04-11T23:50:40Z",
            "eventSource": "ec2-instance-connect.amazonaws.com",
            "eventName": "OpenTunnel",
            "awsRegion": self.deployed.aws.region,
            "sourceIPAddress": whence,
            "requestParameters": {
                "instanceConnectEndpointId": self.outputs["EndpointId"],
                "maxTunnelDuration": "3600",
                "remotePort": "22",
                "privateIpAddress": "10.0.1.1",
            },
            "responseElements": None,
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "eventCategory": "Management",
        }
        self.deployed.aws.control(
            "put-event",
            source="aws.ec2-instance-connect",
            detail_type="AWS API Call via CloudTrail",
            detail=detail,
        )

    def _who_connected(self) -> list[dict[str, str]]:
        resources = self.deployed.template()["Resources"].values()
        (query,) = [r["Properties"]["QueryString"] for r in resources if r["Type"] == "AWS::Logs::QueryDefinition"]
        logs = self.deployed.client("logs")
        started = logs.start_query(
            logGroupName=self.outputs["TunnelLogGroup"], startTime=0, endTime=2**33, queryString=query
        )
        rows = logs.get_query_results(queryId=started["queryId"])["results"]
        return [{item["field"]: item["value"] for item in row} for row in rows]
