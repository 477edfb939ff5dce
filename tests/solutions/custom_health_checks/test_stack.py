"""What the post on custom health checks promises, read off the templates."""

import json
import re
from functools import partial
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.custom_health_checks.checks import belongs_to_aws
from stacks.custom_health_checks.settings import CustomHealthChecksSettings
from stacks.custom_health_checks.user_data import line, user_data
from tests import variants
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, every_action, synthesized
from tests.variants import ROOT, Json

SLUG = "custom_health_checks"
USER_DATA = ROOT / "stacks" / SLUG / "user_data"


template = partial(synthesized, SLUG)


@pytest.fixture(scope="module")
def event() -> Template:
    return template()


@pytest.fixture(scope="module")
def instance() -> Template:
    return template("math")


def group(of: Template) -> Json:
    (found,) = of.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
    return dict(found)


# The group


def test_the_hook_is_part_of_the_group_so_that_no_instance_can_slip_past_it(event: Template) -> None:
    assert group(event)["Properties"]["LifecycleHookSpecificationList"] == [
        {
            "LifecycleHookName": "checked",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
            "HeartbeatTimeout": 300,
            "DefaultResult": "ABANDON",
        }
    ]
    event.resource_count_is("AWS::AutoScaling::LifecycleHook", 0)


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_a_change_waits_for_the_checks_of_new_instances_and_no_longer(variant: str) -> None:
    """The update itself waits for InService, an hour at most; an hour's pause more for each would make days of it."""
    rolling = group(template(variant))["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert (rolling["MaxBatchSize"], rolling["PauseTime"]) == (1, "PT0S")
    assert "WaitOnResourceSignals" not in rolling, "nobody sends signals"
    assert rolling.get("MinActiveInstancesPercent", 100) == 100, "or it would not wait"


def test_the_group_is_that_of_the_post(event: Template) -> None:
    properties = group(event)["Properties"]
    assert (properties["MinSize"], properties["MaxSize"]) == ("2", "4")
    assert properties["NewInstancesProtectedFromScaleIn"] is True
    tag = {"Key": "Compliance-Check", "Value": "UnSuccessful", "PropagateAtLaunch": True}
    assert tag in properties["Tags"]
    assert "CapacityRebalance" not in properties and "MixedInstancesPolicy" not in properties


def test_the_warm_pool_is_optional_and_stopped(event: Template, enterprise: Template) -> None:
    event.resource_count_is("AWS::AutoScaling::WarmPool", 0)
    enterprise.has_resource_properties(
        "AWS::AutoScaling::WarmPool",
        {
            "MinSize": 1,
            "MaxGroupPreparedCapacity": 6,
            "PoolState": "Stopped",
            "InstanceReusePolicy": {"ReuseOnScaleIn": True},
        },
    )


@pytest.mark.parametrize("variant", variants.variants_of(SLUG))
def test_nobody_may_mark_an_instance_unhealthy_unless_that_is_asked_for(variant: str) -> None:
    asked = variant == "enterprise"
    assert ("autoscaling:SetInstanceHealth" in json.dumps(variants.template(variant, SLUG))) == asked
    assert "set-instance-health" not in json.dumps(variants.template(variant, SLUG))


def test_what_marks_an_instance_unhealthy_counts_in_a_table_and_acts_on_the_one_group(enterprise: Template) -> None:
    of = enterprise
    (marking,) = [s for s in of.statements("CheckerRole") if "autoscaling:SetInstanceHealth" in s["Action"]]
    assert "autoScalingGroupName/" in json.dumps(marking["Resource"])
    ((table, found),) = of.find_resources("AWS::DynamoDB::GlobalTable").items()
    assert found["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    of.has_resource_properties(
        "AWS::Lambda::Function",
        {"Environment": {"Variables": {"UNHEALTHY_AFTER": "3", "FAILURES_TABLE": {"Ref": table}}}},
    )


def test_the_image_has_the_architecture_of_the_instance_type(event: Template, instance: Template) -> None:
    for of, kind, suffix in ((event, "t4g.micro", "arm64"), (instance, "t3.micro", "x86_64")):
        of.has_resource_properties("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"InstanceType": kind}})
        images = [p["Default"] for p in of.to_json()["Parameters"].values() if "Image" in p["Type"]]
        assert [image for image in images if image.endswith(suffix)]


# Mode event


def test_the_function_hears_the_tag_and_the_launch_and_sweeps_every_minute(event: Template) -> None:
    tag = {"service": ["ec2"], "resource-type": ["instance"], "changed-tag-keys": ["Compliance-Check"]}
    event.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.tag"],
                "detail-type": ["Tag Change on Resource"],
                "detail": {**tag, "tags": {"Compliance-Check": ["Successful", "Failed"]}},
            }
        },
    )
    event.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.autoscaling"],
                "detail-type": ["EC2 Instance-launch Lifecycle Action"],
                "detail": {"LifecycleHookName": ["checked"]},
            }
        },
    )
    event.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(1 minute)"})


def test_without_a_failure_value_only_success_is_heard(enterprise: Template) -> None:
    enterprise.has_resource_properties(
        "AWS::Events::Rule", {"EventPattern": {"detail": {"tags": {"Compliance-Check": ["Successful"]}}}}
    )


def test_the_launch_rule_and_the_rights_name_the_one_group_by_its_generated_name(event: Template) -> None:
    (logical_id,) = event.find_resources("AWS::AutoScaling::AutoScalingGroup")
    prefix = f"custom-health-checks-{logical_id}-"
    event.has_resource_properties(
        "AWS::Events::Rule", {"EventPattern": {"detail": {"AutoScalingGroupName": [{"prefix": prefix}]}}}
    )
    (statement,) = [s for s in event.statements("CheckerRole") if "CompleteLifecycle" in json.dumps(s)]
    assert statement["Action"] == ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"]
    assert statement["Resource"]["Fn::Join"][1][-1].endswith(f"autoScalingGroupName/{prefix}*")
    event.has_resource_properties(
        "AWS::Lambda::Function", {"Environment": {"Variables": {"GROUP_PREFIX": prefix, "HOOK_NAME": "checked"}}}
    )


def test_the_first_instances_are_heard_too(event: Template) -> None:
    needed = [name for name in group(event)["DependsOn"] if name.startswith(("Checker", "EventLaunch", "EventTag"))]
    assert len([name for name in needed if "Allow" in name]) == 2  # the rules may invoke the function
    assert len(needed) == 5


def test_the_instance_needs_no_rights(event: Template) -> None:
    assert event.statements("CheckedRole") == []


def test_the_function_reads_and_completes_and_nothing_else(event: Template) -> None:
    assert every_action(event, "CheckerRole") == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "ec2:DescribeInstances",
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:RecordLifecycleActionHeartbeat",
    }


def test_the_default_has_neither_nat_gateway_nor_endpoint_nor_a_function_in_the_vpc(event: Template) -> None:
    event.resource_count_is("AWS::EC2::NatGateway", 0)
    event.resource_count_is("AWS::EC2::VPCEndpoint", 0)
    event.all_resources_properties("AWS::Lambda::Function", {"VpcConfig": Match.absent()})


def test_an_http_check_puts_a_function_without_rights_into_the_vpc(enterprise: Template) -> None:
    inside = [
        name
        for name, function in enterprise.find_resources("AWS::Lambda::Function").items()
        if "VpcConfig" in function["Properties"]
    ]
    assert len(inside) == 1 and inside[0].startswith("Prober")
    assert {action.split(":")[0] for action in every_action(enterprise, "ProberRole")} == {"ec2", "logs", "kms"}
    enterprise.resource_count_is("AWS::EC2::VPCEndpoint", 0)
    enterprise.has_resource_properties(
        "AWS::EC2::SecurityGroupIngress", {"FromPort": 8080, "SourceSecurityGroupId": Match.any_value()}
    )


def test_every_check_reaches_the_function_with_its_rights(enterprise: Template) -> None:
    (checker,) = [
        function["Properties"]["Environment"]["Variables"]
        for name, function in enterprise.find_resources("AWS::Lambda::Function").items()
        if name.startswith("Checker")
    ]
    assert checker["LONGEST_WAIT_SECONDS"] == "3600" and checker["WARM_POOL"] == "true"
    for kind in ("tag", "http", "ssm-document", "table"):
        assert f'"kind":"{kind}"' in json.dumps(checker["CHECKS"]).replace("\\", "")
    wanted = {"dynamodb:GetItem", "ssm:SendCommand", "ssm:ListCommandInvocations", "lambda:InvokeFunction"}
    assert wanted <= every_action(enterprise, "CheckerRole")
    sending = [s for s in enterprise.statements("CheckerRole") if s["Action"] == "ssm:SendCommand"]
    assert [s for s in sending if "document/AcmeCheck" in json.dumps(s["Resource"])]
    (on_instances,) = [s for s in sending if "instance/*" in json.dumps(s["Resource"])]
    (like,) = on_instances["Condition"]["StringLike"].values()
    assert like.startswith("acme-custom-health-checks-") and like.endswith("-*")


# Mode instance


def test_the_instance_may_look_and_complete_the_hook_of_its_group(instance: Template) -> None:
    assert {
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:RecordLifecycleActionHeartbeat",
        "dynamodb:GetItem",
        "ec2:DescribeTags",
    } <= every_action(instance, "CheckedRole")
    assert instance.only("AWS::Lambda::Function")["Description"].startswith("Takes scale-in protection away")
    (rule,) = instance.find_resources("AWS::Events::Rule").values()
    assert "aws.autoscaling" in rule["Properties"]["EventPattern"]["source"], "it only counts"


def test_a_document_of_aws_belongs_to_no_account(instance: Template) -> None:
    (sending,) = [
        s
        for s in instance.statements("CheckedRole")
        if s["Action"] == "ssm:SendCommand" and "document" in json.dumps(s["Resource"])
    ]
    assert sending["Resource"]["Fn::Join"][1][-1] == "::document/AWS-RunPatchBaseline"


@pytest.mark.parametrize(
    ("name", "is_theirs"),
    [
        ("AWS-RunPatchBaseline", True),
        ("AmazonInspector2-Inspect", True),
        ("AWSEC2-ConfigureSTIG", True),
        ("AWSFleetManager-AddUsersToGroups", True),
        ("AWSSupport-ResetAccess", True),
        ("AWSConfigRemediation-X", True),
        ("amzn-Check", True),
        ("AcmeComplianceCheck", False),
        ("My-AWS-Check", False),
    ],
)
def test_names_of_aws_s_own_documents_begin_as_nobody_else_s_may(name: str, is_theirs: bool) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html#SSM-CreateDocument-Name."""
    assert belongs_to_aws(name) == is_theirs


def test_isolated_instances_reach_what_the_script_calls(instance: Template) -> None:
    names = json.dumps(
        [e["Properties"]["ServiceName"] for e in instance.find_resources("AWS::EC2::VPCEndpoint").values()]
    )
    for service in ("autoscaling", "ec2", "ssm", "ssmmessages", "dynamodb"):
        assert f".{service}" in names, service
    assert "ec2messages" not in names, "Regions since 2024 have no such service, and the deployment fails"


def launched(of: Template) -> str:
    (found,) = of.find_resources("AWS::EC2::LaunchTemplate").values()
    script = found["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    assert isinstance(script, str)
    return script


def test_the_user_data_is_complete_and_fits(instance: Template) -> None:
    script = launched(instance)
    assert re.findall(r"@[A-Z_]+@", "\n".join(x for x in script.splitlines() if not x.startswith("#"))) == []
    assert len(script.encode()) < 16_384
    for name in ("check.sh", "custom-health-check.service"):
        assert (USER_DATA / name).read_text(encoding="utf-8").strip() in script
    assert "tag|Compliance-Check|Successful|Failed\nhttp|http://127.0.0.1:8080/health|200\n" in script


def test_the_unit_survives_reboots_and_runs_without_privileges() -> None:
    lines = (USER_DATA / "custom-health-check.service").read_text(encoding="utf-8").splitlines()
    for wanted in (
        "WantedBy=multi-user.target",
        "Restart=on-failure",
        "StateDirectory=custom-health-check",
        "DynamicUser=yes",
        "StartLimitIntervalSec=0",
    ):
        assert wanted in lines
    assert "systemctl enable --now custom-health-check" in (USER_DATA / "bootstrap.sh").read_text(encoding="utf-8")


def test_the_script_uses_imdsv2_and_installs_nothing() -> None:
    script = (USER_DATA / "check.sh").read_text(encoding="utf-8")
    assert "api/token" in script and "X-aws-ec2-metadata-token:" in script
    assert not re.search(r"\b(dnf|yum|pip|awscli-exe)\b", script)


@pytest.mark.parametrize(
    ("check", "written"),
    [
        ({"kind": "tag", "failure": None}, "tag|Compliance-Check|Successful|"),
        ({"kind": "http", "port": 80, "path": "/a?b=c"}, "http|http://127.0.0.1:80/a?b=c|200"),
        ({"kind": "ssm-document", "document": "AcmeCheck"}, "ssm-document|AcmeCheck"),
        ({"kind": "table", "table": "inventory"}, "table|inventory|instance_id|||"),
    ],
)
def test_a_check_is_one_line(check: dict[str, Any], written: str) -> None:
    settings = CustomHealthChecksSettings.model_validate({"mode": "instance", "checks": [check]})
    assert line(settings.checks[0]) == written
    assert f"\n{written}\n" in user_data(settings)


# The end, and what people see


def test_protection_ends_before_the_group_does(event: Template, instance: Template) -> None:
    (logical_id,) = event.find_resources("AWS::AutoScaling::AutoScalingGroup")
    event.has_resource_properties("Custom::EndOfProtection", {"GroupName": {"Ref": logical_id}})
    (statement,) = [s for s in event.statements("UnprotectRole") if "SetInstanceProtection" in json.dumps(s)]
    # By its name's beginning: one of the two resources is there before the group.
    assert statement["Resource"]["Fn::Join"][1][-1].endswith(
        f"autoScalingGroupName/custom-health-checks-{logical_id}-*"
    )
    ((before, found),) = event.find_resources("Custom::ProtectionBeforeUpdate").items()
    assert before in group(event)["DependsOn"]
    assert found["Properties"]["GroupLogicalId"] == logical_id
    assert found["Properties"]["LaunchTemplateVersion"]["Fn::GetAtt"][1] == "LatestVersionNumber"
    instance.resource_count_is("Custom::EndOfProtection", 0)
    # What switches protection off may roll the group, too, whose instances still have it then.
    ((before, found),) = instance.find_resources("Custom::ProtectionBeforeUpdate").items()
    assert before in group(instance)["DependsOn"] and "LaunchTemplateVersion" in found["Properties"]
    assert (
        "NewInstancesProtectedFromScaleIn" not in group(instance)["Properties"]
        or not group(instance)["Properties"]["NewInstancesProtectedFromScaleIn"]
    )


@pytest.mark.parametrize(("variant", "minutes"), [(variants.DEFAULT, 10), ("enterprise", 65)])
def test_an_alarm_tells_that_nothing_ever_passes(variant: str, minutes: int) -> None:
    of = template(variant)
    (alarm,) = [a["Properties"] for name, a in of.find_resources("AWS::CloudWatch::Alarm").items() if "Never" in name]
    assert (alarm["EvaluationPeriods"], alarm["Threshold"]) == (1, 0)
    used = {m["Id"]: m["MetricStat"] for m in alarm["Metrics"] if "MetricStat" in m}
    assert {stat["Period"] for stat in used.values()} == {60 * minutes}
    assert used["failed"]["Metric"]["MetricName"] == "TriggeredRules"
    assert (used["wanted"]["Stat"], used["serving"]["Stat"]) == ("Minimum", "Maximum")


@pytest.mark.parametrize(
    ("failed", "wanted", "serving", "rings"),
    [
        (2, [2, 2, 2], [0, 0, 0], True),  # two are launched, wait, are given up together; the next come a minute later
        (1, [2, 2, 2], [1, 1, 1], True),
        (1, [2, 2, 2], [1, 1, 2], False),  # one was given up, and its successor has passed
        (0, [4, 4, 4], [3, 3, 3], False),  # a rolling update, one after the other
        (0, [2, 4, 4], [2, 2, 2], False),  # it has just been scaled out
        (1, [2, 4, 4], [2, 2, 2], False),  # the period in which that began
    ],
)
def test_the_alarm_rings_where_launches_fail_and_the_group_stays_small(
    event: Template, failed: int, wanted: list[int], serving: list[int], rings: bool
) -> None:
    """Between an instance that is given up and the next none waits, so that none is counted that waits."""
    (alarm,) = [
        a["Properties"] for name, a in event.find_resources("AWS::CloudWatch::Alarm").items() if "Never" in name
    ]
    (expression,) = [m["Expression"] for m in alarm["Metrics"] if "Expression" in m]
    values = {"failed": failed, "wanted": min(wanted), "serving": max(serving)}
    assert expression == "IF(FILL(failed, 0) > 0 AND wanted > serving, 1, 0)"
    assert (values["failed"] > 0 and values["wanted"] > values["serving"]) == rings


def test_launches_that_fail_are_counted_and_their_events_kept(event: Template) -> None:
    ((name, rule),) = [
        (name, rule["Properties"])
        for name, rule in event.find_resources("AWS::Events::Rule").items()
        if name.startswith("GivenUp")
    ]
    assert rule["EventPattern"]["detail-type"] == ["EC2 Instance Launch Unsuccessful"]
    (prefix,) = rule["EventPattern"]["detail"]["AutoScalingGroupName"]
    assert prefix["prefix"].startswith("custom-health-checks-CheckedInstances")
    assert rule["Targets"], "a rule without a target counts nothing"
    assert {"Name": "RuleName", "Value": {"Ref": name}} in [
        dimension
        for alarm in event.find_resources("AWS::CloudWatch::Alarm").values()
        for metric in alarm["Properties"].get("Metrics", [])
        for dimension in metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
    ]


def test_a_checker_that_stops_is_missed_within_ten_minutes(event: Template, instance: Template) -> None:
    """Its sweep lets in whom events have missed; in mode instance each looks at itself."""
    silent = [a["Properties"] for n, a in event.find_resources("AWS::CloudWatch::Alarm").items() if "Silent" in n]
    (alarm,) = silent
    (run,) = [each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each]
    assert (run["Metric"]["MetricName"], run["Period"], alarm["EvaluationPeriods"]) == ("Invocations", 60, 10)
    assert not [name for name in instance.find_resources("AWS::CloudWatch::Alarm") if "Silent" in name]


def test_the_outputs_name_what_a_user_does_next(event: Template) -> None:
    outputs = event.to_json()["Outputs"]
    assert {"GroupName", "CheckerFunction", "ShowInstances", "LetInComplianceCheck"} <= set(outputs)
    assert "Key=Compliance-Check,Value=Successful" in json.dumps(outputs["LetInComplianceCheck"])


@pytest.mark.parametrize("variant", [variants.DEFAULT, "math"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)
