"""The twenty posts of the series and the solutions that stand for them, in the series' order."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from constructs import Construct

    from config.models import CommonSettings, SolutionSettings
    from stacks.shared.solution import SolutionStack


STACK_SET = "stack-set"
"""Ends the name of an administrator's stack; the stacks of the assets, which several share, begin with it."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """One blog post, as the catalogue, the stacks and the documentation name it.

    Attributes:
        summary: the problem that it solves, in one line of a terminal.
        title: the post's.
        accounts: where a company with many accounts deploys it.
        problems: what somebody types who has the problem and does not know the solution.
    """

    slug: str
    summary: str
    title: str
    blog_url: str
    services: tuple[str, ...]
    accounts: Literal["every account", "one account", "one organization"]
    problems: tuple[str, ...]

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
        return common.stack_name(self.slug)

    def stack_set_name(self, common: CommonSettings) -> str:
        """The administrator's stack of the solution's stack set."""
        return f"{self.stack_name(common)}-{STACK_SET}"

    @property
    def _idea(self) -> str:
        return self.slug.title().replace("_", "")


SOLUTIONS: tuple[Solution, ...] = (
    Solution(
        slug="outposts_dashboard",
        summary="dashboards that follow what an Outpost has and runs",
        title="Deploying an automated Amazon CloudWatch dashboard for AWS Outposts using AWS CDK",
        blog_url="https://aws.amazon.com/blogs/compute/deploying-an-automated-amazon-cloudwatch-dashboard-for-aws-outposts-using-aws-cdk/",
        services=("CloudWatch", "Outposts", "EventBridge", "Lambda", "CodePipeline"),
        accounts="one account",
        problems=(
            "see what an Outpost has left",
            "Outpost capacity runs out",
            "dashboard for AWS Outposts",
            "which instances run on the rack",
            "watch an Outpost's link to the Region",
        ),
    ),
    Solution(
        slug="instance_connect_endpoint",
        summary="SSH and RDP to private instances, without a bastion",
        title="Secure Connectivity from Public to Private: Introducing EC2 Instance Connect Endpoint",
        blog_url="https://aws.amazon.com/blogs/compute/secure-connectivity-from-public-to-private-introducing-ec2-instance-connect-endpoint-june-13-2023/",
        services=("EC2", "VPC", "IAM", "CloudTrail", "EventBridge"),
        accounts="one account",
        problems=(
            "SSH without a bastion host",
            "reach private instances",
            "RDP to a private Windows instance",
            "no public IP addresses",
            "who connected to which instance",
        ),
    ),
    Solution(
        slug="capacity_planner",
        summary="capacity options compared, reservations watched",
        title="Selecting cost effective capacity reservations for your business-critical workloads on Amazon EC2",
        blog_url="https://aws.amazon.com/blogs/compute/selecting-cost-effective-capacity-reservations-for-your-business-critical-workloads-on-amazon-ec2/",
        services=("EC2", "Capacity Reservations", "Savings Plans", "CloudWatch", "EventBridge", "Lambda"),
        accounts="every account",
        problems=(
            "pay for idle reservations",
            "which reservation is cheapest",
            "On-Demand Capacity Reservation or Savings Plan",
            "Reserved Instances that expire",
            "unused capacity reservations",
        ),
    ),
    Solution(
        slug="odcr_asg",
        summary="capacity reserved for the loss of a whole zone",
        title="Reserving EC2 Capacity across Availability Zones by utilizing On Demand Capacity Reservations (ODCRs)",
        blog_url="https://aws.amazon.com/blogs/compute/reserving-ec2-capacity-across-availability-zones-by-utilizing-on-demand-capacity-reservations-odcrs/",
        services=("EC2 Auto Scaling", "Capacity Reservations", "Resource Groups", "Systems Manager", "CloudWatch"),
        accounts="one account",
        problems=(
            "run out of capacity when a zone fails",
            "lose an Availability Zone",
            "reserve capacity across zones",
            "InsufficientInstanceCapacity in a failover",
            "drill the loss of a zone",
        ),
    ),
    Solution(
        slug="spot_asg",
        summary="Spot Instances that may vanish without losing work",
        title="Best practices to optimize your Amazon EC2 Spot Instances usage",
        blog_url="https://aws.amazon.com/blogs/compute/best-practices-to-optimize-your-amazon-ec2-spot-instances-usage/",
        services=("EC2 Auto Scaling", "Spot", "EventBridge", "Lambda", "FIS", "CloudWatch"),
        accounts="one account",
        problems=(
            "Spot Instances vanish in the middle of work",
            "interrupted Spot Instances",
            "save with Spot",
            "rebalance recommendation",
            "diversify instance types",
        ),
    ),
    Solution(
        slug="nitro_attestation",
        summary="only Nitro instances, keys for measured software",
        title="AWS Nitro System gets independent affirmation of its confidential compute capabilities",
        blog_url="https://aws.amazon.com/blogs/compute/aws-nitro-system-gets-independent-affirmation-of-its-confidential-compute-capabilities/",
        services=("EC2", "Nitro Enclaves", "KMS", "Organizations", "Lambda", "CloudWatch"),
        accounts="every account",
        problems=(
            "nobody may read data in use",
            "only Nitro instances may start",
            "decrypt in an enclave only",
            "confidential computing",
            "prove which software has the key",
        ),
    ),
    Solution(
        slug="local_zone_guardrails",
        summary="policies that keep data in chosen Local Zones",
        title="Best practices for managing data residency in AWS Local Zones using landing zone controls",
        blog_url="https://aws.amazon.com/blogs/compute/best-practices-for-managing-data-residency-in-aws-local-zones-using-landing-zone-controls/",
        services=("Organizations", "Local Zones", "Control Tower"),
        accounts="one organization",
        problems=(
            "keep data in a country",
            "data must not leave the city",
            "data residency in Local Zones",
            "deny other Regions",
            "service control policies for residency",
        ),
    ),
    Solution(
        slug="spot_placement_tracker",
        summary="where and when Spot capacity is likely",
        title="Optimizing Amazon EC2 Spot Instances with Spot Placement Scores",
        blog_url="https://aws.amazon.com/blogs/compute/optimizing-amazon-ec2-spot-instances-with-spot-placement-scores/",
        services=("Spot", "CloudWatch", "Lambda", "S3", "EventBridge"),
        accounts="one account",
        problems=(
            "where is Spot capacity likely",
            "which Region for a large Spot fleet",
            "Spot placement scores over time",
            "best time for a Spot batch",
            "compare instance types for Spot",
        ),
    ),
    Solution(
        slug="gpu_monitoring",
        summary="GPU utilization measured, and idle GPUs found",
        title="Optimizing GPU utilization for AI/ML workloads on Amazon EC2",
        blog_url="https://aws.amazon.com/blogs/compute/optimizing-gpu-utilization-for-ai-ml-workloads-on-amazon-ec2/",
        services=("EC2", "CloudWatch", "Systems Manager", "IAM", "Lambda", "EventBridge"),
        accounts="every account",
        problems=(
            "GPUs stand idle",
            "GPU utilization in CloudWatch",
            "pay for unused GPUs",
            "GPU memory runs out",
            "GPU errors (Xid)",
        ),
    ),
    Solution(
        slug="game_streaming",
        summary="Android games on Arm GPUs, streamed to phones",
        title="Streaming Android games from cloud to mobile with AWS Graviton-based Amazon EC2 G5g instances",
        blog_url="https://aws.amazon.com/blogs/compute/streaming-android-games-from-cloud-to-mobile-with-aws-graviton-based-amazon-ec2-g5g-instances/",
        services=("EC2", "Systems Manager", "Secrets Manager", "EventBridge", "Lambda", "CloudWatch"),
        accounts="one account",
        problems=(
            "stream Android games",
            "run Android in the cloud",
            "cloud gaming on Arm GPUs",
            "Anbox Cloud on EC2",
            "games on phones without installing",
        ),
    ),
    Solution(
        slug="image_pipelines",
        summary="machine images rebuilt when their base changes",
        title="Implementing up-to-date images with automated EC2 Image Builder pipelines",
        blog_url="https://aws.amazon.com/blogs/compute/implementing-up-to-date-images-with-automated-ec2-image-builder-pipelines/",
        services=("EC2 Image Builder", "Systems Manager", "SNS", "EventBridge", "Lambda", "DynamoDB"),
        accounts="one account",
        problems=(
            "machine images out of date",
            "patch AMIs automatically",
            "golden image pipeline",
            "rebuild when the base image changes",
            "share images with other accounts",
        ),
    ),
    Solution(
        slug="spinnaker_server_groups",
        summary="server groups over many types and purchase options",
        title="Building diversified and cost-optimized EC2 server groups in Spinnaker",
        blog_url="https://aws.amazon.com/blogs/compute/building-diversified-and-cost-optimized-ec2-server-groups-in-spinnaker/",
        services=("EC2 Auto Scaling", "Spot", "Elastic Load Balancing", "Spinnaker", "Systems Manager"),
        accounts="one account",
        problems=(
            "Spinnaker with Spot Instances",
            "server groups with many instance types",
            "mixed instances in Spinnaker",
            "deploy with Spinnaker at lower cost",
            "split On-Demand and Spot",
        ),
    ),
    Solution(
        slug="outposts_guardrails",
        summary="policies that keep data on Outposts",
        title="Architecting for data residency with AWS Outposts rack and landing zone guardrails",
        blog_url="https://aws.amazon.com/blogs/compute/architecting-for-data-residency-with-aws-outposts-rack-and-landing-zone-guardrails/",
        services=("Organizations", "Outposts", "Control Tower"),
        accounts="one organization",
        problems=(
            "keep data on premises",
            "data residency on Outposts",
            "snapshots must stay on the Outpost",
            "deny copies to the Region",
            "service control policies for Outposts",
        ),
    ),
    Solution(
        slug="credential_guard",
        summary="Windows credentials isolated, and hosts audited",
        title="Enabling Microsoft Defender Credential Guard on Amazon EC2",
        blog_url="https://aws.amazon.com/blogs/compute/enabling-microsoft-defender-credential-guard-on-amazon-ec2/",
        services=("EC2", "Systems Manager", "CloudWatch", "Lambda", "EventBridge"),
        accounts="every account",
        problems=(
            "stolen Windows credentials",
            "pass the hash",
            "Credential Guard on EC2",
            "is virtualization-based security running",
            "protect domain credentials",
        ),
    ),
    Solution(
        slug="graviton_porting_advisor",
        summary="source code scanned for obstacles to Graviton",
        title="Using Porting Advisor for Graviton",
        blog_url="https://aws.amazon.com/blogs/compute/using-porting-advisor-for-graviton/",
        services=("CodeBuild", "S3", "EventBridge", "Lambda", "SNS", "CloudWatch"),
        accounts="one account",
        problems=(
            "move code to Graviton",
            "does my code run on Arm",
            "scan repositories for x86 code",
            "arm64 incompatible libraries",
            "plan a Graviton migration",
        ),
    ),
    Solution(
        slug="custom_health_checks",
        summary="instances that serve only after your own checks",
        title="How to create custom health checks for your Amazon EC2 Auto Scaling Fleet",
        blog_url="https://aws.amazon.com/blogs/compute/how-to-create-custom-health-checks-for-your-amazon-ec2-auto-scaling-fleet/",
        services=("EC2 Auto Scaling", "EventBridge", "Lambda"),
        accounts="one account",
        problems=(
            "instances serve before they are ready",
            "replace instances that my own check finds sick",
            "custom health check for Auto Scaling",
            "status checks pass but the application is down",
            "lifecycle hook until the application answers",
        ),
    ),
    Solution(
        slug="sqs_target_scaling",
        summary="workers scaled so that no message waits too long",
        title="Scaling an ASG using target tracking with a dynamic SQS target",
        blog_url="https://aws.amazon.com/blogs/compute/scaling-an-asg-using-target-tracking-with-a-dynamic-sqs-target/",
        services=("EC2 Auto Scaling", "Spot", "SQS", "Lambda", "CloudWatch"),
        accounts="one account",
        problems=(
            "messages wait too long",
            "queue backlog grows",
            "scale workers on SQS",
            "backlog per instance",
            "latency target for a queue",
        ),
    ),
    Solution(
        slug="outposts_routing",
        summary="direct VPC or customer-owned IPs on an Outpost rack",
        title="How to choose between CoIP and Direct VPC routing modes on AWS Outposts rack",
        blog_url="https://aws.amazon.com/blogs/compute/how-to-choose-between-coip-and-direct-vpc-routing-modes-on-aws-outposts-rack/",
        services=("Outposts", "VPC", "Elastic Load Balancing", "IPAM", "Lambda"),
        accounts="one account",
        problems=(
            "customer-owned IP or direct VPC routing",
            "reach an Outpost from the local network",
            "load balancer on an Outpost",
            "local gateway route table",
            "addresses overlap on premises",
        ),
    ),
    Solution(
        slug="root_volume_replacement",
        summary="instances restored in place, in minutes",
        title="Quick restoration through replacing the root volumes of Amazon EC2 instances",
        blog_url="https://aws.amazon.com/blogs/compute/quick-restoration-through-replacing-the-root-volumes-of-amazon-ec2/",
        services=("EC2", "EBS", "Step Functions", "EventBridge", "Lambda", "DynamoDB"),
        accounts="every account",
        problems=(
            "restore an instance in place",
            "roll back a bad patch",
            "replace a root volume",
            "keep the IP address and instance ID in a recovery",
            "undo a broken boot",
        ),
    ),
    Solution(
        slug="local_zone_wordpress",
        summary="WordPress close to its users, in a Local Zone",
        title="Automating your workload deployments in AWS Local Zones",
        blog_url="https://aws.amazon.com/blogs/compute/automating-your-workload-deployments-in-aws-local-zones/",
        services=("Local Zones", "EC2 Auto Scaling", "VPC", "EBS", "Secrets Manager", "Elastic Load Balancing"),
        accounts="one account",
        problems=(
            "users far from the Region",
            "WordPress close to its users",
            "low latency in a city",
            "web site in a Local Zone",
            "fail over between zone and Region",
        ),
    ),
)
