"""Every solution of this app, in the order of the blog series. A solution's modules are imported only when wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, Any

from config.models import CommonSettings, SolutionSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from constructs import Construct

    from stacks.shared.solution import SolutionStack


class UnknownSolutionError(Exception):
    """A selection matches no solution; the message is meant for the user."""


@dataclass(frozen=True)
class Solution:
    """One blog post, as the catalogue, the stacks and the documentation name it.

    Attributes:
        summary: the problem that it solves, in one line of a terminal.
        title: the post's.
    """

    slug: str
    summary: str
    title: str
    blog_url: str
    services: tuple[str, ...]

    @property
    def settings(self) -> type[SolutionSettings]:
        """The solution's section of the configuration; does not load the CDK."""
        found: type[SolutionSettings] = getattr(import_module(f"stacks.{self.slug}.settings"), f"{self._idea}Settings")
        return found

    def build(self, scope: Construct, common: CommonSettings, settings: SolutionSettings) -> SolutionStack:
        """Imports the solution's stack and adds it to the app."""
        stack = getattr(import_module(f"stacks.{self.slug}.stack"), f"{self._idea}Stack")
        built: SolutionStack = stack(scope, self, common, settings)
        return built

    def stack_name(self, common: CommonSettings) -> str:
        """What the user types after ``cdk deploy``."""
        return "-".join(filter(None, [common.prefix, self.slug.replace("_", "-")]))

    @property
    def _idea(self) -> str:
        return self.slug.title().replace("_", "")


SOLUTIONS: tuple[Solution, ...] = (
    Solution(
        "outposts_dashboard",
        "dashboards that follow what an Outpost has and runs",
        "Deploying an automated Amazon CloudWatch dashboard for AWS Outposts using AWS CDK",
        "https://aws.amazon.com/blogs/compute/deploying-an-automated-amazon-cloudwatch-dashboard-for-aws-outposts-using-aws-cdk/",
        ("CloudWatch", "Outposts", "EventBridge", "Lambda", "CodePipeline"),
    ),
    Solution(
        "instance_connect_endpoint",
        "SSH and RDP to private instances, without a bastion",
        "Secure Connectivity from Public to Private: Introducing EC2 Instance Connect Endpoint",
        "https://aws.amazon.com/blogs/compute/secure-connectivity-from-public-to-private-introducing-ec2-instance-connect-endpoint-june-13-2023/",
        ("EC2", "VPC", "IAM", "CloudTrail", "EventBridge"),
    ),
    Solution(
        "capacity_planner",
        "what reserved capacity costs, compared and watched",
        "Selecting cost effective capacity reservations for your business-critical workloads on Amazon EC2",
        "https://aws.amazon.com/blogs/compute/selecting-cost-effective-capacity-reservations-for-your-business-critical-workloads-on-amazon-ec2/",
        ("EC2", "Capacity Reservations", "Savings Plans", "CloudWatch", "EventBridge", "Lambda"),
    ),
    Solution(
        "odcr_asg",
        "capacity reserved for the loss of a whole zone",
        "Reserving EC2 Capacity across Availability Zones by utilizing On Demand Capacity Reservations (ODCRs)",
        "https://aws.amazon.com/blogs/compute/reserving-ec2-capacity-across-availability-zones-by-utilizing-on-demand-capacity-reservations-odcrs/",
        ("EC2 Auto Scaling", "Capacity Reservations", "Resource Groups", "Systems Manager", "CloudWatch"),
    ),
    Solution(
        "spot_asg",
        "Spot Instances that may vanish without losing work",
        "Best practices to optimize your Amazon EC2 Spot Instances usage",
        "https://aws.amazon.com/blogs/compute/best-practices-to-optimize-your-amazon-ec2-spot-instances-usage/",
        ("EC2 Auto Scaling", "Spot", "EventBridge", "Lambda", "FIS", "CloudWatch"),
    ),
    Solution(
        "nitro_attestation",
        "only Nitro, and keys for measured software alone",
        "AWS Nitro System gets independent affirmation of its confidential compute capabilities",
        "https://aws.amazon.com/blogs/compute/aws-nitro-system-gets-independent-affirmation-of-its-confidential-compute-capabilities/",
        ("EC2", "Nitro Enclaves", "KMS", "Organizations", "Lambda", "CloudWatch"),
    ),
    Solution(
        "local_zone_guardrails",
        "policies that keep data in chosen Local Zones",
        "Best practices for managing data residency in AWS Local Zones using landing zone controls",
        "https://aws.amazon.com/blogs/compute/best-practices-for-managing-data-residency-in-aws-local-zones-using-landing-zone-controls/",
        ("Organizations", "Local Zones", "Control Tower"),
    ),
    Solution(
        "spot_placement_tracker",
        "where and when Spot capacity is likely",
        "Optimizing Amazon EC2 Spot Instances with Spot Placement Scores",
        "https://aws.amazon.com/blogs/compute/optimizing-amazon-ec2-spot-instances-with-spot-placement-scores/",
        ("Spot", "CloudWatch", "Lambda", "S3", "EventBridge"),
    ),
    Solution(
        "gpu_monitoring",
        "GPU utilization measured, and idle GPUs found",
        "Optimizing GPU utilization for AI/ML workloads on Amazon EC2",
        "https://aws.amazon.com/blogs/compute/optimizing-gpu-utilization-for-ai-ml-workloads-on-amazon-ec2/",
        ("EC2", "CloudWatch", "Systems Manager", "IAM", "Lambda", "EventBridge"),
    ),
    Solution(
        "game_streaming",
        "Android games on Arm GPUs, streamed to phones",
        "Streaming Android games from cloud to mobile with AWS Graviton-based Amazon EC2 G5g instances",
        "https://aws.amazon.com/blogs/compute/streaming-android-games-from-cloud-to-mobile-with-aws-graviton-based-amazon-ec2-g5g-instances/",
        ("EC2", "Systems Manager", "Secrets Manager", "EventBridge", "Lambda", "CloudWatch"),
    ),
    Solution(
        "image_pipelines",
        "machine images rebuilt when their base changes",
        "Implementing up-to-date images with automated EC2 Image Builder pipelines",
        "https://aws.amazon.com/blogs/compute/implementing-up-to-date-images-with-automated-ec2-image-builder-pipelines/",
        ("EC2 Image Builder", "Systems Manager", "SNS", "EventBridge", "Lambda", "DynamoDB"),
    ),
    Solution(
        "spinnaker_server_groups",
        "server groups over many types and purchase options",
        "Building diversified and cost-optimized EC2 server groups in Spinnaker",
        "https://aws.amazon.com/blogs/compute/building-diversified-and-cost-optimized-ec2-server-groups-in-spinnaker/",
        ("EC2 Auto Scaling", "Spot", "Elastic Load Balancing", "Spinnaker", "Systems Manager"),
    ),
    Solution(
        "outposts_guardrails",
        "policies that keep data on Outposts",
        "Architecting for data residency with AWS Outposts rack and landing zone guardrails",
        "https://aws.amazon.com/blogs/compute/architecting-for-data-residency-with-aws-outposts-rack-and-landing-zone-guardrails/",
        ("Organizations", "Outposts", "Control Tower"),
    ),
    Solution(
        "credential_guard",
        "Windows credentials isolated, and proved to be",
        "Enabling Microsoft Defender Credential Guard on Amazon EC2",
        "https://aws.amazon.com/blogs/compute/enabling-microsoft-defender-credential-guard-on-amazon-ec2/",
        ("EC2", "Systems Manager", "CloudWatch", "Lambda", "EventBridge"),
    ),
    Solution(
        "graviton_porting_advisor",
        "source code scanned for what hinders Graviton",
        "Using Porting Advisor for Graviton",
        "https://aws.amazon.com/blogs/compute/using-porting-advisor-for-graviton/",
        ("CodeBuild", "S3", "EventBridge", "Lambda", "SNS", "CloudWatch"),
    ),
    Solution(
        "custom_health_checks",
        "instances that serve only after your own checks",
        "How to create custom health checks for your Amazon EC2 Auto Scaling Fleet",
        "https://aws.amazon.com/blogs/compute/how-to-create-custom-health-checks-for-your-amazon-ec2-auto-scaling-fleet/",
        ("EC2 Auto Scaling", "EventBridge", "Lambda"),
    ),
    Solution(
        "sqs_target_scaling",
        "workers scaled so that no message waits too long",
        "Scaling an ASG using target tracking with a dynamic SQS target",
        "https://aws.amazon.com/blogs/compute/scaling-an-asg-using-target-tracking-with-a-dynamic-sqs-target/",
        ("EC2 Auto Scaling", "Spot", "SQS", "Lambda", "CloudWatch"),
    ),
    Solution(
        "outposts_routing",
        "direct VPC or customer-owned IPs on an Outpost rack",
        "How to choose between CoIP and Direct VPC routing modes on AWS Outposts rack",
        "https://aws.amazon.com/blogs/compute/how-to-choose-between-coip-and-direct-vpc-routing-modes-on-aws-outposts-rack/",
        ("Outposts", "VPC", "Elastic Load Balancing", "IPAM", "Lambda"),
    ),
    Solution(
        "root_volume_replacement",
        "instances restored in place, in minutes",
        "Quick restoration through replacing the root volumes of Amazon EC2 instances",
        "https://aws.amazon.com/blogs/compute/quick-restoration-through-replacing-the-root-volumes-of-amazon-ec2/",
        ("EC2", "EBS", "Step Functions", "EventBridge", "Lambda", "DynamoDB"),
    ),
    Solution(
        "local_zone_wordpress",
        "WordPress close to its users, in a Local Zone",
        "Automating your workload deployments in AWS Local Zones",
        "https://aws.amazon.com/blogs/compute/automating-your-workload-deployments-in-aws-local-zones/",
        ("Local Zones", "EC2 Auto Scaling", "VPC", "EBS", "Secrets Manager", "Elastic Load Balancing"),
    ),
)


class _SettingsBySlug(Mapping[str, type[SolutionSettings]]):
    """The settings of a solution are imported when they are looked up: together they take longer than a stack."""

    def __getitem__(self, slug: str) -> type[SolutionSettings]:
        return _BY_SLUG[slug].settings

    def __contains__(self, slug: object) -> bool:
        return slug in _BY_SLUG  # the inherited one would import it

    def __iter__(self) -> Iterator[str]:
        return iter(_BY_SLUG)

    def __len__(self) -> int:
        return len(_BY_SLUG)


_BY_SLUG = {solution.slug: solution for solution in SOLUTIONS}


def settings_by_slug() -> Mapping[str, type[SolutionSettings]]:
    """The settings of every solution, for the loader."""
    return _SettingsBySlug()


def commands_of(slug: str) -> Any:
    """The module ``commands`` of a solution: ``idle_month``, ``findings``, and commands of its own."""
    return import_module(f"stacks.{slug}.commands")


def named(name: str, others: Iterable[str] = ()) -> Solution:
    """The solution that a user calls by its slug, with ``_`` or ``-``.

    Args:
        others: what else may stand in that place, for the suggestion.

    Raises:
        UnknownSolutionError: there is none.
    """
    if found := _BY_SLUG.get(name.replace("-", "_")):
        return found
    raise UnknownSolutionError(f"no solution is called {name!r}; {_hint(name, [*_BY_SLUG, *others])}")


def names_in(text: str) -> list[str]:
    """Names or patterns that are separated by commas or blanks."""
    return [name for part in text.split(",") for name in part.split()]


def select(solutions: Sequence[Solution], common: CommonSettings, patterns: Iterable[str]) -> list[Solution]:
    """The solutions that at least one pattern matches, in catalogue order; no patterns select all.

    A pattern is a slug, with ``_`` or ``-``, a stack name, or a glob of a stack name as the CDK CLI takes it.

    Raises:
        UnknownSolutionError: a pattern matches nothing.
    """
    patterns = list(patterns)
    matched = {pattern: [s for s in solutions if _matches(pattern, s, common)] for pattern in patterns}
    for pattern, found in matched.items():
        if not found:
            names = [solution.stack_name(common) for solution in solutions]
            hint = _hint(pattern, names, [solution.slug for solution in solutions])
            raise UnknownSolutionError(f"no enabled solution is called {pattern!r}; {hint}")
    wanted = {solution.slug for found in matched.values() for solution in found}
    return [solution for solution in solutions if solution.slug in wanted or not patterns]


def refuse_slugs(common: CommonSettings, patterns: Iterable[str]) -> None:
    """The CDK CLI selects by the names of stacks: it would build for seconds and then find no stack.

    Raises:
        UnknownSolutionError: a pattern is the slug of a solution whose stack is called otherwise; the message says how.
    """
    for pattern in patterns:
        solution = _BY_SLUG.get(pattern.replace("-", "_"))
        if solution and not fnmatchcase(solution.stack_name(common), pattern):
            raise UnknownSolutionError(f"no stack is called {pattern!r}; the stack is {solution.stack_name(common)!r}")


def _hint(name: str, names: Sequence[str], more: Sequence[str] = ()) -> str:
    close = get_close_matches(name, [*names, *more], n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"there are: {', '.join(names)}"


def _matches(pattern: str, solution: Solution, common: CommonSettings) -> bool:
    if any(sign in pattern for sign in "{(!"):
        return True  # braces and extended globs: build all and let the CLI choose, it knows them
    return pattern.replace("-", "_") == solution.slug or fnmatchcase(solution.stack_name(common), pattern)
