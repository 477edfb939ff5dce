"""Section ``solutions.custom_health_checks`` of config/config.yaml."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.models import CommonSettings, Section, SolutionSettings

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html: GlobalTimeout
LONGEST_WAIT_SECONDS = 172_800
MOST_HEARTBEATS = 100
SWEEP_SECONDS = 60  # mode event: the schedule that looks at every waiting instance
SWEEPS = 3  # so many looks in the time of one heartbeat, so that one may be lost, or late

# What the instance's script and a shell can take without quoting: no quotes, no dollar, no line feed, no |.
TagKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_ .:/=+@-]{1,128}$", examples=["Compliance-Check"])]
TagValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9_ .:/=+@-]{1,255}$", examples=["Successful"])]
AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,255}$", examples=["instance_id"])]


class TagCheck(Section):
    """The post's check: a tag of the instance has the value that says that all is well."""

    kind: Literal["tag"] = "tag"
    """tag."""
    key: TagKey = "Compliance-Check"
    """Key of the tag."""
    initial: TagValue = "UnSuccessful"
    """Value that every new instance gets from the group."""
    success: TagValue = "Successful"
    """Value that lets an instance in."""
    failure: TagValue | None = "Failed"
    """Value that gives an instance up at once. null: none does, it is given up when its time is over."""

    @property
    def name(self) -> str:
        """The key as a part of a CloudFormation name, which takes letters and digits only."""
        return "".join(letter for letter in self.key.title() if letter.isalnum())

    @model_validator(mode="after")
    def _values_differ(self) -> Self:
        if self.key.lower().startswith("aws:"):
            raise ValueError(f"key {self.key!r}: 'aws:' belongs to AWS; choose another")
        values = [value for value in (self.initial, self.success, self.failure) if value is not None]
        if len(set(values)) < len(values):
            raise ValueError("initial, success and failure must differ, or an instance would pass or fail at its start")
        return self


class HttpCheck(Section):
    """An HTTP endpoint on the instance answers. Asked from inside the VPC (event) or on the instance (instance)."""

    kind: Literal["http"]
    """http."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 80
    """Port on the instance."""
    path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./~%=&?,:@+-]{0,255}$", examples=["/health"])] = "/health"
    """Path, with a query if it needs one."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """The one status that passes; any other answer, or none, means not yet."""


class SsmDocumentCheck(Section):
    """A Systems Manager command document ran on the instance with success; it is started if it never ran there."""

    kind: Literal["ssm-document"]
    """ssm-document."""
    document: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,128}$", examples=["AcmeComplianceCheck"])]
    """Name of a command document of this account, or of AWS, without parameters that it must be given."""


class TableCheck(Section):
    """A DynamoDB table has an entry for the instance: the post's configuration management database."""

    kind: Literal["table"]
    """table."""
    table: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", examples=["inventory"])]
    """Name of an existing table in this account and Region."""
    key: AttributeName = "instance_id"
    """Its partition key, a string: the instance's id. The table has no sort key."""
    attribute: AttributeName | None = None
    """Attribute of the entry that says how the instance is. null: that there is an entry is enough."""
    success: TagValue | None = None
    """Value of the attribute that passes."""
    failure: TagValue | None = None
    """Value of the attribute that gives an instance up at once. null: none does."""

    @model_validator(mode="after")
    def _attribute_and_values_belong_together(self) -> Self:
        if (self.attribute is None) != (self.success is None):
            raise ValueError("attribute and success belong together; set both, or neither if an entry is enough")
        if self.failure is not None and self.failure == self.success:
            raise ValueError("success and failure must differ")
        if self.failure is not None and self.attribute is None:
            raise ValueError("failure is a value of an attribute; set attribute and success too")
        return self


Check = Annotated[TagCheck | HttpCheck | SsmDocumentCheck | TableCheck, Field(discriminator="kind")]


class WarmPoolSettings(Section):
    """Checked instances that stand by, stopped, so that scaling out need not wait for a boot and its checks."""

    min_size: Annotated[int, Field(ge=0, le=500)] = 1
    """At least so many stand by."""
    max_prepared: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """Instances of the group and of the pool together. null: max_instances."""
    reuse_on_scale_in: bool = True
    """true: scale-in sends instances back to the pool. (The post ascribes that to scale-in protection.)"""


# What the checker's environment (4,096 bytes) and the instances' user data (16,384) have left for checks:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
MOST_CHARACTERS = 2_600


class CustomHealthChecksSettings(SolutionSettings):
    """A group whose instances enter service only when checks of your own have passed."""

    mode: Literal["event", "instance"] = "event"
    """event: a function decides, the instance needs no rights. instance: a script on the instance, as in the post."""
    checks: Annotated[tuple[Check, ...], Field(min_length=1, max_length=10)] = (TagCheck(),)
    """All of them must pass; one that fails gives the instance up at once."""
    heartbeat_seconds: Annotated[int, Field(ge=30, le=7_200)] = 300
    """Time-out of the launching hook: an instance that has not passed by then is replaced."""
    longest_wait_seconds: Annotated[int, Field(ge=30, le=LONGEST_WAIT_SECONDS)] | None = None
    """Heartbeats renew the time-out until an instance has waited so long. null: none are sent."""
    poll_seconds: Annotated[int, Field(ge=1, le=300)] = 15
    """instance: seconds between two looks at the checks, at most a third of the heartbeat."""
    min_instances: Annotated[int, Field(ge=0, le=500)] = 2
    """Smallest size of the group."""
    max_instances: Annotated[int, Field(ge=1, le=500)] = 4
    """Largest size of the group."""
    scale_in_protection: bool = True
    """true: scale-in leaves instances alone until somebody takes their protection away."""
    warm_pool: WarmPoolSettings | None = None
    """Instances that stand by after they have passed. null: none."""
    instance_type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["t4g.micro"])] = "t4g.micro"
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

    @model_validator(mode="after")
    def _checks_fit(self) -> Self:
        length = sum(len(check.model_dump_json(exclude_none=True)) for check in self.checks)
        if length > MOST_CHARACTERS:
            raise ValueError(
                f"checks must have at most {MOST_CHARACTERS} characters as JSON, got {length}; shorten their names and "
                "values, or use fewer"
            )
        return self

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        longest, heartbeat = self.longest_wait, self.heartbeat_seconds
        most = min(LONGEST_WAIT_SECONDS, MOST_HEARTBEATS * heartbeat)
        if not heartbeat <= longest <= most:
            raise ValueError(
                f"longest_wait_seconds is {longest}; with heartbeat_seconds {heartbeat} EC2 Auto Scaling takes "
                f"{heartbeat} to {most} (100 heartbeats, at most 48 hours)"
            )
        if self.mode == "event" and longest > heartbeat and heartbeat < SWEEPS * SWEEP_SECONDS:
            raise ValueError(
                f"heartbeat_seconds is {heartbeat}, and mode event sends heartbeats once a minute at most; "
                f"set it to {SWEEPS * SWEEP_SECONDS} or more, or remove longest_wait_seconds"
            )
        if self.mode == "instance" and SWEEPS * self.poll_seconds > heartbeat:
            raise ValueError(
                f"poll_seconds is {self.poll_seconds}, and an instance looks {SWEEPS} times at least in the time of "
                f"one heartbeat, which is {heartbeat}; set it to {heartbeat // SWEEPS} or less, or raise "
                "heartbeat_seconds"
            )
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.min_instances > self.max_instances:
            raise ValueError(
                f"min_instances {self.min_instances} is above max_instances {self.max_instances}; raise or lower one"
            )
        return self

    @model_validator(mode="after")
    def _no_check_twice(self) -> Self:
        tags = [check for check in self.checks if check.kind == "tag"]
        keys = [check.key for check in tags]
        if len(set(keys)) < len(keys):
            raise ValueError("two checks look at the same tag; give each its own key")
        by_name: dict[str, str] = {}
        for check in tags:
            if (other := by_name.setdefault(check.name, check.key)) != check.key:
                raise ValueError(
                    f"the tags {other!r} and {check.key!r} differ in punctuation or case alone, and rules and outputs "
                    "are named after letters and digits; rename one"
                )
        return self

    def problems_with(self, common: CommonSettings) -> list[tuple[str, str]]:
        """Keys that an existing network would ignore, and tags that ``common.tags`` would overwrite."""
        problems = [
            ("checks", f"the tag {check.key!r} is one of common.tags, which the group's instances get too; rename one")
            for check in self.checks
            if check.kind == "tag" and check.key in common.tags
        ]
        if common.vpc is None:
            return problems
        return problems + [
            (key, "has no effect with common.vpc, whose subnets decide; remove it or common.vpc")
            for key in ("network", "zones")
            if key in self.model_fields_set and getattr(self, key) != type(self).model_fields[key].default
        ]
