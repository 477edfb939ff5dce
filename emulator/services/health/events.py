"""Events of AWS Health, as far as somebody says that they come (our model).

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-reservation-eventbridge.html
"""

from emulator.core.api import Json
from emulator.core.events import put_event
from emulator.core.store import account_id, region, request_scope

NOTIFICATION = "AWS_EC2_ODCR_UNDERUTILIZATION_NOTIFICATION"


def underused(request: Json) -> Json:
    """``health-underused {"account", "region", "reservations": [line, ...], "summary": bool}``.

    Each line is the id of a reservation, and in a summary five fields joined by " | ": id, zone, type, platform and
    utilization. The samples of the page have neither eventScopeCode nor eventRegion.
    """
    code = f"{NOTIFICATION}_SUMMARY" if request.get("summary") else NOTIFICATION
    lines = [str(line) for line in request["reservations"]]
    wrong = [line for line in lines if (line.count(" | ") == 4) is not bool(request.get("summary"))]
    if wrong:
        raise ValueError(f"not as AWS Health writes it: {wrong[0]!r}")
    with request_scope(request["account"], request["region"]):
        detail = {
            "eventArn": f"arn:aws:health:{region()}::event/EC2/{code}/{code}_1",
            "service": "EC2",
            "eventTypeCode": code,
            "eventTypeCategory": "accountNotification",
            "startTime": "Wed, 25 Nov 2026 00:00:00 GMT",
            "eventDescription": [{"language": "en_US", "latestDescription": "Your reservations are under-utilized."}],
            "affectedEntities": [{"entityValue": line} for line in lines],
            "affectedAccount": account_id(),
        }
        put_event("aws.health", "AWS Health Event", detail, *lines)
    return {"sent": len(lines)}
