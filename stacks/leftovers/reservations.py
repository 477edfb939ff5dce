"""Which Capacity Reservations EC2 cancels, and why it keeps the others.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelCapacityReservation.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

CANCELLED_FOR_NOTHING = {"active", "assessing", "delayed"}
QUOTE = (
    "EC2 cancels it only for a charge that you accept: aws ec2 create-capacity-reservation-cancellation-quote says how "
    "much, cancel-capacity-reservation takes its --quote-id and --apply-cancellation-charges commitment-wind-down"
)


def kept_by_ec2(shown: Mapping[str, Any], now: datetime) -> str:
    """Why one cannot simply be cancelled; empty where it can, or where nobody may look at it.

    Args:
        shown: how DescribeCapacityReservations describes it
            (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CapacityReservation.html).
    """
    state = shown.get("State", "active")
    if shown.get("ReservationType") == "capacity-block" or state == "payment-pending":
        return "a Capacity Block cannot be cancelled: it ends on its end date"
    if state == "cancelling":
        return "is cancelled, and bills until its commitment has wound down"
    if state == "scheduled":
        return QUOTE
    if state not in CANCELLED_FOR_NOTHING:
        return f"EC2 cancels none that is {state}: run it again"
    # Of a delayed one "the commitment duration is waived".
    committed = shown.get("CommitmentInfo", {}).get("CommitmentEndDate")
    if state == "active" and committed and committed > now:
        return f"committed until {committed:%Y-%m-%d %H:%M} UTC; {QUOTE}"
    return ""
