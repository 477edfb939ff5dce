"""What the post promises, and what the issue adds, read off the templates."""

import json
from copy import deepcopy
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from stacks.game_streaming.contract import DATA_DEVICE, READY, ROOT_DEVICE
from tests import variants
from tests.prepared import prepared
from tests.snapshots import TemplateSnapshot, readable
from tests.template import Match, Template, actions, allowed, every_action, synthesized

SLUG = "game_streaming"


@pytest.mark.parametrize("variant", ["default", "enterprise", "account", "second"])
def test_template(variant: str, snapshot: SnapshotAssertion) -> None:
    assert readable(variants.template(variant, SLUG)) == snapshot(extension_class=TemplateSnapshot)


def launched(template: Template) -> dict[str, Any]:
    return dict(template.only("AWS::EC2::LaunchTemplate")["LaunchTemplateData"])


def players(template: Template) -> list[tuple[str, str, int, int]]:
    (group,) = [
        one["Properties"]
        for name, one in template.find_resources("AWS::EC2::SecurityGroup").items()
        if "Players" in name
    ]
    return [
        (rule["CidrIp"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        for rule in group.get("SecurityGroupIngress", [])
    ]


def test_the_instance_is_g5g_on_ubuntu_for_arm(default: Template) -> None:
    assert default.only("AWS::EC2::Instance")["InstanceType"] == "g5g.2xlarge"
    (image,) = [
        one["Default"] for one in default.to_json()["Parameters"].values() if "canonical" in str(one.get("Default"))
    ]
    assert image == "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"


def test_tokens_are_required_and_a_containers_hop_is_too_far(default: Template) -> None:
    assert launched(default)["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpPutResponseHopLimit": 1,
        "HttpTokens": "required",
    }


def test_root_and_data_are_encrypted_gp3(default: Template) -> None:
    found = {one["DeviceName"]: one["Ebs"] for one in launched(default)["BlockDeviceMappings"]}
    assert {name: (ebs["VolumeSize"], ebs["VolumeType"], ebs["Encrypted"]) for name, ebs in found.items()} == {
        ROOT_DEVICE: (50, "gp3", True),
        DATA_DEVICE: (100, "gp3", True),
    }


def test_nobody_comes_in_unless_a_range_is_named(default: Template, enterprise: Template) -> None:
    assert players(default) == []
    assert players(enterprise) == [
        (cidr, *rest)
        for cidr in ("10.0.0.0/8", "192.0.2.0/24")
        for rest in (("tcp", 443, 443), ("udp", 5349, 5349), ("udp", 60000, 60100))
    ]
    default.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_the_address_is_there_before_the_instance_and_needs_none(default: Template) -> None:
    """A waiting association would never come: aws/aws-cdk has no guard against this circle."""
    (association,) = default.find_resources("AWS::EC2::EIPAssociation").values()
    assert set(association["Properties"]) == {"AllocationId", "NetworkInterfaceId"}
    (instance,) = default.find_resources("AWS::EC2::Instance").values()
    assert set(default.find_resources("AWS::EC2::EIPAssociation")) <= set(instance["DependsOn"])
    interface = {"Ref": next(iter(default.find_resources("AWS::EC2::NetworkInterface")))}
    assert instance["Properties"]["NetworkInterfaces"] == [{"DeviceIndex": "0", "NetworkInterfaceId": interface}]


def test_without_the_instance_the_address_stays(default: Template) -> None:
    without = synthesized(SLUG, "second")
    for kind in ("AWS::EC2::NetworkInterface", "AWS::EC2::EIP", "AWS::EC2::EIPAssociation", "AWS::EC2::Subnet"):
        assert set(without.find_resources(kind)) == set(default.find_resources(kind))
    for kind in ("AWS::EC2::Instance", "AWS::EC2::LaunchTemplate", "AWS::CloudFormation::WaitCondition"):
        without.resource_count_is(kind, 0)


def test_a_newer_image_or_script_neither_replaces_nor_restarts(default: Template) -> None:
    template = default.only("AWS::EC2::Instance")["LaunchTemplate"]
    assert template["Version"] == "1"
    assert "ImageId" not in default.only("AWS::EC2::Instance") and "UserData" not in default.only("AWS::EC2::Instance")


def test_cloudformation_waits_for_the_end_of_the_installation(default: Template) -> None:
    (name,) = default.find_resources("AWS::CloudFormation::WaitCondition")
    assert name == READY
    default.has_resource(
        "AWS::CloudFormation::WaitCondition",
        {"CreationPolicy": {"ResourceSignal": {"Count": 1, "Timeout": "PT90M"}}, "DependsOn": Match.any_value()},
    )
    (signalling,) = allowed(default, "HostRole", "cloudformation:SignalResource")
    assert signalling["Resource"] == {"Ref": "AWS::StackId"}


def test_what_the_initialization_takes_is_guarded(default: Template) -> None:
    guarded = default.only("Custom::Guard")["Guarded"]
    assert set(guarded) == {"Subnet", "image", "root_gib", "data_gib", "domain", "channel", "oidc"}


def test_no_secret_and_nothing_of_2023_is_in_the_template(default: Template) -> None:
    text = json.dumps(default.to_json())
    for gone in ("apt-key", "channel=5.0", "8002", "token: C1"):
        assert gone not in text
    (reading,) = allowed(default, "HostRole", "secretsmanager:GetSecretValue")
    assert ":secret:ubuntu-pro-token-??????" in json.dumps(reading["Resource"])
    (named,) = allowed(synthesized(SLUG, "account"), "HostRole", "secretsmanager:GetSecretValue")
    assert named["Resource"] == "arn:aws:secretsmanager:us-east-1:123456789012:secret:pro-AbCdEf"


def test_the_instance_writes_its_two_secrets_and_reads_packages_alone(default: Template, enterprise: Template) -> None:
    for template, secrets in ((default, 2), (enterprise, 2)):
        (writing,) = allowed(template, "HostRole", "secretsmanager:PutSecretValue")
        resources = writing["Resource"] if isinstance(writing["Resource"], list) else [writing["Resource"]]
        assert len(resources) == secrets
        template.resource_count_is("AWS::SecretsManager::Secret", secrets)
    buckets = [
        one for one in default.statements("HostRole") if [name for name in actions(one) if name.startswith("s3:")]
    ]
    assert {name for one in buckets for name in actions(one)} == {"s3:GetObject"}


def test_session_manager_instead_of_ssh(default: Template) -> None:
    assert "KeyName" not in launched(default)
    assert allowed(default, "HostRole", "ssmmessages:OpenControlChannel")


@pytest.mark.parametrize(
    ("variant", "documents"),
    [("default", 5), ("enterprise", 5), ("account", 2)],
)
def test_documents_take_what_their_patterns_admit(variant: str, documents: int) -> None:
    template = synthesized(SLUG, variant)
    template.resource_count_is("AWS::SSM::Document", documents)
    for one in template.find_resources("AWS::SSM::Document").values():
        content = one["Properties"]["Content"]
        assert content["schemaVersion"] == "2.2" and one["Properties"]["UpdateMethod"] == "NewVersion"
        assert all(each["allowedPattern"].startswith("^") for each in content.get("parameters", {}).values())
        script = json.dumps(content["mainSteps"])
        assert {f"{{{{ {name} }}}}" for name in content.get("parameters", {})} == {
            f"{{{{ {part.split(' }}')[0]} }}}}" for part in script.split("{{ ")[1:]
        }


def test_with_a_provider_there_is_no_registration(enterprise: Template) -> None:
    assert not enterprise.find_outputs("RegisterDocument") and enterprise.find_outputs("UserDocument")


def test_the_schedules_stop_and_start_this_instance_alone(enterprise: Template) -> None:
    found = enterprise.find_resources("AWS::Scheduler::Schedule")
    targets = {json.dumps(one["Properties"]["Target"]["Arn"]) for one in found.values()}
    assert len(found) == 2
    assert all("scheduler:::aws-sdk:ec2:" in target for target in targets)
    for one in found.values():
        inputs = one["Properties"]["Target"]["Input"]["Fn::Join"][1]
        assert inputs[0] == '{"InstanceIds":["' and inputs[-1] == '"]}'
        assert one["Properties"]["ScheduleExpressionTimezone"] == "Europe/Berlin"
    (starting,) = allowed(enterprise, "CostGuardsSchedulerRole", "ec2:StartInstances")
    assert set(actions(starting)) == {"ec2:StartInstances", "ec2:StopInstances"}
    assert "instance/" in json.dumps(starting["Resource"]) and "*" not in json.dumps(starting["Resource"])


def test_a_schedule_lets_ec2_use_the_volumes_key(default: Template, enterprise: Template) -> None:
    """Without the grant an instance stops as soon as it starts, and StartInstances has succeeded."""
    (granting,) = allowed(enterprise, "CostGuardsSchedulerRole", "kms:CreateGrant")
    assert granting["Resource"] == allowed(enterprise, "CostGuardsSchedulerRole", "kms:Decrypt")[0]["Resource"]
    assert granting["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert not allowed(synthesized(SLUG, "account"), "CostGuardsSchedulerRole", "kms:CreateGrant")


def alarm(template: Template, name: str) -> dict[str, Any]:
    (found,) = [
        one["Properties"] for key, one in template.find_resources("AWS::CloudWatch::Alarm").items() if name in key
    ]
    return dict(found)


def test_silence_of_idle_and_a_schedule_that_gives_up_ring(default: Template, enterprise: Template) -> None:
    silent = alarm(default, "IdleSilent")
    assert (silent["EvaluationPeriods"], silent["Threshold"], silent["TreatMissingData"]) == (6, 1, "ignore")
    assert silent["ComparisonOperator"] == "LessThanThreshold"
    (runs,) = [one["MetricStat"] for one in silent["Metrics"] if "MetricStat" in one]
    (function,) = runs["Metric"]["Dimensions"]
    assert runs["Metric"]["MetricName"] == "Invocations" and runs["Period"] == 300
    assert function["Name"] == "FunctionName" and "Idle" in function["Value"]["Ref"]
    missed = alarm(enterprise, "Missed")
    assert (missed["MetricName"], missed["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)


def test_idle_may_ask_this_instance_to_look_and_stops_nothing_itself(default: Template) -> None:
    (asking,) = allowed(default, "IdleRole", "ssm:SendCommand")
    resources = json.dumps(asking["Resource"])
    (document,) = [name for name in default.find_resources("AWS::SSM::Document") if "Idle" in name]
    assert len(asking["Resource"]) == 2 and f'"Ref": "{document}"' in resources and "*" not in resources
    assert not allowed(default, "IdleRole", "ec2:StopInstances")
    assert launched(default)["InstanceInitiatedShutdownBehavior"] == "stop"
    assert not synthesized(SLUG, "account").find_outputs("IdleFunction")


def test_an_instance_that_is_asked_and_runs_rings(default: Template) -> None:
    found = alarm(default, "NotStopping")
    assert (found["MetricName"], found["EvaluationPeriods"], found["Period"]) == ("AskedToStop", 4, 300)


def test_games_that_cannot_be_read_ring_and_stop_nothing(default: Template) -> None:
    found = alarm(default, "UnreadableGames")
    assert (found["MetricName"], found["EvaluationPeriods"], found["Threshold"]) == ("UnreadableGames", 3, 0)


def test_other_players_change_the_group_in_place_and_nothing_else() -> None:
    before, after = (deepcopy(prepared(SLUG, name).to_json()["Resources"]) for name in ("nobody", "players"))
    changed = [name for name in before if before[name] != after.get(name)]
    assert set(before) == set(after) and [before[name]["Type"] for name in changed] == ["AWS::EC2::SecurityGroup"]
    for each in (before, after):
        each[changed[0]]["Properties"].pop("SecurityGroupIngress", None)
    assert before == after


def test_each_client_has_a_secret_of_its_own(enterprise: Template) -> None:
    (writing,) = allowed(enterprise, "HostRole", "secretsmanager:PutSecretValue")
    secrets = set(enterprise.find_resources("AWS::SecretsManager::Secret"))
    assert {one["Ref"] for one in writing["Resource"]} == secrets
    (token,) = [
        json.dumps(one["Properties"]["Content"]["mainSteps"])
        for name, one in enterprise.find_resources("AWS::SSM::Document").items()
        if "Token" in name
    ]
    for client in ("portal", "kiosk-2"):
        (secret,) = [name for name in secrets if client.replace("-", "") in name]
        assert f"{client}=" in token and f'"Ref": "{secret}"' in token


def test_the_marketplaces_image_is_taken_by_its_parameter() -> None:
    parameters = synthesized(SLUG, "account").to_json()["Parameters"].values()
    assert "/aws/service/marketplace/prod-abcdefgh12345/1.30" in [one.get("Default") for one in parameters]


def test_a_provider_of_identities_without_clients_needs_no_secret() -> None:
    found = prepared(SLUG, "no clients")
    assert "secretsmanager:PutSecretValue" not in every_action(found)
    found.resource_count_is("AWS::SecretsManager::Secret", 0)
