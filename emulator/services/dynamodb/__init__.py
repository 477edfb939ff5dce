"""Amazon DynamoDB, by ministack."""

from emulator.core.service import Service
from emulator.services.dynamodb.types import in_place

SERVICE = Service(
    "dynamodb",
    wraps={"AWS::DynamoDB::GlobalTable": in_place},
    modelled=("tables that a stack changes in place",),
)
