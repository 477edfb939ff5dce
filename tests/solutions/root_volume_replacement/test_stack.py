"""What the post on root volumes promises, and what the issue adds, read off the templates."""

import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from config.models import CommonSettings
from stacks.root_volume_replacement.commands import ALARMS, idle_month
from stacks.root_volume_replacement.settings import DEFINITIONS, RootVolumeReplacementSettings
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, allowed, every_action
from tests.variants import Json

SLUG = "root_volume_replacement"


def definition(name: str) -> Json:
    found: Json = json.loads((DEFINITIONS / f"{name}.asl.json").read_text(encoding="utf-8"))
    return found


# Snapshots


def test_a_volume_that_was_created_starts_the_state_machine_and_so_does_an_event_of_your_own(default: Template) -> None:
    default.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.ec2"],
                "detail-type": ["EBS Volume Notification"],
                "detail": {"event": ["createVolume"], "result": ["available"]},
            },
            "Targets": [Match.object_like({"DeadLetterConfig": Match.any_value()})],
        },
    )
    default.has_resource_properties(
        "AWS::Events::Rule", {"EventPattern": Match.object_like({"detail-type": ["Root Volume Snapshot Wanted"]})}
    )
    opted_in = {"changed-tag-keys": ["root-volume-replacement"], "tags": {"root-volume-replacement": ["enabled"]}}
    default.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.tag"],
                "detail-type": ["Tag Change on Resource"],
                "detail": Match.object_like({**opted_in, "service": ["ec2"], "resource-type": ["instance"]}),
            }
        },
    )


def test_the_attachment_is_awaited_by_the_state_machine_and_not_by_a_function(default: Template) -> None:
    states = definition("snapshot")["States"]
    assert states["Wait"]["Type"] == "Wait" and states["Wait"]["Next"] == "Look"
    default.has_resource_properties("AWS::Lambda::Function", {"Timeout": 60, "Environment": Match.any_value()})


def test_snapshots_are_made_with_our_tag_only(default: Template) -> None:
    conditions = [one.get("Condition") for one in allowed(default, "SnapshotRole", "ec2:CreateSnapshot")]
    assert {"StringEquals": {"aws:RequestTag/replace-snapshot": "true"}} in conditions
    (tagging,) = allowed(default, "SnapshotRole", "ec2:CreateTags")
    assert tagging["Condition"] == {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}}


# Replacements


def test_only_instances_that_have_opted_in_can_be_replaced(default: Template, enterprise: Template) -> None:
    for template, key, value in (
        (default, "root-volume-replacement", "enabled"),
        (enterprise, "acme:restorable", "yes"),
    ):
        found = allowed(template, "ReplacementRole", "ec2:CreateReplaceRootVolumeTask")
        on_instances = [one for one in found if "instance/*" in json.dumps(one["Resource"])]
        assert [one["Condition"] for one in on_instances] == [{"StringEquals": {f"aws:ResourceTag/{key}": value}}]


def test_ebs_gets_all_that_its_page_asks_for_on_a_key_of_yours(enterprise: Template) -> None:
    """https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html: ReEncrypt* is two actions."""
    needed = {
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    }
    for action in needed:
        assert allowed(enterprise, "ReplacementRole", f"kms:{action}"), action
    (granting,) = allowed(enterprise, "ReplacementRole", "kms:CreateGrant")
    assert granting["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_a_fleet_names_the_error_of_an_instance_and_not_that_of_the_nested_execution() -> None:
    output = definition("fleet")["States"]["Wave"]["ItemProcessor"]["States"]["Replace"]["Catch"][0]["Output"]
    assert "$states.errorOutput.Cause" in output and output.rstrip(" %}").endswith("$states.errorOutput.Error")


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_services_take_roles_in_the_name_of_this_account_only(variant: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html."""
    for name, role in variants.template(variant, SLUG)["Resources"].items():
        if role["Type"] == "AWS::IAM::Role":
            (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if "lambda.amazonaws.com" not in json.dumps(trust["Principal"]):
                assert "aws:SourceAccount" in trust["Condition"]["StringEquals"], name


def test_every_step_of_a_replacement_is_retried_and_its_failure_is_reported_before_the_machine_fails() -> None:
    states = definition("replacement")["States"]
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    assert list(tasks) == ["Begin", "Start", "Follow", "Verify", "Check", "Finish", "Give up"]
    for name, state in tasks.items():
        assert state["Retry"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert state["Catch"][0]["Next"] == ("Failed" if name == "Give up" else "Give up"), name
    assert states["Failed"]["Type"] == "Fail"


@pytest.mark.parametrize("name", ["snapshot", "replacement", "fleet"])
def test_every_state_is_reached_and_leads_to_one_that_exists(name: str) -> None:
    machine = definition(name)
    states = machine["States"]
    following = {
        target
        for state in states.values()
        for target in [
            state.get("Next"),
            state.get("Default"),
            *(choice["Next"] for choice in state.get("Choices", [])),
            *(catch["Next"] for catch in state.get("Catch", [])),
        ]
        if target
    }
    assert {machine["StartAt"], *following} == set(states)


def test_a_fleet_starts_replacements_waits_for_them_and_lets_one_that_fails_stop_no_other_of_its_wave(
    default: Template,
) -> None:
    wave = definition("fleet")["States"]["Wave"]
    replace = wave["ItemProcessor"]["States"]["Replace"]
    assert replace["Resource"] == "${StartExecution}" and replace["Catch"]
    (fleet,) = default.find_resources(
        "AWS::StepFunctions::StateMachine",
        {"Properties": {"DefinitionSubstitutions": {"StartExecution": Match.any_value()}}},
    ).values()
    resource = fleet["Properties"]["DefinitionSubstitutions"]["StartExecution"]
    assert resource["Fn::Join"][1][-1] == ":states:::states:startExecution.sync:2"
    assert allowed(default, "ReplacementsStartReplacements", "states:StartExecution")


def test_the_machines_log_where_no_entry_of_the_account_s_one_resource_policy_is_taken(default: Template) -> None:
    groups = default.find_resources("AWS::Logs::LogGroup")
    for machine in default.find_resources("AWS::StepFunctions::StateMachine").values():
        (destination,) = machine["Properties"]["LoggingConfiguration"]["Destinations"]
        group = groups[destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]]
        assert group["Properties"]["LogGroupName"]["Fn::Join"][1][0] == "/aws/vendedlogs/states/"


def test_the_definitions_have_no_placeholder_left(default: Template) -> None:
    for machine in default.find_resources("AWS::StepFunctions::StateMachine").values():
        properties = machine["Properties"]
        text = properties["DefinitionString"]
        names = {part.split("}")[0] for part in text.split("${")[1:]}
        assert names == set(properties["DefinitionSubstitutions"])
        assert properties["LoggingConfiguration"]["Level"] == "ALL"


# Deleting


def test_by_default_nothing_has_the_right_to_delete_a_volume_or_a_snapshot(default: Template) -> None:
    assert not {"ec2:DeleteVolume", "ec2:DeleteSnapshot"} & every_action(default)
    default.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": Match.object_like({"MODE": "dry-run", "ALLOW_DELETION": "false"})}},
    )


def test_with_both_keys_only_what_carries_our_tags_can_be_deleted(enterprise: Template) -> None:
    for role, action, tag in (
        ("ReplacementRole", "ec2:DeleteVolume", "replaced-volume"),
        ("CleanUpRole", "ec2:DeleteVolume", "replaced-volume"),
        ("CleanUpRole", "ec2:DeleteSnapshot", "replace-snapshot"),
    ):
        (statement,) = allowed(enterprise, role, action)
        assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{tag}": "true"}}


def test_schedules_may_leave_dead_letters_in_the_queue_also_under_a_key_of_yours(enterprise: Template) -> None:
    schedules = enterprise.find_resources("AWS::Scheduler::Schedule").values()
    roles = {schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0] for schedule in schedules}
    assert len(schedules) == 3 and len(roles) == 2
    for role in roles:
        for action in ("sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"):
            assert allowed(enterprise, role[:-8], action), (role, action)  # the policy has a hash of its own


def test_the_clean_up_and_the_fleets_run_on_schedules_with_a_time_zone(default: Template, enterprise: Template) -> None:
    default.has_resource_properties(
        "AWS::Scheduler::Schedule",
        {"ScheduleExpression": "cron(0 3 * * ? *)", "ScheduleExpressionTimezone": "UTC"},
    )
    default.resource_count_is("AWS::Scheduler::Schedule", 1)
    enterprise.resource_count_is("AWS::Scheduler::Schedule", 3)
    request = json.dumps({"to": "launch-state", "tag": {"key": "role", "value": "ci"}})
    enterprise.has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "ScheduleExpression": "cron(0 5 ? * SUN *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "Target": Match.object_like({"Input": request, "DeadLetterConfig": Match.any_value()}),
        },
    )


# What people see


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "Errors", "ApproximateNumberOfMessagesVisible"])
def test_an_alarm_tells_of_everything_that_fails(default: Template, metric: str) -> None:
    default.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"MetricName": metric, "Threshold": 0, "AlarmActions": [Match.any_value()]}
    )
    machines = {
        json.dumps(alarm["Properties"]["Dimensions"])
        for alarm in default.find_resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "ExecutionsFailed"
    }
    assert len(machines) == 3


def test_the_outputs_name_what_a_user_does_next(default: Template) -> None:
    outputs = default.to_json()["Outputs"]
    assert {"OptIn", "StartReplacement", "AskForSnapshot", "ReportTopicArn", "FleetMachineArn"} <= set(outputs)
    assert "start-execution" in json.dumps(outputs["StartReplacement"])


def test_the_key_of_the_enterprise_reaches_what_holds_data(enterprise: Template) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    enterprise.all_resources_properties("AWS::SNS::Topic", {"KmsMasterKeyId": key})
    enterprise.all_resources_properties("AWS::SQS::Queue", {"KmsMasterKeyId": key})
    enterprise.all_resources_properties("AWS::Lambda::Function", {"KmsKeyArn": key})
    for table in enterprise.find_resources("AWS::DynamoDB::GlobalTable").values():
        assert table["DeletionPolicy"] == "Retain"


def test_the_billing_units_are_those_of_the_template(default: Template) -> None:
    units = {unit.unit: unit.quantity for unit in idle_month(CommonSettings(), RootVolumeReplacementSettings())}
    assert units["alarm_month"] == ALARMS == len(default.find_resources("AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    found: Any = readable(variants.template(variant, SLUG))
    assert found == snapshot(extension_class=TemplateSnapshot)
