"""Reserved Instances that somebody owns: what DescribeReservedInstances shows of them (our model).

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeReservedInstances.html has no pages; a regional
one has no AvailabilityZone. Not modelled: offerings, buying, what a Reserved Instance pays.
"""

from datetime import datetime

from emulator.core.api import Json, Operation, client_error
from emulator.core.store import Setting

STATES = ("payment-pending", "active", "payment-failed", "retired", "queued", "queued-deleted")

purchases: Setting[tuple[Json, ...]] = Setting(())


def put(request: Json) -> Json:
    """``reserved-instances {"purchases": [...]}``: members of the API's ReservedInstances, times as texts."""
    found = []
    for each in request["purchases"]:
        if each["State"] not in STATES or (each["Scope"] == "Region") is ("AvailabilityZone" in each):
            raise ValueError(f"not as EC2 has it: {each}")
        found.append({**each, "End": datetime.fromisoformat(each["End"])})
    purchases.value = tuple(found)
    return {"purchases": len(found)}


def describe_reserved_instances(parameters: Json) -> Json:
    """All of them, or those with a state."""
    states = None
    for each in parameters.get("Filters") or []:
        if each["Name"] != "state":
            raise client_error("InvalidParameterValue", f"The filter '{each['Name']}' is invalid")
        states = each["Values"]
    found = [each for each in purchases.value if not states or each["State"] in states]
    return {"ReservedInstances": found}


OPERATIONS: dict[str, Operation] = {"describe_reserved_instances": describe_reserved_instances}
