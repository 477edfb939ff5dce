"""Section ``solutions.custom_health_checks`` of config/config.yaml."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from config.models import CommonSettings, Problem, Section, SolutionSettings, common_rule, rule
from config.types import InstanceType
from stacks.custom_health_checks.checks import Check, TagCheck

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html: GlobalTimeout
LONGEST_WAIT_SECONDS = 172_800
MOST_HEARTBEATS = 100
SWEEP_SECONDS = 60  # mode event: the schedule that looks at every waiting instance
SWEEPS = 3  # looks in the time of one heartbeat, so that one may be lost, or late


class WarmPoolSettings(Section):
    """Checked instances in reserve, stopped, so that scaling out need not wait for a boot and its checks."""

    min_size: Annotated[int, Field(ge=0, le=500)] = 1
    """Smallest number of instances in the pool."""
    max_prepared: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Instances of the group and of the pool together. null: max_instances."""
    reuse_on_scale_in: bool = True
    """true: scale-in sends instances back to the pool. (The post ascribes that to scale-in protection.)"""


# What the checker's environment (4,096 bytes) and the instances' user data (16,384) have left for checks:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
MOST_CHARACTERS = 2_600


class CustomHealthChecksSettings(SolutionSettings):
    """A group whose instances enter service only when your own checks have passed."""

    ignored_with_vpc: ClassVar[tuple[str, ...]] = ("network", "zones")

    mode: Literal["event", "instance"] = "event"
    """event: a function decides; the instance needs no permissions. instance: a script on it, as in the post."""
    checks: Annotated[tuple[Check, ...], Field(min_length=1, max_length=10)] = (TagCheck(),)
    """Checks of a new instance: all must pass, and one that fails fails the instance at once."""
    heartbeat_seconds: Annotated[int, Field(ge=30, le=7_200)] = 300
    """Time-out of the launching hook: an instance that has not passed by then is replaced."""
    longest_wait_seconds: Annotated[int, Field(ge=30, le=LONGEST_WAIT_SECONDS)] | None = None
    """Longest wait of an instance, in seconds; heartbeats renew its time-out until then. null: no heartbeats."""
    unhealthy_after: Annotated[int, Field(ge=2, le=60)] | None = None
    """event: failed looks in a row, one a minute, after which an instance in service is set unhealthy. null: never."""
    poll_seconds: Annotated[int, Field(ge=1, le=300)] = 15
    """instance: seconds between two looks at the checks, at most a third of the heartbeat."""
    min_instances: Annotated[int, Field(ge=0, le=500)] = 2
    """Smallest size of the group."""
    max_instances: Annotated[int, Field(ge=1, le=500)] = 4
    """Largest size of the group."""
    scale_in_protection: bool = True
    """true: scale-in leaves instances alone until somebody takes their protection away."""
    warm_pool: WarmPoolSettings | None = None
    """Instances in reserve that have passed already. null: none."""
    instance_type: InstanceType = "t4g.micro"
    """Type of the instances; the image follows its architecture."""
    network: Literal["public", "nat", "endpoints"] = "public"
    """How the instances reach AWS: public addresses without ingress, a NAT gateway, or interface endpoints."""
    zones: Annotated[int, Field(ge=1, le=6)] = 2
    """Availability Zones of the solution's own network."""

    @property
    def longest_wait(self) -> int:
        """Seconds that an instance may wait for its checks."""
        return self.longest_wait_seconds or self.heartbeat_seconds

    def checks_of(self, kind: str) -> list[Check]:
        """The checks of one kind."""
        return [check for check in self.checks if check.kind == kind]

    @rule
    def _checks_fit(self) -> Iterator[Problem]:
        length = sum(len(check.model_dump_json(exclude_none=True)) for check in self.checks)
        if length > MOST_CHARACTERS:
            yield Problem(
                "checks",
                f"must have at most {MOST_CHARACTERS} characters as JSON, has {length}; shorten names and values, or "
                "use fewer checks",
            )

    @rule
    def _longest_wait_is_possible(self) -> Iterator[Problem]:
        heartbeat = self.heartbeat_seconds
        most = min(LONGEST_WAIT_SECONDS, MOST_HEARTBEATS * heartbeat)
        if not heartbeat <= self.longest_wait <= most:
            yield Problem(
                "longest_wait_seconds",
                f"must be {heartbeat} to {most} with heartbeat_seconds {heartbeat}: EC2 Auto Scaling takes "
                "100 heartbeats, and at most 48 hours; change one",
            )

    @rule
    def _looks_are_often_enough(self) -> Iterator[Problem]:
        heartbeat = self.heartbeat_seconds
        if self.mode == "event" and self.longest_wait > heartbeat and heartbeat < SWEEPS * SWEEP_SECONDS:
            yield Problem(
                "heartbeat_seconds",
                f"must be at least {SWEEPS * SWEEP_SECONDS} with longest_wait_seconds: mode event sends a heartbeat "
                "once a minute at most; raise it, or remove longest_wait_seconds",
            )
        if self.mode == "instance" and SWEEPS * self.poll_seconds > heartbeat:
            yield Problem(
                "poll_seconds",
                f"must be at most {heartbeat // SWEEPS}: an instance looks at least {SWEEPS} times within "
                f"heartbeat_seconds, which is {heartbeat}; lower it, or raise heartbeat_seconds",
            )

    @rule
    def _sizes_fit(self) -> Iterator[Problem]:
        if self.min_instances > self.max_instances:
            yield Problem("min_instances", f"must be at most max_instances, which is {self.max_instances}; change one")

    @rule
    def _pool_sizes_fit(self) -> Iterator[Problem]:
        if self.warm_pool is not None:
            name = "max_instances" if self.warm_pool.max_prepared is None else "max_prepared"
            most = self.warm_pool.max_prepared or self.max_instances
            if self.warm_pool.min_size > most:
                yield Problem(("warm_pool", "min_size"), f"must be at most {name}, which is {most}; change one")

    @rule
    def _somebody_looks_at_instances_in_service(self) -> Iterator[Problem]:
        if self.unhealthy_after is None:
            return
        if self.mode == "instance":
            yield Problem(
                "unhealthy_after", "must be null with mode instance, whose script ends at the launch; remove it"
            )
        elif len(self.checks_of("ssm-document")) == len(self.checks):
            yield Problem(
                "unhealthy_after",
                "must be null where every check is an ssm-document: it runs once, and its result stays; add a check",
            )

    @rule
    def _no_check_twice(self) -> Iterator[Problem]:
        by_key: dict[str, int] = {}
        by_name: dict[str, str] = {}
        for index, check in enumerate(self.checks):
            if check.kind != "tag":
                continue
            first = by_key.setdefault(check.key, index)
            if first != index:
                yield Problem(
                    ("checks", index, "key"), f"must not be the tag of check {first + 1} too; give each its own key"
                )
            elif (other := by_name.setdefault(check.name, check.key)) != check.key:
                yield Problem(
                    ("checks", index, "key"),
                    f"must differ from {other!r} by more than punctuation or case: rules and outputs have their "
                    "letters and digits in their names; rename one",
                )

    @common_rule
    def _no_check_of_a_common_tag(self, common: CommonSettings) -> Iterator[Problem]:
        for index, check in enumerate(self.checks):
            if check.kind == "tag" and check.key in common.tags:
                yield Problem(
                    ("checks", index, "key"),
                    "must not be one of common.tags, which the group's instances get too; rename one",
                )
