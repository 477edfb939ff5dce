"""What the SSM agent of an instance calls to take commands."""

# Of the managed policy AmazonSSMManagedInstanceCore without parameters and inventory:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
AGENT_ACTIONS = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
