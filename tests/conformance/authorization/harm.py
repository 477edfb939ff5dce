"""Actions by which a role would get more permissions than its own, or buy, each with a published source.

Lists of escalations: https://github.com/salesforce/cloudsplaining/blob/master/cloudsplaining/shared/constants.py
(PRIVILEGE_ESCALATION_METHODS), https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/ and
https://github.com/RhinoSecurityLabs/pacu/blob/master/pacu/modules/iam__privesc_scan/main.py.
"""

from collections.abc import Mapping

ESCALATION_LIST = "https://github.com/salesforce/cloudsplaining/blob/master/cloudsplaining/shared/constants.py"
PASS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"
_PATHS = "https://pathfinding.cloud/paths/"
_BOUNDARIES = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"
_SENDS = "https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html"
_KEY_POLICY = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying.html"
_BUYING = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_"

NEVER: Mapping[str, str] = {
    "iam:AddRoleToInstanceProfile": f"{_PATHS}ec2-001",
    "iam:AddUserToGroup": f"{_PATHS}iam-013",
    "iam:AttachGroupPolicy": f"{_PATHS}iam-010",
    "iam:AttachRolePolicy": f"{_PATHS}iam-009",
    "iam:AttachUserPolicy": f"{_PATHS}iam-008",
    "iam:CreateAccessKey": f"{_PATHS}iam-002",
    "iam:CreateLoginProfile": f"{_PATHS}iam-004",
    "iam:CreatePolicyVersion": f"{_PATHS}iam-001",
    "iam:CreateRole": ESCALATION_LIST,
    "iam:CreateServiceSpecificCredential": ESCALATION_LIST,
    "iam:CreateUser": ESCALATION_LIST,
    "iam:DeleteRolePermissionsBoundary": _BOUNDARIES,
    "iam:DeleteRolePolicy": ESCALATION_LIST,
    "iam:DeleteUserPermissionsBoundary": _BOUNDARIES,
    "iam:DetachRolePolicy": ESCALATION_LIST,
    "iam:PutGroupPolicy": f"{_PATHS}iam-011",
    "iam:PutRolePermissionsBoundary": _BOUNDARIES,
    "iam:PutRolePolicy": f"{_PATHS}iam-005",
    "iam:PutUserPermissionsBoundary": _BOUNDARIES,
    "iam:PutUserPolicy": f"{_PATHS}iam-007",
    "iam:ResetServiceSpecificCredential": ESCALATION_LIST,
    "iam:SetDefaultPolicyVersion": ESCALATION_LIST,
    "iam:UpdateAccessKey": ESCALATION_LIST,
    "iam:UpdateAssumeRolePolicy": f"{_PATHS}iam-012",
    "iam:UpdateLoginProfile": f"{_PATHS}iam-006",
    "kms:PutKeyPolicy": _KEY_POLICY,
}
"""Whatever they are called on: the role would write permissions, its own among them."""

ONLY_ON_OWN: Mapping[str, str] = {
    "bedrock-agentcore:InvokeCodeInterpreter": f"{_PATHS}bedrock-002",
    "cloudformation:CreateChangeSet": f"{_PATHS}cloudformation-005",
    "cloudformation:CreateStack": f"{_PATHS}cloudformation-001",
    "cloudformation:CreateStackSet": f"{_PATHS}cloudformation-003",
    "cloudformation:ExecuteChangeSet": f"{_PATHS}cloudformation-005",
    "cloudformation:UpdateStack": ESCALATION_LIST,
    "cloudformation:UpdateStackSet": f"{_PATHS}cloudformation-004",
    "codebuild:CreateProject": f"{_PATHS}codebuild-001",
    "codebuild:StartBuild": f"{_PATHS}codebuild-001",
    "codebuild:StartBuildBatch": f"{_PATHS}codebuild-004",
    "codebuild:UpdateProject": f"{_PATHS}codebuild-001",
    "ec2-instance-connect:SendSSHPublicKey": f"{_PATHS}ec2instanceconnect-003",
    "ec2-instance-connect:SendSerialConsoleSSHPublicKey": f"{_PATHS}ec2instanceconnect-003",
    "ec2:AssociateIamInstanceProfile": f"{_PATHS}ec2-001",
    "ec2:CreateLaunchTemplateVersion": f"{_PATHS}ec2-004",
    "ec2:ModifyInstanceAttribute": f"{_PATHS}ec2-002",
    "ec2:ModifyLaunchTemplate": f"{_PATHS}ec2-004",
    "ec2:ReplaceIamInstanceProfileAssociation": f"{_PATHS}ec2-001",
    "ec2:RequestSpotInstances": f"{_PATHS}ec2-003",
    "ecs:ExecuteCommand": f"{_PATHS}ecs-006",
    "ecs:RegisterTaskDefinition": f"{_PATHS}ecs-004",
    "glue:CreateJob": f"{_PATHS}glue-003",
    "glue:UpdateDevEndpoint": f"{_PATHS}glue-002",
    "glue:UpdateJob": f"{_PATHS}glue-005",
    "lambda:AddPermission": f"{_PATHS}lambda-005",
    "lambda:CreateEventSourceMapping": f"{_PATHS}lambda-002",
    "lambda:CreateFunction": f"{_PATHS}lambda-001",
    "lambda:PublishLayerVersion": ESCALATION_LIST,
    "lambda:UpdateFunctionCode": f"{_PATHS}lambda-003",
    "lambda:UpdateFunctionConfiguration": f"{_PATHS}lambda-003",
    "sagemaker:CreatePresignedNotebookInstanceUrl": f"{_PATHS}sagemaker-004",
    "ssm:CreateAssociation": _SENDS,
    "ssm:SendCommand": _SENDS,
    "ssm:StartAutomationExecution": _SENDS,
    "ssm:StartSession": _SENDS,
    "ssm:UpdateDocument": _SENDS,
    "states:UpdateStateMachine": ESCALATION_LIST,
    "sts:AssumeRole": f"{_PATHS}iam-016",
}
"""Where what they are called on is the solution's, by its name or its tags, its role is no more than this role."""

BUYS: Mapping[str, str] = {
    **{
        f"ec2:{name}": f"{_BUYING}amazonec2.html"
        for name in (
            "AcceptReservedInstancesExchangeQuote",
            "AllocateHosts",
            "CreateCapacityReservation",
            "CreateCapacityReservationBySplitting",
            "CreateCapacityReservationFleet",
            "CreateInterruptibleCapacityReservationAllocation",
            "ModifyCapacityReservation",
            "ModifyCapacityReservationFleet",
            "ModifyReservedInstances",
            "PurchaseCapacityBlock",
            "PurchaseCapacityBlockExtension",
            "PurchaseHostReservation",
            "PurchaseReservedInstancesOffering",
            "PurchaseScheduledInstances",
            "RunScheduledInstances",
        )
    },
    "aws-marketplace:AcceptAgreementRequest": f"{_BUYING}awsmarketplace.html",
    "aws-marketplace:Subscribe": f"{_BUYING}awsmarketplace.html",
    "cloudfront:CreateSavingsPlan": f"{_BUYING}amazoncloudfront.html",
    "devicefarm:PurchaseOffering": f"{_BUYING}awsdevicefarm.html",
    "dynamodb:PurchaseReservedCapacityOfferings": f"{_BUYING}amazondynamodb.html",
    "elasticache:PurchaseReservedCacheNodesOffering": f"{_BUYING}amazonelasticache.html",
    "es:PurchaseReservedInstanceOffering": f"{_BUYING}amazonopensearchservice.html",
    "glacier:PurchaseProvisionedCapacity": f"{_BUYING}amazons3glacier.html",
    "mediaconnect:PurchaseOffering": f"{_BUYING}awselementalmediaconnect.html",
    "medialive:PurchaseOffering": f"{_BUYING}awselementalmedialive.html",
    "memorydb:PurchaseReservedNodesOffering": f"{_BUYING}amazonmemorydb.html",
    "outposts:CreateOrder": f"{_BUYING}awsoutposts.html",
    "rds:PurchaseReservedDBInstancesOffering": f"{_BUYING}amazonrds.html",
    "redshift:PurchaseReservedNodeOffering": f"{_BUYING}amazonredshift.html",
    "route53domains:RegisterDomain": f"{_BUYING}amazonroute53domains.html",
    "route53domains:RenewDomain": f"{_BUYING}amazonroute53domains.html",
    "route53domains:TransferDomain": f"{_BUYING}amazonroute53domains.html",
    "savingsplans:CreateSavingsPlan": f"{_BUYING}awssavingsplans.html",
    "shield:CreateSubscription": f"{_BUYING}awsshield.html",
}
"""What is paid for whether it is used or not, or cannot be given back."""
