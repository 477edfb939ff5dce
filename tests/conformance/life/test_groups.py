"""The rules of groups over every template, and that they catch what they are for."""

from typing import Any

import pytest

from tests.conformance.life.groups import findings
from tests.conformance.templates import every_template, found


@every_template
def test_groups_say_what_they_must(variant: str, slug: str) -> None:
    template = found(variant, slug)
    assert [str(found) for found in findings(template.resources, str(template))] == []


def mixed(override: dict[str, Any], **distribution: str) -> dict[str, Any]:
    return {
        "MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": [override]}, "InstancesDistribution": distribution}
    }


@pytest.mark.parametrize(
    ("group", "rules"),
    [
        ({"HealthCheckType": "ELB", "HealthCheckGracePeriod": 120, "DefaultInstanceWarmup": 600}, ["grace"]),
        ({"HealthCheckType": "ELB", "DefaultInstanceWarmup": 1}, ["grace"]),
        ({"HealthCheckType": "ELB", "HealthCheckGracePeriod": 600, "DefaultInstanceWarmup": 600}, []),
        ({"HealthCheckGracePeriod": 120, "DefaultInstanceWarmup": 600}, []),
        (mixed({"InstanceType": "m7g.large"}), ["strategy"]),
        (mixed({"InstanceType": "m7g.large"}, OnDemandAllocationStrategy="prioritized"), []),
        (mixed({"InstanceRequirements": {}}, OnDemandAllocationStrategy="prioritized"), ["strategy"]),
        (mixed({"InstanceRequirements": {}}, OnDemandAllocationStrategy="lowest-price"), []),
    ],
)
def test_what_is_missing_is_found(group: dict[str, Any], rules: list[str]) -> None:
    resources = {"Group": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": group}}
    assert [one.rule for one in findings(resources, "here")] == rules


LAUNCHING = {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "HeartbeatTimeout": 300}
LEAVING = {"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "HeartbeatTimeout": 900}


@pytest.mark.parametrize(
    ("group", "update", "rules"),
    [
        ({"DefaultInstanceWarmup": 120}, {}, ["pause"]),
        ({"DefaultInstanceWarmup": 120}, {"PauseTime": "PT2M"}, []),
        ({"DefaultInstanceWarmup": 120}, {"PauseTime": "PT1M59S"}, ["pause"]),
        ({"DefaultInstanceWarmup": 120}, {"WaitOnResourceSignals": True}, []),
        ({"LifecycleHookSpecificationList": [LAUNCHING]}, {"PauseTime": "PT0S"}, []),  # InService is waited for
        ({"LifecycleHookSpecificationList": [LEAVING]}, {}, []),
    ],
)
def test_an_update_that_does_not_wait_is_found(group: dict[str, Any], update: dict[str, Any], rules: list[str]) -> None:
    kind, policy = "AWS::AutoScaling::AutoScalingGroup", {"AutoScalingRollingUpdate": update}
    resources = {"Group": {"Type": kind, "Properties": group, "UpdatePolicy": policy}}
    assert [one.rule for one in findings(resources, "here")] == rules


@pytest.mark.parametrize(
    ("said", "rules"), [({}, ["reservations"]), ({"CapacityReservationPreference": "default"}, [])]
)
def test_a_target_of_the_launch_template_is_not_hidden_by_what_the_group_had_before(
    said: dict[str, str], rules: list[str]
) -> None:
    target = {"CapacityReservationTarget": {"CapacityReservationResourceGroupArn": "arn"}}
    group = {"LaunchTemplate": {"LaunchTemplateId": {"Ref": "Template"}}}
    resources = {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"CapacityReservationSpecification": target}},
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": group | ({"CapacityReservationSpecification": said} if said else {}),
        },
    }
    assert [one.rule for one in findings(resources, "here")] == rules
