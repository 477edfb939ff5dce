"""What the post on GPU utilization promises, and what the issue adds, read off the templates."""

import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.gpu_monitoring.agent import GPU
from stacks.gpu_monitoring.commands import FLEET_METRICS, idle_month
from stacks.gpu_monitoring.settings import DOCUMENTS, GpuMonitoringSettings
from tests import variants
from tests.billed import by_unit
from tests.prepared import prepared
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, actions, allowed
from tests.variants import ROOT, Json

SLUG = "gpu_monitoring"


def parameters(of: Template) -> dict[str, Json]:
    found = [resource["Properties"] for resource in of.find_resources("AWS::SSM::Parameter").values()]
    return {properties["Name"].removesuffix("-advanced").rpartition("-")[2]: properties for properties in found}


def steps(of: Template) -> list[Json]:
    found: list[Json] = of.only("AWS::SSM::Document")["Content"]["mainSteps"]
    return found


def body(of: Template) -> Json:
    """The dashboard's body, with a name for each reference."""
    parts = of.only("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    found: Json = json.loads("".join(part if isinstance(part, str) else "region" for part in parts))
    return found


def expressions(widget: Json) -> list[str]:
    return [
        entry["expression"]
        for line in widget["properties"]["metrics"]
        for entry in line
        if isinstance(entry, dict) and "expression" in entry
    ]


# The agent's configuration


def test_the_parameters_hold_the_files_under_a_name_that_the_managed_policy_lets_be_read(default: Template) -> None:
    for system, properties in parameters(default).items():
        assert properties["Name"] == f"AmazonCloudWatch-gpu-monitoring-{system}"
        assert json.loads(properties["Value"]) == json.loads((DOCUMENTS / f"{system}.json").read_text(encoding="utf-8"))
        assert (properties["Type"], properties["Tier"]) == ("String", "Standard")
        assert len(properties["Value"]) <= 4096


def test_above_four_kilobytes_the_tier_is_advanced_by_itself_under_another_name(enterprise: Template) -> None:
    """Parameter Store takes no advanced parameter back to the standard tier."""
    linux, windows = parameters(enterprise)["linux"], parameters(enterprise)["windows"]
    assert len(linux["Value"]) > 4096 and linux["Tier"] == "Advanced"
    assert linux["Name"] == "AmazonCloudWatch-acme-gpu-monitoring-linux-advanced"
    assert windows["Tier"] == "Standard"
    assert json.loads(linux["Value"]) == json.loads(
        (ROOT / "tests/solutions/gpu_monitoring/agent/large.json").read_text()
    )


# The association


def test_one_association_on_an_own_document_finds_its_instances_by_the_tag(
    default: Template, enterprise: Template
) -> None:
    for template, key, value in ((default, "gpu-monitoring", "enabled"), (enterprise, "acme:gpu", "yes")):
        association = template.only("AWS::SSM::Association")
        assert association["Targets"] == [{"Key": f"tag:{key}", "Values": [value]}]
        assert list(template.find_resources("AWS::SSM::Document")) == [association["Name"]["Ref"]]
        assert "WaitForSuccessTimeoutSeconds" not in association and "InstanceId" not in association


def test_it_installs_and_then_configures_and_goes_no_further_after_a_failure(default: Template) -> None:
    for system, order in (
        ("Linux", ["AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent", "aws:runShellScript"]),
        ("Windows", ["AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent", "aws:runPowerShellScript"]),
    ):
        found = [
            step
            for step in steps(default)
            if step.get("precondition", {"StringEquals": ["platformType", system]})
            == {"StringEquals": ["platformType", system]}
        ]
        assert [step["inputs"].get("documentPath", step["action"]) for step in found] == order
        assert {step["onFailure"] for step in found} == {"exit"}
        location = found[-2]["inputs"]["documentParameters"]["optionalConfigurationLocation"]
        assert location == parameters(default)[system.lower()]["Name"], "to the letter, no slash in front"


def test_the_documents_of_aws_get_parameters_that_they_have(default: Template) -> None:
    """As the post calls them; the runs of a document in a document take no lists."""
    install, *_, configure = [step["inputs"] for step in steps(default) if "documentPath" in step["inputs"]]
    assert install["documentParameters"] == {"action": "Install", "name": "AmazonCloudWatchAgent", "version": "latest"}
    assert set(configure["documentParameters"]) == {
        "action", "mode", "optionalConfigurationSource", "optionalConfigurationLocation", "optionalRestart",
    }  # fmt: skip


def test_another_configuration_makes_another_document_so_that_it_reaches_what_runs() -> None:
    before, after = (
        prepared(SLUG, name).only("AWS::SSM::Document")["Content"] for name in ("shipped", "another configuration")
    )
    assert before["mainSteps"] == after["mainSteps"] and before["description"] != after["description"]


def test_the_scripts_reach_the_document_line_by_line(default: Template) -> None:
    linux, windows = [step["inputs"]["runCommand"] for step in steps(default) if "runCommand" in step["inputs"]]
    for script, file in ((linux, "gpu-metrics.sh"), (windows, "gpu-metrics.ps1")):
        written = (DOCUMENTS / file).read_text(encoding="utf-8")
        assert "\n".join(script) + "\n" == written.replace("@STATSD_PORT@", "18125")
        assert "{{" not in "".join(script), "Systems Manager would take it for a parameter"
    assert "'@ | Set-Content -Path $script -Encoding ASCII" in windows, "a here-string ends at the beginning of a line"


def test_the_scripts_send_to_the_port_that_the_configuration_names(enterprise: Template) -> None:
    """Each system's own: tests/solutions/gpu_monitoring/agent/large.json has another than ours."""
    linux, windows = [step["inputs"]["runCommand"] for step in steps(enterprise) if "runCommand" in step["inputs"]]
    assert any("/dev/udp/127.0.0.1/8125" in line for line in linux)
    assert any("'127.0.0.1', 18125" in line for line in windows)


def test_what_the_task_runs_as_system_is_where_only_administrators_write() -> None:
    """Below ProgramData anybody may have made the folder first, and stays its owner."""
    script = (DOCUMENTS / "gpu-metrics.ps1").read_text(encoding="utf-8")
    code = [line for line in script.splitlines() if not line.startswith("#")]
    assert any("$env:ProgramFiles 'gpu-monitoring'" in line for line in code)
    assert not any("ProgramData" in line for line in code)


# Rights


def test_the_role_has_the_two_managed_policies_and_nothing_else(default: Template) -> None:
    profile = default.only("AWS::IAM::InstanceProfile")
    ((name, role),) = [
        (name, found["Properties"])
        for name, found in default.find_resources("AWS::IAM::Role").items()
        if "ManagedPolicyArns" in found["Properties"]
    ]
    assert profile["Roles"] == [{"Ref": name}]
    named = [arn["Fn::Join"][1][-1].rpartition("/")[2] for arn in role["ManagedPolicyArns"]]
    assert named == ["AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"]
    assert "Policies" not in role
    attached = json.dumps([p["Properties"]["Roles"] for p in default.find_resources("AWS::IAM::Policy").values()])
    assert name not in attached
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "ec2.amazonaws.com"}


def test_nothing_attaches_the_profile_unless_wanted(default: Template) -> None:
    assert default.statements("AttachRole") == []
    assert "ec2:AssociateIamInstanceProfile" not in json.dumps(default.to_json())


def test_the_profile_is_attached_to_tagged_instances_that_have_none_and_never_replaced(enterprise: Template) -> None:
    (attaching,) = allowed(enterprise, "AttachRole", "ec2:AssociateIamInstanceProfile")
    condition = attaching["Condition"]
    assert condition["StringEquals"] == {"aws:ResourceTag/acme:gpu": "yes"}
    assert condition["Null"] == {"ec2:InstanceProfile": "true"}
    assert "Fn::GetAtt" in condition["ArnEquals"]["ec2:NewInstanceProfile"]
    (passing,) = allowed(enterprise, "AttachRole", "iam:PassRole")
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]}
    }
    assert "Fn::GetAtt" in passing["Resource"]
    text = json.dumps(enterprise.to_json())
    assert "ReplaceIamInstanceProfile" not in text
    assert allowed(enterprise, "AttachRole", "ec2:DisassociateIamInstanceProfile") == []


def test_it_hears_of_starts_of_the_tag_and_looks_at_all_every_hour(enterprise: Template) -> None:
    patterns = [
        rule["Properties"].get("EventPattern") for rule in enterprise.find_resources("AWS::Events::Rule").values()
    ]
    assert {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Instance State-change Notification"],
        "detail": {"state": ["running"]},
    } in patterns
    assert {
        "source": ["aws.tag"],
        "detail-type": ["Tag Change on Resource"],
        "detail": {"service": ["ec2"], "resource-type": ["instance"], "changed-tag-keys": ["acme:gpu"]},
    } in patterns
    enterprise.has_resource_properties(
        "AWS::Events::Rule",
        {"ScheduleExpression": "rate(1 hour)", "Targets": [Match.object_like({"Input": '{"look_at":"all"}'})]},
    )


def test_nothing_starts_attach_any_more_when_the_profile_is_taken_off(enterprise: Template) -> None:
    (release,) = enterprise.find_resources("Custom::ProfileRelease")
    starting = [
        rule for name, rule in enterprise.find_resources("AWS::Events::Rule").items() if name.startswith("Attachment")
    ]
    assert len(starting) == 3
    assert all(release in rule["DependsOn"] for rule in starting)


def test_the_profile_is_taken_off_before_it_is_deleted_and_no_other(default: Template) -> None:
    ((_, resource),) = default.find_resources("Custom::ProfileRelease").items()
    (profile,) = default.find_resources("AWS::IAM::InstanceProfile")
    assert resource["Properties"]["ProfileArn"] == {"Fn::GetAtt": [profile, "Arn"]}
    assert any("ReleaseFunctionRoleDefaultPolicy" in name for name in resource["DependsOn"])
    (releasing,) = allowed(default, "ReleaseFunctionRole", "ec2:DisassociateIamInstanceProfile")
    assert releasing["Condition"] == {"ArnEquals": {"ec2:InstanceProfile": {"Fn::GetAtt": [profile, "Arn"]}}}


def test_the_counting_function_reads_and_publishes_to_its_namespace_only(default: Template) -> None:
    (publishing,) = allowed(default, "FleetRole", "cloudwatch:PutMetricData")
    assert publishing["Condition"] == {"StringEquals": {"cloudwatch:namespace": "gpu-monitoring"}}
    everything = {action for one in default.statements("FleetRole") for action in actions(one)}
    assert {a for a in everything if not a.startswith("logs:")} == {
        "cloudwatch:PutMetricData", "cloudwatch:GetMetricData", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes",
    }  # fmt: skip


# The dashboard


def test_the_posts_four_widgets_are_there(default: Template) -> None:
    widgets = {widget["properties"]["title"]: widget for widget in body(default)["widgets"]}
    shapes = {
        "Average GPU Core Utilization": ("gauge", 8, 7),
        "GPU Memory Utilization": ("gauge", 8, 7),
        "Average Memory Utilization": ("timeSeries", 24, 9),
        "GPU Core Utilization": ("timeSeries", 24, 10),
    }
    for title, (view, width, height) in shapes.items():
        widget = widgets[title]
        assert (widget["properties"]["view"], widget["width"], widget["height"]) == (view, width, height), title
        assert widget["properties"]["yAxis"]["left"]["max"] == 100 and widget["properties"]["period"] == 300
    assert expressions(widgets["GPU Core Utilization"]) == [
        'SELECT AVG(nvidia_smi_utilization_gpu) FROM SCHEMA("CWAgent", InstanceId) GROUP BY InstanceId'
    ]
    for title in ("GPU Memory Utilization", "Average Memory Utilization"):
        first = expressions(widgets[title])[0]
        assert first.index("nvidia_smi_memory_used") < first.index(")/AVG(") < first.index("nvidia_smi_memory_total")


def test_each_gpu_has_temperature_power_and_memory(default: Template) -> None:
    per_gpu = [
        text for widget in body(default)["widgets"] for text in expressions(widget) if "InstanceId,index" in text
    ]
    for metric, text in zip(("temperature_gpu", "power_draw", "memory_used"), per_gpu, strict=True):
        assert f'MetricName="nvidia_smi_{metric}"' in text


def test_no_widget_lies_over_another_or_beyond_the_width(default: Template) -> None:
    cells: set[tuple[int, int]] = set()
    for widget in body(default)["widgets"]:
        own = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not own & cells, widget["properties"]["title"]
        assert widget["x"] + widget["width"] <= 24
        cells |= own


def test_what_is_searched_is_what_the_configuration_aggregates_and_measures(default: Template) -> None:
    """A schema matches these dimensions and no others, so that none other would ever be found."""
    configured = json.loads(parameters(default)["linux"]["Value"])["metrics"]
    rollups = {",".join(item) for item in configured["aggregation_dimensions"]}
    texts = [text for widget in body(default)["widgets"] for text in expressions(widget)]
    searched = {part.split("}")[0] for text in texts for part in text.split("{CWAgent,")[1:]}
    assert searched == rollups
    for name in GPU:
        assert any(f"nvidia_smi_{name}" in text for text in texts), name


# Alarms


def test_up_to_three_hours_idleness_is_seen_by_metrics_insights_for_each_instance() -> None:
    for hours in (1, 3):
        template = prepared(SLUG, f"idle for {hours}")
        template.has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {
                "Metrics": [
                    {
                        "Id": Match.any_value(),
                        "Expression": 'SELECT MAX(nvidia_smi_utilization_gpu) FROM SCHEMA("CWAgent", InstanceId) '
                        "GROUP BY InstanceId ORDER BY MAX() ASC",
                        "Period": 300,
                        "Label": Match.any_value(),
                        "ReturnData": True,
                    }
                ],
                "ComparisonOperator": "LessThanThreshold",
                "Threshold": 7,
                "EvaluationPeriods": 12 * hours,
                "TreatMissingData": "notBreaching",
            },
        )
        assert 12 * hours * 300 <= 3 * 3600


def test_beyond_three_hours_it_is_a_metric_of_our_own(enterprise: Template) -> None:
    enterprise.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "LongestIdleHours",
            "Namespace": "acme-gpu-monitoring",
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 72,
        },
    )
    assert "SELECT" not in json.dumps(enterprise.find_resources("AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [
        ("FullestMemory", 90),
        ("SilentInstances", 0),
        ("UnseenGpuInstances", 0),
        ("BrokenGpuInstances", 0),
        ("Errors", 0),
    ],
)
def test_full_memory_silence_and_failures_ring(default: Template, metric: str, threshold: float) -> None:
    default.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": metric,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [Match.any_value()],
        },
    )


def test_alarms_watch_metrics_that_the_function_publishes() -> None:
    from gpu_monitoring.fleet.waste import values

    published = {value.name for value in values([])}
    assert {"FullestMemory", "SilentInstances", "UnseenGpuInstances", "LongestIdleHours"} <= published
    assert len(published) + 1 == FLEET_METRICS, "and Utilization, once somebody reports"


# What people see


def test_the_outputs_name_what_a_user_does_next(default: Template) -> None:
    outputs = default.to_json()["Outputs"]
    assert {"DashboardUrl", "OptIn", "AttachProfile", "ShowAssociation", "InstanceProfile"} <= set(outputs)


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_the_billing_units_are_those_of_the_template(variant: str) -> None:

    config = variants.configuration(variant)
    settings = config.solutions[SLUG]
    assert isinstance(settings, GpuMonitoringSettings)
    units = by_unit(idle_month(config.common, settings))
    template = Template.from_string(json.dumps(variants.template(variant, SLUG)))
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    assert units["alarm_month"] + units.get("metrics_insights_alarm_month", 0) == len(alarms)
    assert units["dashboard_month"] == len(template.find_resources("AWS::CloudWatch::Dashboard"))
    advanced = [p for p in parameters(template).values() if p["Tier"] == "Advanced"]
    assert units.get("advanced_parameter_month", 0) == len(advanced)


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    found: Any = readable(variants.template(variant, SLUG))
    assert found == snapshot(extension_class=TemplateSnapshot)
