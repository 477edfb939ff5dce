"""What the post on Credential Guard promises, and what the issue adds, read off the templates."""

import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.credential_guard.commands import idle_month
from stacks.credential_guard.script import lines
from stacks.credential_guard.settings import CredentialGuardSettings
from tests import variants
from tests.prepared import prepared
from tests.snapshots import TemplateSnapshot, readable
from tests.solutions.credential_guard.powershell import undeclared
from tests.template import Match, Template
from tests.variants import Json

SLUG = "credential_guard"
TESTED = (variants.DEFAULT, "enterprise", "second", "china")
every_variant = pytest.mark.parametrize("variant", TESTED)


def of(variant: str) -> Template:
    return Template.from_string(json.dumps(variants.template(variant, SLUG)))


def properties(template: Template, kind: str) -> dict[str, Json]:
    return {name: resource["Properties"] for name, resource in template.find_resources(kind).items()}


def only(template: Template, kind: str) -> Json:
    (found,) = properties(template, kind).values()
    return found


def associations(template: Template) -> dict[str, Json]:
    return {
        found["AssociationName"].rpartition("-")[2]: found
        for found in properties(template, "AWS::SSM::Association").values()
    }


def steps(template: Template) -> dict[str, Json]:
    documents = properties(template, "AWS::SSM::Document").values()
    return {step["name"]: step for document in documents for step in document["Content"]["mainSteps"]}


# The instance


def test_the_image_is_looked_up_at_the_launch_so_that_a_newer_one_replaces_nothing() -> None:
    template = of(variants.DEFAULT)
    data = only(template, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    parameter = "/aws/service/ami-windows-latest/TPM-Windows_Server-2022-English-Full-Base"
    assert data["ImageId"] == f"resolve:ssm:{parameter}"
    assert "ImageId" not in only(template, "AWS::EC2::Instance")
    assert parameter not in json.dumps(template.to_json().get("Parameters", {}))


def test_the_instance_has_tokens_an_encrypted_root_no_key_pair_and_the_hosts_tag() -> None:
    template = of(variants.DEFAULT)
    data = only(template, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    (disk,) = data["BlockDeviceMappings"]
    assert disk["DeviceName"] == "/dev/sda1" and disk["Ebs"]["Encrypted"] is True and disk["Ebs"]["VolumeSize"] >= 30
    instance = only(template, "AWS::EC2::Instance")
    assert "KeyName" not in data and "KeyName" not in instance
    assert {"Key": "credential-guard", "Value": "enabled"} in instance["Tags"]


def test_another_type_stops_and_starts_it_and_everything_that_replaces_it_is_guarded() -> None:
    before, after = prepared(SLUG, "shipped"), prepared(SLUG, "another type")
    assert properties(before, "AWS::EC2::LaunchTemplate") == properties(after, "AWS::EC2::LaunchTemplate")
    guards = list(properties(before, "Custom::Guard").values())
    (guard,) = (each for each in guards if "SubnetId" in each["Guarded"])
    assert set(guard["Guarded"]) == {"LaunchTemplateVersion", "SubnetId"} and guard["Accepted"] is False
    instance = only(before, "AWS::EC2::Instance")
    assert guard["Guarded"]["SubnetId"] == instance["SubnetId"]
    assert guard["Guarded"]["LaunchTemplateVersion"] == instance["LaunchTemplate"]["Version"]


def test_a_change_of_the_template_is_stopped_before_it_gets_another_version() -> None:
    """What is rolled back gets another version, too, and the next deployment would make another instance of it."""
    template = prepared(SLUG, "shipped")
    (launch,) = template.find_resources("AWS::EC2::LaunchTemplate").values()
    (guard,) = (each for each in launch["DependsOn"] if "TemplateGuard" in each)
    guarded = properties(template, "Custom::Guard")[guard]["Guarded"]
    assert guarded["Key"] == "of AWS" and "windows" in guarded["Image"].lower()
    other = properties(prepared(SLUG, "another server"), "Custom::Guard")[guard]["Guarded"]
    assert other["Image"] != guarded["Image"]


@every_variant
def test_the_one_managed_policy_is_that_of_the_ssm_agent(variant: str) -> None:
    roles = properties(of(variant), "AWS::IAM::Role").values()
    policies = [json.dumps(arn) for role in roles for arn in role.get("ManagedPolicyArns", [])]
    assert all("AmazonSSMManagedInstanceCore" in arn for arn in policies)
    assert len(policies) == (0 if variant == "china" else 1)


def test_no_instance_is_launched_where_only_ones_own_are_wanted() -> None:
    template = of("china")
    assert not template.find_resources("AWS::EC2::Instance") and not template.find_resources("AWS::EC2::VPC")
    assert set(associations(template)) == {"apply", "audit"}


# Remote Desktop


def rdp_rules(template: Template) -> list[Json]:
    rules = [
        rule
        for group in properties(template, "AWS::EC2::SecurityGroup").values()
        for rule in group.get("SecurityGroupIngress", [])
    ]
    rules += properties(template, "AWS::EC2::SecurityGroupIngress").values()
    return [rule for rule in rules if rule.get("FromPort", 0) <= 3389 <= rule.get("ToPort", 65535)]


@pytest.mark.parametrize("variant", [variants.DEFAULT, "enterprise", "china"])
def test_with_session_manager_no_port_is_open_to_anybody(variant: str) -> None:
    assert rdp_rules(of(variant)) == []


def test_with_the_endpoint_its_group_alone_comes_in_and_it_leads_nowhere_else() -> None:
    template = of("second")
    (rule,) = rdp_rules(template)
    (group,) = only(template, "AWS::EC2::InstanceConnectEndpoint")["SecurityGroupIds"]
    assert rule["SourceSecurityGroupId"] == group and (rule["FromPort"], rule["ToPort"]) == (3389, 3389)
    egress = [one for one in properties(template, "AWS::EC2::SecurityGroupEgress").values() if one["GroupId"] == group]
    assert [one["DestinationSecurityGroupId"] for one in egress] == [rule["GroupId"]]
    own = template.find_resources("AWS::EC2::SecurityGroup")[group["Fn::GetAtt"][0]]["Properties"]
    assert own["SecurityGroupEgress"][0]["CidrIp"] == "255.255.255.255/32"


@pytest.mark.parametrize(
    ("variant", "words"),
    [(variants.DEFAULT, "AWS-StartPortForwardingSession"), ("second", "ec2-instance-connect open-tunnel")],
)
def test_the_output_rdp_opens_the_tunnel(variant: str, words: str) -> None:
    assert words in json.dumps(of(variant).to_json()["Outputs"]["Rdp"])


# Apply and audit


@every_variant
def test_two_associations_find_the_hosts_by_the_tag_and_wait_for_none(variant: str) -> None:
    found = associations(of(variant))
    key, value = ("acme:credential-guard", "yes") if variant == "enterprise" else ("credential-guard", "enabled")
    for association in found.values():
        assert association["Targets"] == [{"Key": f"tag:{key}", "Values": [value]}]
        assert association["SyncCompliance"] == "AUTO"
        assert "WaitForSuccessTimeoutSeconds" not in association and "InstanceId" not in association
    assert found["apply"]["Name"] != found["audit"]["Name"]


@every_variant
def test_one_host_at_a_time_is_changed_and_none_after_a_failure(variant: str) -> None:
    found = associations(of(variant))
    assert (found["apply"]["MaxConcurrency"], found["apply"]["MaxErrors"]) == ("1", "0")
    assert found["audit"]["MaxErrors"] == "100%", "a host that fails its audit must not hide the others"


def test_a_window_begins_the_apply_and_nothing_before_it() -> None:
    found = associations(of("enterprise"))
    assert found["apply"]["ScheduleExpression"] == "cron(30 22 ? * SAT *)"
    assert found["apply"]["ApplyOnlyAtCronInterval"] is True and found["apply"]["CalendarNames"] == ["maintenance"]
    assert found["audit"]["ScheduleExpression"] == "rate(1 hour)"
    default = associations(of(variants.DEFAULT))
    assert "ApplyOnlyAtCronInterval" not in default["apply"], "State Manager refuses it with a rate"
    assert [default[name]["ScheduleExpression"] for name in ("apply", "audit")] == ["rate(1 day)", "rate(6 hours)"]


@every_variant
def test_the_documents_run_the_scripts_themselves_on_windows_only_line_by_line(variant: str) -> None:
    """aws:runDocument would lose the reboot; 5 to 172,800 seconds, others become an hour in silence."""
    settings = variants.configuration(variant).solutions[SLUG]
    assert isinstance(settings, CredentialGuardSettings)
    found = steps(of(variant))
    assert set(found) == {"Apply", "Audit"}
    for name, step in found.items():
        assert step["action"] == "aws:runPowerShellScript"
        assert step["precondition"] == {"StringEquals": ["platformType", "Windows"]}
        assert 5 <= int(step["inputs"]["timeoutSeconds"]) <= 172_800
        assert step["inputs"]["runCommand"] == lines(name.lower(), settings)  # type: ignore[arg-type]


@every_variant
def test_a_document_has_no_parameter_and_nothing_that_looks_like_one(variant: str) -> None:
    for document in properties(of(variant), "AWS::SSM::Document").values():
        assert "parameters" not in document["Content"] and "Name" not in document
        assert undeclared(json.dumps(document["Content"])) == []
        assert len(json.dumps(document["Content"])) < 64 * 1024


def test_what_the_settings_say_is_in_the_tables_that_hosts_carry() -> None:
    text = "\n".join(steps(of("enterprise"))["Apply"]["inputs"]["runCommand"])
    tables = json.loads(text.split("@'\n", 1)[1].split("\n'@", 1)[0])
    data = {row["name"]: row["data"] for row in tables["values"]}
    assert (data["LsaCfgFlags"], data["RequirePlatformSecurityFeatures"]) == (1, 3)
    assert tables["mode"] == "window" and tables["window"] == {"day": "SAT", "start": 1350, "minutes": 360}


# Alarms


@pytest.mark.parametrize("metric", ["NotRunningHosts", "SilentHosts", "Errors"])
def test_hosts_that_do_not_run_it_and_hosts_that_are_silent_ring(metric: str) -> None:
    of(variants.DEFAULT).has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": metric,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "AlarmActions": [Match.any_value()],
        },
    )


def test_alarms_watch_metrics_that_the_function_publishes_as_often_as_it_runs() -> None:
    from credential_guard.watch.fleet import values

    template = of(variants.DEFAULT)
    published = {name for name, _ in values([])}
    alarms = [
        one
        for one in properties(template, "AWS::CloudWatch::Alarm").values()
        if one.get("Namespace") == "credential-guard"
    ]
    assert {one["MetricName"] for one in alarms} == {"NotRunningHosts", "SilentHosts"} <= published
    rule = only(template, "AWS::Events::Rule")
    assert {one["Period"] for one in alarms} == {900} and rule["ScheduleExpression"] == "rate(15 minutes)"


@pytest.mark.parametrize(("variant", "hours"), [(variants.DEFAULT, "12"), ("enterprise", "2")])
def test_twice_the_schedule_without_an_audit_is_silence(variant: str, hours: str) -> None:
    (function,) = [
        one
        for one in properties(of(variant), "AWS::Lambda::Function").values()
        if "SILENT_HOURS" in one.get("Environment", {}).get("Variables", {})
    ]
    assert function["Environment"]["Variables"]["SILENT_HOURS"] == hours


# What people see


def test_the_outputs_name_what_a_user_does_next() -> None:
    outputs = of(variants.DEFAULT).to_json()["Outputs"]
    assert {"InstanceId", "Rdp", "JoinHost", "ApplyNow", "AuditNow", "WatchFunction"} <= set(outputs)


@every_variant
def test_the_billing_units_are_those_of_the_template(variant: str) -> None:
    config = variants.configuration(variant)
    settings = config.solutions[SLUG]
    assert isinstance(settings, CredentialGuardSettings)
    units = {unit.unit: unit.quantity for unit in idle_month(config.common, settings)}
    template = of(variant)
    assert units["alarm_month"] == len(template.find_resources("AWS::CloudWatch::Alarm"))
    instances = template.find_resources("AWS::EC2::Instance")
    assert sum(unit.startswith("on_demand_hour_windows_") for unit in units) == len(instances)
    interfaces = [
        one
        for one in properties(template, "AWS::EC2::VPCEndpoint").values()
        if one.get("VpcEndpointType") == "Interface"
    ]
    assert units.get("interface_endpoint_hour", 0) == 730 * len(interfaces)


@pytest.mark.parametrize("variant", [variants.DEFAULT, "second"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    found: Any = readable(variants.template(variant, SLUG))
    assert found == snapshot(extension_class=TemplateSnapshot)
