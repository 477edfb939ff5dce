"""Managed policies that are attached to nobody: one to administer the endpoint, one to connect, one for a password.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html
"""

from aws_cdk import Acknowledgment, ArnFormat, Token, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.instance_connect_endpoint.network import PrivateNetwork
from stacks.instance_connect_endpoint.settings import InstanceConnectEndpointSettings
from stacks.shared.grants import READING
from stacks.shared.solution import SolutionStack

SERVICE = "ec2-instance-connect.amazonaws.com"


class Policies(Construct):
    """Separate permissions: who administers endpoints cannot connect, and who connects cannot administer them.

    Args:
        endpoint: None while it is taken out; nobody can open a tunnel then.

    Attributes:
        control_plane: to create, change and delete the endpoint of this subnet.
        data_plane: to open tunnels through this endpoint, to the ports and addresses of the settings, for as long as
            they say, and to push SSH keys to instances with the tag.
    """

    def __init__(
        self,
        scope: SolutionStack,
        construct_id: str,
        settings: InstanceConnectEndpointSettings,
        *,
        network: PrivateNetwork,
        endpoint: ec2.CfnInstanceConnectEndpoint | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        self.control_plane = iam.ManagedPolicy(
            self,
            "ControlPlane",
            description="Create, change and delete the EC2 Instance Connect Endpoint of one subnet",
            statements=self._control(network, endpoint),
        )
        self.data_plane = iam.ManagedPolicy(
            self,
            "DataPlane",
            description="Connect to private instances through one EC2 Instance Connect Endpoint",
            statements=self._connect(settings, network, endpoint),
        )
        self._acknowledge(settings)

    def _control(
        self, network: PrivateNetwork, endpoint: ec2.CfnInstanceConnectEndpoint | None
    ) -> list[iam.PolicyStatement]:
        subnet = self._arn("subnet", network.subnet_id)
        group = self._arn("security-group", network.endpoint_group.security_group_id)
        endpoints, interfaces = self._arn("instance-connect-endpoint"), self._arn("network-interface")
        # AWS's list has ec2:SubnetID for creating and deleting an endpoint, and not for changing it:
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        change = iam.PolicyStatement(sid="ChangeThisOne", actions=["ec2:ModifyInstanceConnectEndpoint"])
        if endpoint:
            change.add_resources(endpoint.attr_instance_connect_endpoint_arn)
        return [
            *([change] if endpoint else []),
            iam.PolicyStatement(
                sid="CreateHere",
                actions=["ec2:CreateInstanceConnectEndpoint", "ec2:CreateNetworkInterface"],
                resources=[subnet, group, endpoints, interfaces],
            ),
            iam.PolicyStatement(
                sid="DeleteHere",
                actions=["ec2:DeleteInstanceConnectEndpoint"],
                resources=[endpoints],
                conditions={"StringEquals": {"ec2:SubnetID": network.subnet_id}},
            ),
            iam.PolicyStatement(
                sid="ChangeToThisGroup", actions=["ec2:ModifyInstanceConnectEndpoint"], resources=[group]
            ),
            iam.PolicyStatement(
                sid="TagWhatIsCreated",
                actions=["ec2:CreateTags"],
                resources=[endpoints, interfaces],
                conditions={
                    "StringEquals": {"ec2:CreateAction": ["CreateInstanceConnectEndpoint", "CreateNetworkInterface"]}
                },
            ),
            iam.PolicyStatement(
                sid="LetEc2MakeInterfaces",
                actions=["iam:CreateServiceLinkedRole"],
                resources=[
                    self._stack.format_arn(
                        service="iam", region="", resource="role", resource_name=f"aws-service-role/{SERVICE}/*"
                    )
                ],
                conditions={"StringEquals": {"iam:AWSServiceName": SERVICE}},
            ),
            iam.PolicyStatement(sid="Look", actions=["ec2:DescribeInstanceConnectEndpoints"], resources=["*"]),
        ]

    def _connect(
        self,
        settings: InstanceConnectEndpointSettings,
        network: PrivateNetwork,
        endpoint: ec2.CfnInstanceConnectEndpoint | None,
    ) -> list[iam.PolicyStatement]:
        tag, statements = settings.instance_tag, list[iam.PolicyStatement]()
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/permissions-for-ec2-instance-connect-endpoint.html
        from_here = {"IpAddress": {"aws:SourceIp": list(settings.source_cidrs)}} if settings.source_cidrs else {}
        if endpoint:
            statements.append(
                iam.PolicyStatement(
                    sid="OpenTunnel",
                    actions=["ec2-instance-connect:OpenTunnel"],
                    resources=[endpoint.attr_instance_connect_endpoint_arn],
                    conditions={
                        "NumericEquals": {"ec2-instance-connect:remotePort": [str(port) for port in settings.ports]},
                        "IpAddress": {
                            "ec2-instance-connect:privateIpAddress": network.private_cidrs,
                            **from_here.get("IpAddress", {}),
                        },
                        "NumericLessThanEquals": {
                            "ec2-instance-connect:maxTunnelDuration": str(settings.tunnel_seconds)
                        },
                    },
                )
            )
        if 22 in settings.ports:
            statements.append(
                iam.PolicyStatement(
                    sid="PushKey",
                    actions=["ec2-instance-connect:SendSSHPublicKey"],
                    resources=[self._arn("instance")],
                    conditions={
                        "StringEquals": {
                            "ec2:osuser": list(settings.os_users),
                            f"aws:ResourceTag/{tag.key}": tag.value,
                        },
                        **from_here,
                    },
                )
            )
        look = ["ec2:DescribeInstances", "ec2:DescribeInstanceConnectEndpoints"]
        return [*statements, iam.PolicyStatement(sid="Look", actions=look, resources=["*"])]

    def read_password(self, instance_id: str, key_pair: ec2.KeyPair) -> iam.ManagedPolicy:
        """Adds the policy of those who run the output WindowsPassword."""
        return iam.ManagedPolicy(
            self,
            "WindowsPassword",
            description="Read the password of one Windows instance and the private key that decrypts it",
            statements=[
                iam.PolicyStatement(
                    sid="ReadPassword", actions=["ec2:GetPasswordData"], resources=[self._arn("instance", instance_id)]
                ),
                iam.PolicyStatement(
                    sid="ReadPrivateKey", actions=["ssm:GetParameter"], resources=[key_pair.private_key.parameter_arn]
                ),
            ],
        )

    def _arn(self, resource: str, name: str = "*") -> str:
        return self._stack.format_arn(
            service="ec2", resource=resource, resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )

    def _acknowledge(self, settings: InstanceConnectEndpointSettings) -> None:
        any_of = "An id is known only after creation; the other resources or conditions of the statement hold it here."
        reasons = {
            "instance-connect-endpoint/*": any_of,
            "network-interface/*": any_of,
        }
        for resource, reason in reasons.items():
            self._accept(self.control_plane, self._shown("ec2", resource), reason)
        role = f"role/aws-service-role/{SERVICE}/*"
        self._accept(self.control_plane, self._shown("iam", role), "AWS names the role; its path is this service's.")
        if 22 in settings.ports:
            self._accept(
                self.data_plane, self._shown("ec2", "instance/*"), "Instances are chosen by their tag, as it changes."
            )
        for policy in (self.control_plane, self.data_plane):
            self._accept(policy, "*", READING)

    def _accept(self, policy: iam.ManagedPolicy, resource: str, reason: str) -> None:
        Validations.of(policy).acknowledge(Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource}]", reason=reason))

    def _shown(self, service: str, resource: str) -> str:
        """An ARN as cdk-nag shows it."""
        stack = self._stack
        known = {"Partition": stack.partition, "Region": stack.region, "AccountId": stack.account}
        shown = {name: f"<AWS::{name}>" if Token.is_unresolved(value) else value for name, value in known.items()}
        region = "" if service == "iam" else shown["Region"]
        return f"arn:{shown['Partition']}:{service}:{region}:{shown['AccountId']}:{resource}"
