"""A table whose key, recovery and expiry follow the settings all solutions share."""

from aws_cdk import CfnTag
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.shared.solution import SolutionStack


class Table(dynamodb.TableV2):
    """A DynamoDB table on demand, encrypted with the customer's key if there is one.

    Args:
        key: name of the partition key, a string.
        expires: name of the attribute by which an item expires, in seconds since the epoch.
        recovery: whether point-in-time recovery comes with ``common.keep_data_on_destroy``; not where the table holds
            nothing but what is measured again.
    """

    def __init__(
        self,
        stack: SolutionStack,
        scope: Construct,
        construct_id: str,
        *,
        key: str,
        expires: str | None = None,
        recovery: bool = True,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING),
            time_to_live_attribute=expires,
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(stack.encryption_key)
            if stack.encryption_key
            else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=stack.common.keep_data_on_destroy
            )
            if recovery
            else None,
            # CloudFormation hands the tags of a stack to no AWS::DynamoDB::GlobalTable: its schema has no tagging.
            tags=[CfnTag(key=key, value=value) for key, value in stack.tags.tag_values().items()],
        )
        self._customer_key = stack.encryption_key

    def allow(self, role: iam.IRole, *actions: str) -> None:
        """Allows actions on the table, and its key: DynamoDB uses it in the name of its caller."""
        self.grants.actions(role, *actions)
        if self._customer_key:
            self._customer_key.grant(role, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
