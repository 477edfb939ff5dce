"""The update policy of a group: how the update of a stack replaces the instances that do not fit it (our model).

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html. How large a
batch is, and how many instances there are meanwhile, the page does not say; they are as people have seen them:
https://github.com/guardian/testing-asg-rolling-update/tree/main/observations (the events of CloudFormation, whose words
these are) and https://github.com/awslabs/amazon-eks-ami/issues/66 (terminating hooks are not waited for).

- ``AutoScalingRollingUpdate`` replaces instances of another launch template, of another version of it, or in subnets
  that the group has no more. Other changes of a mixed instances policy, which the page does not name, replace none.
- Protected instances: "scale-in protection" is not "available for use with CloudFormation rolling updates", and an
  update that meets them hangs (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/692): here
  it fails at once.
- Who plays the instances says so by ``rolling-updates {"awaited": true}``: then signals, InService and pauses are
  waited for, as long as the page says, in minutes of the clock. Otherwise nobody would complete a hook or send a
  signal, and each new instance is taken for a good one.
- ``AutoScalingReplacingUpdate`` makes another group; the signals of its creation policy are not waited for.
- ``AutoScalingScheduledAction``: sizes that the template does not change stay as a schedule has set them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, stacks, wait_conditions

from emulator.core.api import Json, call, first
from emulator.core.clock import MINUTE, clock, seconds_of
from emulator.core.patch import patch, private
from emulator.core.resource import Place, Properties
from emulator.core.store import Setting, Store
from emulator.services.autoscaling import launches, model

KIND = "AWS::AutoScaling::AutoScalingGroup"
IN_SERVICE_WITHIN = 3600.0
"""Seconds: "If an instance doesn't transition to the InService state within a fixed time of 1 hour"."""
_SIZES = ("MinSize", "MaxSize", "DesiredCapacity")
_POLLED = 0.05

_add_event: Any = private(
    stacks,
    "_add_event",
    "stack_id stack_name logical_id resource_type status reason physical_id detailed_status",
)
_stacks: Any = private(cloudformation, "_stacks")
_operations: dict[str, Callable[[Json], Any]] = private(handlers, "_ACTION_HANDLERS")
_xml: Any = private(handlers, "_xml", "status root_tag inner")

awaited: Setting[bool] = Setting(False)
# Stack id and logical id of a group that waits for signals -> status by the id of each instance.
_signals: Store[dict[tuple[str, str], dict[str, str]]] = Store(dict)


def wait(request: Json) -> Json:
    """``rolling-updates {"awaited": bool}``: whether updates wait for what instances do (our model)."""
    awaited.value = bool(request["awaited"])
    return {"awaited": awaited.value}


def replaces_group(place: Place, old: Properties, new: Properties) -> bool:
    """Whether the update makes another group: if its policy says so, and instances of the old one would not fit."""
    policy = place.update_policy.get("AutoScalingReplacingUpdate") or {}
    changed = any(old.get(name) != new.get(name) for name in _OF_INSTANCES)
    return changed and str(policy.get("WillReplace")).lower() == "true"


# "These replacement operations occur when you make one or more of the following changes"; a mixed instances policy has
# a launch template too.
_OF_INSTANCES = (
    "LaunchTemplate",
    "LaunchConfigurationName",
    "MixedInstancesPolicy",
    "PlacementGroup",
    "VPCZoneIdentifier",
)


def changed_sizes(place: Place, old: Properties, new: Properties) -> Properties:
    """The properties without the sizes that the policy leaves alone."""
    policy = place.update_policy.get("AutoScalingScheduledAction") or {}
    if str(policy.get("IgnoreUnmodifiedGroupSizeProperties")).lower() != "true":
        return new
    return {name: value for name, value in new.items() if name not in _SIZES or value != old.get(name)}


@contextmanager
def suspended(name: str, place: Place) -> Iterator[None]:
    """Suspends the processes that the policy names; those that were suspended before stay so."""
    policy = place.update_policy.get("AutoScalingRollingUpdate") or {}
    before = model.suspended(model.group_named(name))
    processes = [each for each in policy.get("SuspendProcesses") or [] if each not in before]
    if processes:
        call("autoscaling", "SuspendProcesses", AutoScalingGroupName=name, ScalingProcesses=processes)
    try:
        yield
    finally:
        if processes:
            call("autoscaling", "ResumeProcesses", AutoScalingGroupName=name, ScalingProcesses=processes)


def roll(name: str, place: Place) -> None:
    """Replaces the instances that do not fit their group, if its policy says so.

    Raises:
        ValueError: it cannot, or the new instances are no good; the update of the stack fails.
    """
    policy = place.update_policy.get("AutoScalingRollingUpdate")
    if policy is not None and _obsolete(model.group_named(name)):
        _Rolling(name, place, policy).run()


def _obsolete(group: Any) -> list[Any]:
    """Members that another launch template has made, or that are where the group launches none; the oldest first."""
    template = launches.launch_template(group)
    subnets = [name for name in (group.vpc_zone_identifier or "").split(",") if name]
    return [
        member
        for member in group.instance_states
        if not member.lifecycle_state.startswith(("Standby", "Terminating"))
        and (
            getattr(member, "launched_from", None) != template or (subnets and member.instance.subnet_id not in subnets)
        )
    ]


def _protected(member: Any) -> bool:
    """Whether scale-in leaves it alone; the protection "starts when the instance state is InService".

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html
    """
    return bool(member.protected_from_scale_in) and member.lifecycle_state == "InService"


class _Rolling:
    """One rolling update.

    Attributes:
        desired: how many instances the group has in the end.
        new: how many of them are there already.
    """

    def __init__(self, name: str, place: Place, policy: Json) -> None:
        self._name, self._place, self._policy = name, place, policy
        group = self._group
        self._left = _obsolete(group)
        self._before = {member.instance_id for member in self._left}
        self._minimum, self.desired = int(group.min_size), int(group.desired_capacity)
        self.new = max(0, self.desired - len(self._left))
        self._launched = 0
        self._signalled = str(policy.get("WaitOnResourceSignals")).lower() == "true"

    @property
    def _group(self) -> Any:
        return model.group_named(self._name)

    def run(self) -> None:
        """Batch by batch."""
        group, keep = self._group, int(self._policy.get("MinInstancesInService") or 0)
        largest = int(group.max_size)
        if keep >= largest:
            raise ValueError("MinInstancesInService must be less than the autoscaling group's MaxSize")
        if held := [member.instance_id for member in self._left if _protected(member)]:
            raise ValueError(
                f"instance(s) {_listed(held)} are protected from scale in, and no rolling update ends such"
            )
        count = len(self._left)
        size = min(int(self._policy.get("MaxBatchSize") or 1), count, largest - keep)
        self._say(
            f"Rolling update initiated. Terminating {count} obsolete instance(s) in batches of {size}, while keeping "
            f"at least {keep} instance(s) in service."
        )
        with self._hearing():
            if keep + size > self.desired:
                self._resize(keep + size, keep + size)
                self._say(f"Temporarily setting autoscaling group MinSize and DesiredCapacity to {keep + size}.")
                self._arrive(keep + size - self.desired)
            while self._left:
                leaving, self._left = self._left[:size], self._left[size:]
                self._replace([member.instance_id for member in leaving])
                self._say(
                    f"Successfully terminated instance(s) {_listed([member.instance_id for member in leaving])} "
                    f"(Progress {round(100 * (count - len(self._left)) / count)}%)."
                )
            self._resize(self._minimum)

    def _replace(self, leaving: list[str]) -> None:
        more = max(0, min(len(leaving), self.desired - self.new))
        if more < len(leaving):
            self._resize(self._minimum)
        self._say(f"Terminating instance(s) {_listed(leaving)}; replacing with {more} new instance(s).")
        for number, instance_id in enumerate(leaving):
            shrinks = number >= more
            call(
                "autoscaling",
                "TerminateInstanceInAutoScalingGroup",
                InstanceId=instance_id,
                ShouldDecrementDesiredCapacity=shrinks,
            )
        self._arrive(more)

    def _resize(self, minimum: int, desired: int | None = None) -> None:
        sizes = {"MinSize": minimum, **({} if desired is None else {"DesiredCapacity": desired})}
        call("autoscaling", "UpdateAutoScalingGroup", sizes, AutoScalingGroupName=self._name)

    def _say(self, words: str) -> None:
        place = self._place
        _add_event(place.stack_id, place.stack, place.logical_id, KIND, "UPDATE_IN_PROGRESS", words, self._name)

    # What new instances do, where somebody plays them

    @contextmanager
    def _hearing(self) -> Iterator[None]:
        key = (self._place.stack_id, self._place.logical_id)
        if self._signalled and awaited.value:
            _signals.here()[key] = {}
        try:
            yield
        finally:
            _signals.here().pop(key, None)

    def _arrive(self, count: int) -> None:
        """Waits until so many more are there, or until their time is over."""
        self.new += count
        self._launched += count
        if not count or not awaited.value:
            return
        pause = _seconds(self._policy.get("PauseTime") or ("PT5M" if self._signalled else "PT0S"))
        if self._signalled:
            self._hear(count, pause)
        else:
            within = time.monotonic() + IN_SERVICE_WITHIN * clock.seconds / MINUTE
            while self._in_service() < self.new and time.monotonic() < within:
                time.sleep(_POLLED)
            if self._in_service() < self.new:
                raise ValueError("new instance(s) did not reach the InService state within 1 hour")
            time.sleep(pause)

    def _in_service(self) -> int:
        states = {member.instance_id: member.lifecycle_state for member in self._group.instance_states}
        return sum(state == "InService" for name, state in states.items() if name not in self._before)

    def _hear(self, count: int, pause: float) -> None:
        wait = f"Waiting on {count} resource signal(s) with a timeout of {self._policy.get('PauseTime') or 'PT5M'}."
        self._say(f"New instance(s) added to autoscaling group - {wait}")
        heard = _signals.here().get((self._place.stack_id, self._place.logical_id), {})
        until = time.monotonic() + pause
        while len(heard) < self._launched and time.monotonic() < until:
            time.sleep(_POLLED)
        successes = sum(status == "SUCCESS" for status in heard.values())
        least = self._policy.get("MinSuccessfulInstancesPercent")
        percent = 100 if least is None else int(least)
        allowed = self.desired - -(-self.desired * percent // 100)
        if self._launched - successes > allowed:
            raise ValueError(
                f"Failed to receive {count} resource signal(s) for the current batch. Each resource signal timeout is "
                f"counted as a FAILURE. Received {successes} SUCCESS signal(s) out of {self.desired}. Unable to "
                f"satisfy {percent}% MinSuccessfulInstancesPercent requirement"
            )


def _listed(names: list[str]) -> str:
    return f"[{','.join(names)}]"


def _seconds(duration: str) -> float:
    """Of a PauseTime, in minutes of the clock. Raises ValueError."""
    return seconds_of(duration) * clock.seconds / MINUTE


@patch(wait_conditions, "signal_resource", "stack_id logical_id unique_id status")
def _signalled(original: Any, stack_id: str, logical_id: str, unique_id: str, status: str) -> bool:
    """Instances signal the group that they are of; there ministack knows wait conditions only."""
    heard = _signals.here().get((stack_id, logical_id))
    if heard is None:
        return bool(original(stack_id, logical_id, unique_id, status))
    _note(heard, stack_id, logical_id, unique_id, status)
    return True


def _note(heard: dict[str, str], stack_id: str, logical_id: str, unique_id: str, status: str) -> None:
    heard[unique_id] = status
    name = stack_id.rpartition(":")[2].split("/")[1]
    words = f"Received {status} signal with UniqueId {unique_id}"
    _add_event(stack_id, name, logical_id, KIND, "UPDATE_IN_PROGRESS", words)


def _on_the_way_back(original: Callable[[Json], Any]) -> Callable[[Json], Any]:
    """A stack that is rolled back rolls its groups, too, and hears their instances; ministack refuses signals then."""

    def signal(parameters: Json) -> Any:
        named = str(first(parameters.get("StackName")))
        stack = _stacks.get(named.split("/")[1] if named.startswith("arn:") else named) or {}
        logical_id, *said = (str(first(parameters.get(name))) for name in ("LogicalResourceId", "UniqueId", "Status"))
        heard = _signals.here().get((stack.get("StackId", ""), logical_id))
        if heard is None or stack["StackStatus"] != "UPDATE_ROLLBACK_IN_PROGRESS":
            return original(parameters)
        _note(heard, stack["StackId"], logical_id, *said)
        return _xml(200, "SignalResourceResponse", "")

    return signal


_operations["SignalResource"] = _on_the_way_back(_operations["SignalResource"])
