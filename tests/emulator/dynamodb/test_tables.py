"""A table of a stack stays the same table through what CloudFormation changes in place."""

from typing import Any

from emulator.client import EmbeddedAws
from tests.emulator.conftest import Stack


def resources(key: str = "id", **replica: Any) -> dict[str, Any]:
    table = {
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "Replicas": [{"Region": "us-east-1", **replica}],
    }
    return {"Items": {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table}}


def test_its_items_stay_until_its_key_changes(aws: EmbeddedAws, stack: Stack) -> None:
    table = stack.create(resources())["Items"]
    dynamodb = aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"id": {"S": "one"}})
    assert stack.update(resources(DeletionProtectionEnabled=True))["Items"] == table
    assert dynamodb.scan(TableName=table)["Count"] == 1
    assert stack.update(resources(key="other"))["Items"] != table
    assert len(dynamodb.list_tables()["TableNames"]) == 1


def test_it_has_the_tags_of_its_replica_and_none_of_its_stack(aws: EmbeddedAws, stack: Stack) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-globaltable-replicaspecification.html."""
    dynamodb = aws.client("dynamodb")

    def tags() -> dict[str, str]:
        found = dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    table = stack.create(resources(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]))["Items"]
    arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    assert tags() == {"a": "1", "b": "2"}
    stack.update(resources(Tags=[{"Key": "b", "Value": "3"}, {"Key": "Name", "Value": "items"}]))
    assert tags() == {"b": "3", "Name": "items"}
    shown = aws.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "b"}])["ResourceTagMappingList"]
    assert [one["ResourceARN"] for one in shown] == [arn]
    stack.delete()
    assert aws.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"] == []
