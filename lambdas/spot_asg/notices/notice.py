"""What EC2 says about a Spot Instance, and what may follow from it. No AWS in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

INTERRUPTION, REBALANCE = "interruption", "rebalance"
KINDS = {
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
    "EC2 Spot Instance Interruption Warning": INTERRUPTION,
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
    "EC2 Instance Rebalance Recommendation": REBALANCE,
}
METRICS = {INTERRUPTION: "Interruptions", REBALANCE: "RebalanceRecommendations"}


@dataclass(frozen=True)
class Notice:
    """One notice about one instance.

    Attributes:
        kind: ``interruption``: the instance is gone in two minutes; ``rebalance``: it is at elevated risk.
        time: when EC2 said it.
    """

    kind: str
    instance_id: str
    time: datetime

    @property
    def key(self) -> str:
        """The same for every delivery of the same notice: an instance of a group is interrupted only once."""
        return f"{self.instance_id}#{self.kind}"

    @classmethod
    def of(cls, event: Any) -> "Notice | None":
        """Returns the notice of an event of EventBridge; None when the event is another one.

        Raises:
            KeyError, TypeError, ValueError: it claims to be a notice and lacks what belongs to one.
        """
        if event["source"] != "aws.ec2" or event["detail-type"] not in KINDS:
            return None
        instance_id = event["detail"]["instance-id"]
        if not isinstance(instance_id, str) or not instance_id.startswith("i-"):
            raise ValueError(f"the notice names no instance: {instance_id!r}")
        return cls(KINDS[event["detail-type"]], instance_id, datetime.fromisoformat(event["time"]))


@dataclass(frozen=True)
class Member:
    """An instance of the group, with the two things that make its Spot pool."""

    instance_id: str
    instance_type: str
    zone: str


def member_of(group: Mapping[str, Any], instance_id: str) -> Member | None:
    """Returns the member of a group, as DescribeAutoScalingGroups gives it, that has this id; None if there is none."""
    for instance in group["Instances"]:
        if instance["InstanceId"] == instance_id:
            return Member(instance_id, instance["InstanceType"], instance["AvailabilityZone"])
    return None
