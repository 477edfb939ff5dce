"""What services write by themselves: flow logs, trails, access logs, and into groups under a key."""

from collections.abc import Callable, Iterator

from tests.conformance.deliveries.judge import OK, Delivery, Judge, Outcome, fails, unsure
from tests.conformance.templates import Json

_FLOWS = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams")
_LOG_KEY = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*")
_FULL_CONTROL = {"s3:x-amz-acl": ("bucket-owner-full-control",)}


def flow_logs(judge: Judge) -> Iterator[Delivery]:
    """To CloudWatch Logs by a role, to S3 by the bucket's policy."""
    for flow, properties in judge.of_type("AWS::EC2::FlowLog"):
        if properties.get("LogDestinationType", "cloud-watch-logs") != "cloud-watch-logs":
            target = properties.get("LogDestination", "")
            yield Delivery("VPC flow log → S3 bucket", flow, target, _delivered(judge, flow, target))
            continue
        role = properties.get("DeliverLogsPermissionArn")
        name = properties.get("LogGroupName") or properties.get("LogDestination", "").split(":log-group:")[-1]
        group = judge.arn(f"logs:{{r}}:{{a}}:log-group:{name.removesuffix(':*')}")
        outcome = judge.trusts(role, "vpc-flow-logs.amazonaws.com", judge.arn_of(flow))
        outcome &= judge.role(role, _FLOWS[:2], f"{group}:log-stream:«stream»")
        outcome &= judge.role(role, _FLOWS[3:], f"{group}:*")
        yield Delivery("VPC flow log → log group", flow, name, outcome)


def _delivered(judge: Judge, flow: str, target: str) -> Outcome:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html"""
    bucket = judge.owner(target.split("/")[0])
    if bucket is None:
        return Outcome("outside", "the policy of a foreign bucket decides")
    if bucket not in judge.resource_policies:
        return OK  # EC2 writes the policy itself
    principal = "delivery.logs.amazonaws.com"
    source = judge.arn("logs:{r}:{a}:*")
    objects = f"{judge.arn_of(bucket)}/AWSLogs/{judge.account}/«object»"
    allowed = judge.service(principal, "s3:PutObject", objects, source_arn=source, extra=_FULL_CONTROL)
    allowed &= judge.service(principal, "s3:GetBucketAcl", judge.arn_of(bucket), source_arn=source)
    return allowed & judge.key_for_service(bucket, principal)


def trails(judge: Judge) -> Iterator[Delivery]:
    """CloudTrail to its bucket, topic and log group."""
    principal = "cloudtrail.amazonaws.com"
    for trail, properties in judge.of_type("AWS::CloudTrail::Trail"):
        arn = judge.arn_of(trail)
        if "TrailName" in properties:
            arn = judge.arn(f"cloudtrail:{{r}}:{{a}}:trail/{properties['TrailName']}")
        bucket = judge.named(properties["S3BucketName"], "AWS::S3::Bucket")
        if bucket is None:
            yield Delivery(
                "CloudTrail → S3 bucket", trail, properties["S3BucketName"], Outcome("outside", "foreign bucket")
            )
        else:
            prefix = f"/{properties['S3KeyPrefix']}" if "S3KeyPrefix" in properties else ""
            objects = f"{judge.arn_of(bucket)}{prefix}/AWSLogs/{judge.account}/«object»"
            outcome = judge.service(principal, "s3:PutObject", objects, source_arn=arn, extra=_FULL_CONTROL)
            outcome &= judge.service(principal, "s3:GetBucketAcl", judge.arn_of(bucket), source_arn=arn)
            key = ("kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey")
            outcome &= judge.key_for_service(bucket, principal, key)
            yield Delivery("CloudTrail → S3 bucket", trail, bucket, outcome)
            policies = {
                policy
                for policy, its in judge.of_type("AWS::S3::BucketPolicy")
                if judge.named(its["Bucket"], "AWS::S3::Bucket") == bucket
            }
            after = policies & judge.depends_on(trail)
            ordered = OK if after else fails(f"{trail} does not depend on the policy of {bucket}")
            yield Delivery("CloudTrail: after the bucket's policy", trail, bucket, ordered)
        if key_id := properties.get("KMSKeyId"):
            actions = ("kms:GenerateDataKey*", "kms:DescribeKey")
            yield Delivery("CloudTrail → its key", trail, key_id, judge.key(key_id, principal, actions))
        if topic := properties.get("SnsTopicName"):
            target = topic if topic.startswith("arn:") else judge.arn(f"sns:{{r}}:{{a}}:{topic}")
            allowed = judge.service(principal, "sns:Publish", target, source_arn=arn)
            yield Delivery(
                "CloudTrail → SNS topic", trail, target, allowed & judge.key_for_service(judge.owner(target), principal)
            )
        if group := properties.get("CloudWatchLogsLogGroupArn"):
            role = properties.get("CloudWatchLogsRoleArn")
            stream = f"{group.removesuffix(':*')}:log-stream:{judge.account}_CloudTrail_{judge.place.region}"
            allowed = judge.trusts(role, principal, arn)
            allowed &= judge.role(role, ("logs:CreateLogStream", "logs:PutLogEvents"), stream)
            yield Delivery("CloudTrail → log group", trail, group, allowed)


def keys_of_log_groups(judge: Judge) -> Iterator[Delivery]:
    """CreateLogGroup is refused where the key's policy does not let CloudWatch Logs of this Region use it."""
    principal = f"logs.{judge.place.region}.{judge.place.suffix}"
    for group, properties in judge.of_type("AWS::Logs::LogGroup"):
        if key := properties.get("KmsKeyId"):
            outcome = judge.key_for_service(group, principal, _LOG_KEY)
            yield Delivery("CloudWatch Logs → key of a log group", group, key, outcome)


def access_logs(judge: Judge) -> Iterator[Delivery]:
    """Of buckets and of load balancers."""
    for bucket, properties in judge.of_type("AWS::S3::Bucket"):
        target = properties.get("LoggingConfiguration", {}).get("DestinationBucketName")
        if target:
            logged = judge.named(target, "AWS::S3::Bucket")
            prefix = properties["LoggingConfiguration"].get("LogFilePrefix", "")
            objects = judge.arn(f"s3:::{target}/{prefix}«object»")
            principal = "logging.s3.amazonaws.com"
            allowed = judge.service(principal, "s3:PutObject", objects, source_arn=judge.arn_of(bucket))
            if logged and judge.key_of(logged):
                allowed &= fails("access logs of S3 go to buckets with SSE-S3 only")
            yield Delivery("S3 access log → bucket", bucket, target, allowed)
    for balancer, properties in judge.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        settings = {one["Key"]: one["Value"] for one in properties.get("LoadBalancerAttributes", [])}
        if settings.get("access_logs.s3.enabled") != "true":
            yield Delivery("load balancer → no access log", balancer, "-", OK)
            continue
        yield Delivery("load balancer → bucket of its access log", balancer, "-", _balancer(judge, settings))


def _balancer(judge: Judge, settings: Json) -> Outcome:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"""
    bucket = judge.named(settings["access_logs.s3.bucket"], "AWS::S3::Bucket")
    if bucket is None:
        return Outcome("outside", "the policy of a foreign bucket decides")
    prefix = f"/{settings['access_logs.s3.prefix']}" if settings.get("access_logs.s3.prefix") else ""
    objects = f"{judge.arn_of(bucket)}{prefix}/AWSLogs/{judge.account}/«object»"
    principal = "logdelivery.elasticloadbalancing.amazonaws.com"
    source = judge.arn("elasticloadbalancing:{r}:{a}:loadbalancer/«balancer»")
    allowed = judge.service(principal, "s3:PutObject", objects, source_arn=source)
    if allowed.verdict == "fails" and any("AWS" in str(s) for s in judge.resource_policies.get(bucket, [])):
        # Older Regions take an account of Elastic Load Balancing as principal, whose number a Region without one lacks.
        allowed = unsure("the policy may name the account of Elastic Load Balancing in this Region")
    return allowed & (fails("access logs go to buckets with SSE-S3 only") if judge.key_of(bucket) else OK)


RULES: tuple[Callable[[Judge], Iterator[Delivery]], ...] = (flow_logs, trails, keys_of_log_groups, access_logs)
