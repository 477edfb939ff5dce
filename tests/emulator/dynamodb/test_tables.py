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
