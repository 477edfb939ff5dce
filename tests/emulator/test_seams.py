"""One test for each private name of ministack and moto: after an upgrade, a failure here says which one moved.

What the seams are used for is tested by the behaviours; these tests only look at what is behind them.
"""

import inspect
import os
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

# ministack would start its schedulers when it is imported.
os.environ.setdefault("MINISTACK_TEST_NO_AUTOSTART", "1")
seams: Any = import_module("emulator.seams")


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_pinned_versions() -> None:
    assert (version("ministack"), version("moto")) == ("1.5.33", "5.2.5")


def test_ministack_app_is_an_asgi_application() -> None:
    assert _parameters(seams._gateway.app) == ["scope", "receive", "send"]


def test_ministack_service_handlers_are_a_dict_of_coroutines() -> None:
    assert {"autoscaling", "ec2", "ssm"} <= seams._gateway.SERVICE_HANDLERS.keys()


def test_ministack_service_patterns_are_a_dict() -> None:
    assert isinstance(seams._router.SERVICE_PATTERNS["s3"], dict)


def test_ministack_reset_takes_nothing() -> None:
    assert _parameters(seams._gateway._reset_all_state) == []


def test_ministack_lambda_reset_takes_nothing() -> None:
    assert _parameters(seams._lambda_runtime.reset) == []


def test_ministack_request_scope_sets_account_and_region() -> None:
    with seams.request_scope("210987654321", "eu-central-1"):
        assert (seams.account_id(), seams.region()) == ("210987654321", "eu-central-1")


def test_ministack_resource_handlers_have_create_and_delete() -> None:
    handler = seams.resource_handlers["AWS::SQS::Queue"]
    assert _parameters(handler["create"]) == ["logical_id", "props", "stack_name"]
    assert len(_parameters(handler["delete"])) == 2


def test_ministack_update_with_logical_id_passes_five_arguments() -> None:
    handler = next(item for item in seams.resource_handlers.values() if item.get("update_with_logical_id"))
    assert len(_parameters(handler["update"])) == 5


def test_ministack_physical_name_keeps_stack_and_logical_id() -> None:
    assert seams.physical_name("stack", "Logical").startswith("stack-Logical")


@pytest.mark.parametrize("module", ["_engine", "_handlers", "_changesets"])
def test_ministack_validate_template_support_names_unknown_types(module: str) -> None:
    validate = getattr(seams, module).validate_template_support
    with pytest.raises(ValueError, match=r"Unrecognized resource types: \[AWS::No::Such\]"):
        validate({"Resources": {"A": {"Type": "AWS::No::Such"}}}, {})


def test_ministack_instance_profiles_are_kept_by_name() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        seams._iam._instance_profiles["p"] = {"Arn": "arn:aws:iam::123456789012:instance-profile/x/p"}
        assert seams.instance_profile("arn:aws:iam::123456789012:instance-profile/x/p") is not None
        assert seams.instance_profile("p") is not None
        assert seams.instance_profile("q") is None
        del seams._iam._instance_profiles["p"]


def test_ministack_request_tag_context_takes_service_action_body_parameters() -> None:
    assert _parameters(seams._iam_actions.request_tag_context) == ["service", "iam_action", "body", "params"]


def test_ministack_extract_resource_arn_takes_the_request_and_its_scope() -> None:
    names = ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"]
    assert _parameters(seams._iam_actions.extract_resource_arn) == names


def test_ministack_action_from_query_reads_parameters() -> None:
    assert seams._iam_actions._action_from_query({"Action": ["DescribeVpcs"]}, b"", "") == "DescribeVpcs"


def test_ministack_enforce_takes_the_keys_of_the_service() -> None:
    names = ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"]
    assert _parameters(seams._iam_evaluator.enforce) == names


def test_ministack_collectors_are_generators_by_service() -> None:
    assert list(seams._tagging._COLLECTORS["sqs"]()) == []
    assert "iam" in seams._tagging._RESOURCE_TAG_COLLECTORS
    assert seams.resource_tags("arn:aws:iam::123456789012:role/none") == {}


def test_ministack_metrics_are_lists_of_points_with_timestamps() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        seams._cloudwatch.record_metric("Tried", "Points", 1.0)
        assert [point["Value"] for point in seams.recorded_datapoints() if "Timestamp" in point] == [1.0]
        seams._cloudwatch.reset()


def test_ministack_keeps_datapoints_and_answers_statistics() -> None:
    with seams.request_scope("123456789012", "eu-central-1"):
        seams.record_metric("AWS/Tried", "Size", {"Name": "x"}, 2)
        seams.record_metric("AWS/Tried", "Size", {"Name": "x"}, 4)
        assert seams.metric_statistic("AWS/Tried", "Size", {"Name": "x"}, "Average", since=0) == 3
        assert seams.metric_statistic("AWS/Tried", "Size", {"Name": "y"}, "Average", since=0) is None
        seams.evaluate_alarms()
        seams._cloudwatch._metrics.clear()


def test_ministack_queues_count_their_messages() -> None:
    assert seams.queue_scopes() == set()
    assert _parameters(seams._sqs._refresh_counts) == ["q"]
    with seams.request_scope("123456789012", "eu-central-1"):
        assert list(seams.queue_counts()) == []


def test_ministack_dispatch_alarm_actions_takes_the_change() -> None:
    names = ["alarm", "old_state", "new_state", "reason"]
    assert _parameters(seams._cloudwatch._dispatch_alarm_actions) == names


def test_ministack_dispatch_event_takes_an_event() -> None:
    assert _parameters(seams._eventbridge._dispatch_event)[0] == "event"


def test_ministack_public_parameters_are_a_dict_by_name() -> None:
    assert any(name.startswith("/aws/service/ami-amazon-linux-latest/") for name in seams._ssm._PUBLIC_AMI_PARAMETERS)


def test_botocore_reads_cbor() -> None:
    assert seams.read_cbor(b"\xa1\x69Namespace\x64Ours") == {"Namespace": "Ours"}
    assert seams.read_cbor(b"Action=PutMetricData&Namespace=Ours") == {}
    assert seams.read_cbor(b"") == {}


def test_moto_mock_aws_takes_our_configuration() -> None:
    assert _parameters(seams.mock_aws)[:1] == ["func"]


def test_moto_application_answers() -> None:
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/ec2/aws4_request", "host": "x"}
    status, _, body = seams._call_moto("POST", "/", headers, b"Action=DescribeRegions", {})
    assert (status, b"eu-central-1" in body) == (200, True)


def test_moto_reset_takes_nothing() -> None:
    assert _parameters(seams._moto_api.reset) == []


def test_moto_images_of_a_region() -> None:
    with seams.request_scope("123456789012", "eu-central-1"):
        name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
        assert seams.image_architecture(seams._images.get(name)) == "arm64"
        assert seams.image_architecture("ami-1") is None


def test_moto_instance_types_say_what_requirements_ask() -> None:
    item = seams.instance_type_catalogue()["c7g.large"]
    assert (item["VCpuInfo"]["DefaultVCpus"], item["MemoryInfo"]["SizeInMiB"]) == (2, 4096)
    assert item["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"]
    assert (item["BareMetal"], item["BurstablePerformanceSupported"], item["CurrentGeneration"]) == (False, False, True)


def test_moto_backends_have_groups_policies_and_hooks() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        backend = seams.groups()
        assert (backend.autoscaling_groups, backend.policies, backend.lifecycle_hooks) == ({}, {}, {})
        assert backend.describe_lifecycle_hooks("none") == []
        assert dict(seams.ec2_tags()) is not None


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (seams.AutoScalingResponse, "put_scaling_policy"),
        (seams.AutoScalingResponse, "create_auto_scaling_group"),
        (seams.AutoScalingResponse, "update_auto_scaling_group"),
        (seams.EC2Response, "run_instances"),
        (seams.AutoScalingResponse, "_get_params"),
        (seams.AutoScalingBackend, "describe_auto_scaling_instances"),
        (seams.EC2Response, "_get_param"),
        (seams.EC2Response, "_get_params"),
        (seams.EC2Response, "create_tags"),
        (seams.EC2Response, "delete_tags"),
        (seams.FakeAutoScalingGroup, "set_desired_capacity"),
        (seams.FakeAutoScalingGroup, "replace_autoscaling_group_instances"),
        (seams.FakeAutoScalingGroup, "update"),
        (seams.Instance, "start"),
        (seams.Instance, "stop"),
        (seams.Instance, "terminate"),
        (seams.InstanceBackend, "run_instances"),
        (seams._moto_profiles, "filter_iam_instance_profiles"),
        (seams._moto_instances, "filter_iam_instance_profiles"),
    ],
)
def test_moto_has_what_is_replaced(owner: Any, name: str) -> None:
    assert callable(getattr(owner, name))


def test_moto_still_lacks_what_is_added() -> None:
    # Its source, because a test of this process may have added ours to its classes.
    folder = Path(inspect.getfile(seams.EC2Response)).parent
    sources = [*folder.glob("*.py"), Path(inspect.getfile(seams.AutoScalingResponse))]
    source = "".join(path.read_text() for path in sources)
    for name in (
        "complete_lifecycle_action",
        "record_lifecycle_action_heartbeat",
        "get_instance_types_from_instance_requirements",
        "get_spot_placement_scores",
    ):
        assert f"def {name}(" not in source, f"moto has {name} now: ours may go"


def test_moto_members_have_a_state() -> None:
    names = ["instance", "lifecycle_state", "health_status", "protected_from_scale_in", "autoscaling_group"]
    assert _parameters(seams.InstanceState) == names


def test_moto_errors_take_a_code_and_a_message() -> None:
    error = seams.client_error("ValidationError", "No")
    assert (error.code, error.message) == ("ValidationError", "No")


def test_moto_results_carry_what_is_answered() -> None:
    assert seams.ActionResult({"A": 1}).result == {"A": 1}
    assert seams.EmptyResult() is not None


# For EC2 Instance Connect Endpoints


def test_moto_ec2_backends_take_attributes() -> None:
    with seams.request_scope("210987654321", "eu-central-1"):
        seams.kept_in_ec2("tried")["a"] = 1
        assert seams.kept_in_ec2("tried") == {"a": 1}


def test_moto_tags_by_the_prefix_of_an_id() -> None:
    assert seams._moto_prefixes["subnet"] == "subnet"


def test_ministack_invokes_a_target_with_a_view_of_the_event() -> None:
    assert _parameters(seams._eventbridge._invoke_target) == ["target", "event", "rule", "view"]
    assert _parameters(seams._eventbridge._pattern_event_view) == ["event"]


def test_ministack_logs_take_a_stream_and_events() -> None:
    assert _parameters(seams._cloudwatch_logs._create_log_stream) == ["data"]
    assert _parameters(seams._cloudwatch_logs._put_log_events) == ["data"]
    assert _parameters(seams._cloudwatch_logs._collect_query_records)[0] == "group_names"


def test_ministack_simulates_with_the_parameters_of_the_request() -> None:
    assert _parameters(seams._iam._extract_simulate_params) == ["p"]
    assert _parameters(seams._iam._build_simulate_results_real)[-1] == "policies"
    assert _parameters(seams._iam_evaluator.evaluate)[0] == "ctx"
    assert "service_context" in _parameters(seams._iam_evaluator.EvalContext)


def test_ministack_resolves_the_images_of_windows() -> None:
    name = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
    assert seams._PublicImages().get(name).startswith("ami-")


# --- capacity reservations and resource groups ------------------------------------------------------------------------


def test_moto_still_lacks_capacity_reservations_and_drops_what_groups_say_of_them() -> None:
    assert not hasattr(seams.EC2Response, "create_capacity_reservation"), "moto has them now: ours may go"
    source = inspect.getsource(seams.FakeAutoScalingGroup)
    assert [name for name in seams.GROUP_SETTINGS if name in source] == []


def test_resource_groups_are_made_and_have_members() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        arn = seams.resource_groups("create_group", Name="seam")["Group"]["GroupArn"]
        member = "arn:aws:ec2:us-east-1:123456789012:capacity-reservation/cr-1"
        seams.resource_groups("group_resources", Group="seam", ResourceArns=[member])
        assert seams.group_members(arn) == [member]
        seams.resource_groups("ungroup_resources", Group="seam", ResourceArns=[member])
        assert seams.group_members(arn) == []
        seams.resource_groups("delete_group", GroupName="seam")
        assert seams.group_members(arn) == []
        with pytest.raises(seams.AutoscalingClientError, match="seam"):
            seams.resource_groups("get_group", GroupName="seam")


def test_trust_policies_are_judged_with_a_context_of_service_keys() -> None:
    assert _parameters(seams._iam_evaluator.evaluate_trust_policy)[:3] == ["trust_doc", "caller_arn", "ctx"]
    fields = inspect.signature(seams._iam_evaluator.EvalContext).parameters
    assert {"service_context", "principal_account"} <= set(fields)


def test_ministack_organizations_answers_and_refuses() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        assert seams.organizations("DescribeOrganization")["Organization"]["MasterAccountId"] == "123456789012"
        with pytest.raises(ClientError, match="PolicyNotFoundException"):
            seams.organizations("DescribePolicy", PolicyId="p-12345678")


def test_ministack_iam_engine_judges_policies() -> None:
    document = {
        "Statement": [
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Null": {"ec2:Subnet": "true"}}}
        ]
    }
    judged = [
        seams.denies([document], "s3:GetObject", "arn:aws:iam::1:role/a", "*", keys)
        for keys in ({}, {"ec2:Subnet": "a"})
    ]
    assert judged == [True, False]


def test_moto_has_the_volumes_that_a_replacement_moves() -> None:
    for name in ("create_volume", "attach_volume", "detach_volume", "get_volume", "get_snapshot"):
        assert callable(getattr(seams.EBSBackend, name))
    assert not hasattr(seams.EC2Response, "create_replace_root_volume_task") or seams.volumes, "ours replaces moto's"


def test_ministack_tells_of_every_status_of_an_execution() -> None:
    assert _parameters(seams._stepfunctions._emit_execution_status_event) == ["execution"]


def test_moto_keeps_associations_of_profiles_platforms_and_launch_times() -> None:
    backend = seams.ec2_backends["123456789012"]["us-east-1"]
    assert isinstance(backend.iam_instance_profile_associations, dict)
    assert callable(backend.all_instances) and callable(seams.ec2_backends.iter_backends)
    source = inspect.getsource(seams.Instance.__init__)
    assert "self.platform = " in source and "self.launch_time = " in source


def test_images_of_windows_are_known_once_they_were_named() -> None:
    name = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"
    assert seams.is_windows_image(seams._images.get(name))
    assert not seams.is_windows_image("ami-12345678") and not seams.is_windows_image(None)


def test_ministack_looks_for_handlers_where_ours_are_put() -> None:
    assert seams.handler_of("no-such-service") is None
    assert seams.handler_of("sqs") is seams.ministack_handler("sqs")


def test_ministack_delivers_to_a_target_by_its_arn() -> None:
    assert list(inspect.signature(seams._eventbridge._invoke_target).parameters)[:2] == ["target", "event"]


def test_ministack_deletes_what_was_replaced_by_a_function_and_its_arguments() -> None:
    assert _parameters(seams.delete_predecessor) == ["delete_fn", "args", "kwargs"]


def test_ministack_knows_rest_services_by_their_namespace_and_their_model() -> None:
    assert seams._iam_actions.SERVICE_TO_IAM_NAMESPACE["airflow"] == "airflow"
    assert isinstance(seams._iam_actions._BOTOCORE_SERVICE_MAP["airflow"], list)


def test_ministack_reads_and_writes_parameters() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        seams.write_parameter("/seams/tried", "one", "text")
        seams.write_parameter("/seams/tried", "two", "text")
        assert (seams.parameter_value("/seams/tried"), seams.parameter_value("/seams/none")) == ("two", None)
        seams._ssm._delete_parameter({"Name": "/seams/tried"})


def test_ministack_publishes_within() -> None:
    assert _parameters(seams._sns.publish_internal)[:2] == ["topic_arn", "message"]


def test_ministack_gathers_the_policies_of_a_role_of_which_an_unknown_one_has_none() -> None:
    with seams.request_scope("123456789012", "us-east-1"):
        assert not seams.role_may("arn:aws:iam::123456789012:role/none", "ssm:PutParameter", "*")
