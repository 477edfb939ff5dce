"""How target tracking policies change a group's capacity (our model). No AWS and no clock in here.

One model for two clocks: the embedded AWS gives it a datapoint each minute of its clock, the simulation of
``benchmarks/sqs_target_scaling`` each minute of simulated time. It follows

- https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html: alarms on the metric, missing
  data scale nothing, several policies, rounding, warm-up, instances that terminate;
- https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html: what warms up;
- https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html: capacity
  is added in proportion to the metric, and removed only once it is "usually more than 10%" below the target.

No page says how many datapoints the alarms take (3 and 15 are those of the alarms that Auto Scaling makes) nor how
large a step of a scale-in is, only that it is gradual. In the one public record, the figure of AWS's own sample
(https://github.com/awslabs/ec2-spot-labs, ec2-asg-dynamic-target-tracking; tests/benchmarks/public_figure.csv),
groups of four and eight lose one instance a minute at most: so here. An alarm of CloudWatch looks further back
where datapoints are missing; here a gap among the newest is a gap, and scales nothing.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

PERIOD_SECONDS = 60
SCALE_OUT_DATAPOINTS = 3
SCALE_IN_DATAPOINTS = 15
SCALE_IN_BELOW = 0.9  # of the target
SCALE_IN_SHARE = 0.0  # of the group, that a scale-in takes away at once: never less than one instance

# The default cooldown of a group: the warm-up where neither policy nor group names one.
DEFAULT_COOLDOWN_SECONDS = 300


@dataclass(frozen=True)
class Capacity:
    """A group at one moment, in instances.

    Attributes:
        warm: in service, and longer than the warm-up.
        warming: in service, still within the warm-up.
        desired: with those that are still being launched.
        terminating: no longer in service, and not gone: a lifecycle hook or a connection holds them.
    """

    desired: int
    warm: int
    warming: int
    minimum: int
    maximum: int
    terminating: int = 0


@dataclass
class Alarms:
    """The two alarms of one policy: the last datapoints of its metric, None where a period had none.

    The datapoints are the metric's and not the policy's: a new target is compared with what is there.
    """

    _values: deque[float | None] = field(default_factory=lambda: deque(maxlen=SCALE_IN_DATAPOINTS))

    def observe(self, value: float | None) -> None:
        """Takes the datapoint of one more period."""
        self._values.append(value)

    def high(self, target: float) -> bool:
        """Whether the newest datapoints are all above the target."""
        return self._all(SCALE_OUT_DATAPOINTS, lambda value: value > target)

    def low(self, target: float) -> bool:
        """Whether the newest datapoints are all so far below the target that capacity may go."""
        return self._all(SCALE_IN_DATAPOINTS, lambda value: value < target * SCALE_IN_BELOW)

    @property
    def newest(self) -> float | None:
        """The newest datapoint."""
        return self._values[-1] if self._values else None

    def _all(self, count: int, breaches: Callable[[float], bool]) -> bool:
        newest = list(self._values)[-count:]
        return len(newest) == count and all(value is not None and breaches(value) for value in newest)


@dataclass
class TargetTracking:
    """One policy.

    Attributes:
        target: the value to keep the metric at, in the metric's unit.
        scale_in: False if the policy's DisableScaleIn is set.
        scale_in_share: of the group, that one minute's scale-in takes away at most; one instance where that is less.
    """

    target: float
    scale_in: bool = True
    scale_in_share: float = field(default=SCALE_IN_SHARE, kw_only=True)
    alarms: Alarms = field(default_factory=Alarms)

    def wanted(self, capacity: Capacity) -> int:
        """Returns the desired capacity that this policy wants now, within the group's limits.

        Scale-out: the metric goes up and down with 1 / instances, so that warm * metric / target instances hold the
        target. Instances that are launched or warm up already are part of that number. Scale-in waits for them, and
        counts what is terminating: "we consider instances that are terminating as part of the current capacity".
        """
        value = self.alarms.newest
        if value is not None and self.alarms.high(self.target):
            return _within(capacity, max(capacity.desired, self._holding(capacity.warm, value)))
        settled = capacity.warming == 0 and capacity.warm >= capacity.desired
        if value is not None and self.scale_in and settled and self.alarms.low(self.target):
            held = self._holding(capacity.warm + capacity.terminating, value)
            least = capacity.desired - max(1, math.floor(self.scale_in_share * capacity.desired))
            return _within(capacity, min(capacity.desired, max(held, least)))
        return capacity.desired

    def _holding(self, instances: int, value: float) -> float:
        """How many instances bring the metric to the target: all there can be for a target that none reaches.

        Rounded so that no instance is missing; a target hit exactly is not missed by an error of the arithmetic.
        """
        holding = instances * value / self.target if self.target > 0 else math.inf
        return math.ceil(holding - 1e-9) if math.isfinite(holding) else math.inf


def desired_capacity(policies: Sequence[TargetTracking], capacity: Capacity) -> int:
    """Returns what all policies of a group make of its capacity.

    "Your Auto Scaling group will scale out if any of the target tracking policies are ready for scale out. It will
    scale in only if all of the target tracking policies (with the scale-in portion enabled) are ready to scale in."
    The largest capacity that a policy wants wins. A policy that is ready for scale-out forbids scale-in also where
    the group has reached its maximum, or is launching what the policy wants.
    """
    if any(policy.alarms.high(policy.target) for policy in policies):
        return max(policy.wanted(capacity) for policy in policies)
    return max((policy.wanted(capacity) for policy in policies if policy.scale_in), default=capacity.desired)


def _within(capacity: Capacity, wanted: float) -> int:
    return int(min(max(wanted, capacity.minimum), capacity.maximum))
