"""Every private name of ministack and moto that this package touches, and what each is for.

ministack has no plugin API and moto's models are not an interface, so both are pinned exactly. What is imported or
replaced here is tested one by one in ``tests/emulator/test_seams.py``: an upgrade that breaks a seam says which.
"""

import asyncio
import contextlib
import copy
import json
import string
import threading
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

from botocore.exceptions import ClientError
from botocore.parsers import RpcV2CBORParser
from ministack import app as _gateway
from ministack.core import iam_actions as _iam_actions
from ministack.core import iam_evaluator as _iam_evaluator
from ministack.core import lambda_runtime as _lambda_runtime
from ministack.core import responses as _responses
from ministack.core import router as _router
from ministack.services import cloudwatch as _cloudwatch
from ministack.services import cloudwatch_logs as _cloudwatch_logs
from ministack.services import eventbridge as _eventbridge
from ministack.services import iam as _iam
from ministack.services import organizations as _organizations
from ministack.services import resource_groups as _resource_groups
from ministack.services import sns as _sns
from ministack.services import sqs as _sqs
from ministack.services import ssm as _ssm
from ministack.services import stepfunctions as _stepfunctions
from ministack.services import tagging as _tagging
from ministack.services.cloudformation import changesets as _changesets
from ministack.services.cloudformation import engine as _engine
from ministack.services.cloudformation import handlers as _handlers
from ministack.services.cloudformation import provisioners as _provisioners
from moto import mock_aws
from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import ec2_backends
from moto.ec2.models import iam_instance_profile as _moto_profiles
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS as _offerings  # noqa: N811
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses import EC2Response
from moto.ec2.responses import instances as _moto_instances
from moto.ec2.utils import EC2_RESOURCE_TO_PREFIX as _moto_prefixes  # noqa: N811
from moto.moto_api._internal.models import moto_api_backend as _moto_api
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.utilities.utils import load_resource
from werkzeug.test import Client

Answer = tuple[int, dict[str, str], bytes]
ServiceHandler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]

# --- ministack: the gateway -------------------------------------------------------------------------------------------

# The ASGI application: every request that is not ours goes to it.
gateway: Callable[..., Awaitable[None]] = _gateway.app

# Whose request is being served; CloudFormation handlers and metrics are scoped by it.
account_id: Callable[[], str] = _responses.get_account_id
region: Callable[[], str] = _responses.get_region
request_scope: Callable[[str, str], Any] = _responses.request_scope


def route(signing_name: str, handler: ServiceHandler) -> None:
    """Sends the requests that are signed for *signing_name* to *handler*, after IAM has judged them."""
    _router.SERVICE_PATTERNS.setdefault(signing_name, {})
    _gateway.SERVICE_HANDLERS[signing_name] = handler


def ministack_handler(signing_name: str) -> ServiceHandler:
    """The handler that ministack has for a service."""
    handler: ServiceHandler = _gateway.SERVICE_HANDLERS[signing_name]
    return handler


def handler_of(signing_name: str) -> ServiceHandler | None:
    """The handler of a service; None if nobody answers for it yet."""
    found: ServiceHandler | None = _gateway.SERVICE_HANDLERS.get(signing_name)
    return found


def stop_functions() -> None:
    """Ends the worker processes of the Lambda functions and removes their folders."""
    _lambda_runtime.reset()


def reset_ministack() -> None:
    """Empties every service of ministack."""
    _gateway._reset_all_state()
    _lambda_runtime.reset()


# --- ministack: CloudFormation ----------------------------------------------------------------------------------------

# type -> {"create": f(logical_id, props, stack), "update": f(id, old, new, stack, logical_id), "delete": f(id, props)}.
resource_handlers: dict[str, dict[str, Any]] = _provisioners._RESOURCE_HANDLERS

# stack name and logical id -> the generated name of a resource.
physical_name: Callable[..., str] = _provisioners._physical_name


def make_secrets_as_asked() -> None:
    """``Ref`` of a secret "returns the ARN of the secret", where ministack answers with its name; and
    ``ExcludePunctuation`` "specifies whether to exclude" it, where ministack leaves it in.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
    """
    known = resource_handlers["AWS::SecretsManager::Secret"]

    def name(physical_id: str) -> str:
        return physical_id.rpartition(":secret:")[2][: -len("-AbCdEf")]

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        if (wanted := properties.get("GenerateSecretString") or {}).get("ExcludePunctuation"):
            excluded = f"{wanted.get('ExcludeCharacters', '')}{string.punctuation}"
            properties = {**properties, "GenerateSecretString": {**wanted, "ExcludeCharacters": excluded}}
        _, attributes = known["create"](logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update(physical_id: str, *arguments: Any, **more: Any) -> Any:
        _, attributes = known["update"](name(physical_id), *arguments, **more)
        return physical_id, attributes

    def delete(physical_id: str, *arguments: Any, **more: Any) -> Any:
        return known["delete"](name(physical_id), *arguments, **more)

    changed = {"create": create, "update": update, "delete": delete}
    resource_handlers["AWS::SecretsManager::Secret"] = {**known, **changed}


def explain_unknown_types(hint: str) -> None:
    """Adds *hint* to the error of a template that has a type nobody handles."""
    validate = _engine.validate_template_support

    def explained(*args: Any, **kwargs: Any) -> Any:
        try:
            return validate(*args, **kwargs)
        except ValueError as error:
            if "Unrecognized resource types" not in str(error):
                raise
            raise ValueError(f"{error}. {hint}") from error

    for module in (_engine, _handlers, _changesets):
        module.validate_template_support = explained


# --- ministack: IAM ---------------------------------------------------------------------------------------------------


def instance_profile(name_or_arn: str | None) -> dict[str, Any] | None:
    """The instance profile of that name or ARN in ministack's IAM, as it stores it."""
    found = _iam._instance_profiles.get((name_or_arn or "").rsplit("/", 1)[-1])
    return dict(found) if found else None


def add_condition_keys(more: Callable[[str, str, bytes, dict[str, Any]], dict[str, Any]]) -> None:
    """Adds *more*(service, action, body, parameters) to the condition keys that a request is judged with."""
    known = _iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        return {**known(service, action, body, parameters), **more(service, action, body, parameters)}

    _iam_actions.request_tag_context = context


def add_resource_keys(more: Callable[[str, str], dict[str, Any]]) -> None:
    """Adds *more*(service, resource ARN) to the condition keys that a request is judged with."""
    enforce = _iam_evaluator.enforce

    def enforced(
        key: str,
        action: str,
        service: str,
        region_name: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        keys = more(service, resource_arn) | (service_context or {})
        return enforce(key, action, service, region_name, resource_arn=resource_arn, service_context=keys)

    _iam_evaluator.enforce = enforced


def name_actions(name: Callable[[str], str]) -> None:
    """Lets *name*(action) say which IAM action a call needs, where it is not the call's own name."""
    enforce = _iam_evaluator.enforce

    def enforced(key: str, action: str, *where: str, **more: Any) -> Any:
        return enforce(key, name(action), *where, **more)

    _iam_evaluator.enforce = enforced


def need_besides(actions: Mapping[str, tuple[str, ...]]) -> None:
    """Denies an action to whoever may not do what the service does in their name: *actions* of other services."""
    enforce = _iam_evaluator.enforce

    def enforced(key: str, action: str, service: str, region_name: str, *more: Any, **named: Any) -> Any:
        denied = enforce(key, action, service, region_name, *more, **named)
        for besides in () if denied else actions.get(action, ()):
            denied = denied or enforce(key, besides, besides.partition(":")[0], region_name)
        return denied

    _iam_evaluator.enforce = enforced


def name_resources(name: Callable[[str, str, dict[str, Any], str], str | None]) -> None:
    """Lets *name*(service, action, parameters, ARN found) correct the ARN that a request is judged on."""
    extract = _iam_actions.extract_resource_arn

    def extracted(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        parameters: dict[str, Any],
        *scope: str,
    ) -> str:
        found: str = extract(service, method, path, headers, body, parameters, *scope)
        if service not in ("autoscaling", "cloudformation", "ec2", "elasticloadbalancing"):
            return found
        return name(service, _iam_actions._action_from_query(parameters, body, "") or "", parameters, found) or found

    _iam_actions.extract_resource_arn = extracted


def name_resources_of(service: str, name: Callable[[bytes, dict[str, Any]], str | None]) -> None:
    """Lets *name*(body, parameters) say the ARN that a service's request is judged on; None keeps the one found."""
    extract = _iam_actions.extract_resource_arn

    def extracted(
        of: str, method: str, path: str, headers: dict[str, str], body: bytes, parameters: dict[str, Any], *scope: str
    ) -> str:
        found: str = extract(of, method, path, headers, body, parameters, *scope)
        return (name(body, parameters) or found) if of == service else found

    _iam_actions.extract_resource_arn = extracted


def let_root_stand_for_services() -> None:
    """Fills ``aws:SourceAccount`` when a trust policy is judged: here the account's root assumes a service's role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    evaluate = _iam_evaluator.evaluate_trust_policy

    def evaluated(trust: Any, caller: str, context: Any, *more: Any, **named: Any) -> Any:
        context.service_context.setdefault("aws:sourceaccount", context.principal_account)
        return evaluate(trust, caller, context, *more, **named)

    _iam_evaluator.evaluate_trust_policy = evaluated


def collect_tags(service: str, collector: Callable[[], Iterator[tuple[str, list[dict[str, str]]]]]) -> None:
    """Shows the tags of *service* to the Resource Groups Tagging API and to aws:ResourceTag conditions."""
    _tagging._COLLECTORS[service] = collector
    _tagging._RESOURCE_TAG_COLLECTORS[service] = collector


def resource_tags(arn: str) -> dict[str, str]:
    """The tags of a resource that a collector knows."""
    return dict(_tagging.resource_tags(arn) or {})


def read_cbor(body: bytes) -> dict[str, Any]:
    """A CBOR map, read with botocore's own decoder; {} when it is something else."""
    try:
        parser = RpcV2CBORParser()
        value = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    except Exception:  # whatever a form or a JSON body looks like to a CBOR parser
        return {}
    return value if isinstance(value, dict) else {}


# --- ministack: CloudWatch --------------------------------------------------------------------------------------------


def recorded_datapoints() -> Iterator[dict[str, Any]]:
    """Every datapoint of every account, Region and metric, to be changed in place (``Timestamp``: epoch seconds)."""
    for points in _cloudwatch._metrics._data.values():
        yield from points


def record_metric(namespace: str, name: str, dimensions: Mapping[str, str], value: float) -> None:
    """Keeps a datapoint of now, as an AWS service publishes it (PutMetricData refuses the namespace ``AWS/``)."""
    _cloudwatch._store_datum(namespace, name, dict(dimensions), time.time(), "Count", value, None, None, None)


def metric_statistic(
    namespace: str, name: str, dimensions: Mapping[str, str], statistic: str, *, since: float
) -> float | None:
    """A statistic over the datapoints of one metric since then (epoch seconds); None if there are none."""
    points = _cloudwatch._metrics.get((namespace, name, _cloudwatch._dims_key(dict(dimensions)))) or []
    stats = _cloudwatch._calc_stats([point for point in points if point["Timestamp"] > since])
    return float(stats[statistic]) if stats else None


class _Asked(dict[str, str]):
    """Dimensions that were asked for: none are asked for, too."""

    def __bool__(self) -> bool:
        return True


def tell_metrics_apart() -> None:
    """Lets a question for a metric without dimensions be answered with that metric alone.

    ministack answers with every metric of the name, whatever its dimensions. "CloudWatch treats each unique combination
    of dimensions as a separate metric, even if the metrics have the same metric name"
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension).
    """
    original = _cloudwatch._dims_from_list
    _cloudwatch._dims_from_list = lambda dimensions: _Asked(original(dimensions))


_weighed: ContextVar[str | None] = ContextVar("dimensions of the alarm that is being evaluated", default=None)


def tell_alarms_apart() -> None:
    """Lets an alarm weigh the metric that has its dimensions; to ministack it has every metric of the name."""
    evaluate, metrics = _cloudwatch._evaluate_alarm, _cloudwatch._metrics

    class OfTheAlarm(type(metrics)):  # type: ignore[misc]
        __slots__ = ()

        def items(self) -> Any:
            wanted = _weighed.get()
            return [(key, points) for key, points in super().items() if wanted in (None, key[2])]

    def evaluate_its_own(alarm: dict[str, Any]) -> None:
        dimensions = alarm.get("Dimensions") or {}
        if not isinstance(dimensions, dict):
            dimensions = {item["Name"]: item["Value"] for item in dimensions}
        token = _weighed.set(_cloudwatch._dims_key(dimensions))
        try:
            evaluate(alarm)
        finally:
            _weighed.reset(token)

    metrics.__class__ = OfTheAlarm
    _cloudwatch._evaluate_alarm = evaluate_its_own


def evaluate_alarms() -> None:
    """Lets the alarms of the request's account and Region look at their metrics, as PutMetricData does."""
    _cloudwatch._evaluate_all_alarms()


def on_alarm(action: Callable[[dict[str, Any], str, str, str], None]) -> None:
    """Calls *action*(alarm, old state, new state, reason) after each change of an alarm's state."""
    _after(_cloudwatch, "_dispatch_alarm_actions", lambda _, *change: action(*change))


# --- ministack: SQS ---------------------------------------------------------------------------------------------------


def queue_scopes() -> set[tuple[str, str]]:
    """Account and Region of all that have queues."""
    return {(account, region_name) for account, region_name, *_ in _sqs._queues._data}


def queue_counts() -> Iterator[tuple[str, dict[str, float]]]:
    """Name of each queue of the request's account and Region, and its AWS/SQS metrics as they are now."""
    now = time.time()
    for queue in _sqs._queues.values():
        _sqs._refresh_counts(queue)
        counts = queue["attributes"]
        oldest = min((message["sent_at"] for message in queue["messages"]), default=now)
        yield (
            queue["name"],
            {
                "ApproximateNumberOfMessagesVisible": float(counts["ApproximateNumberOfMessages"]),
                "ApproximateNumberOfMessagesNotVisible": float(counts["ApproximateNumberOfMessagesNotVisible"]),
                "ApproximateAgeOfOldestMessage": now - oldest,
            },
        )


# --- ministack: EventBridge -------------------------------------------------------------------------------------------


def put_aws_event(event: dict[str, Any]) -> None:
    """Puts an event of an AWS service on the default bus (PutEvents refuses the source ``aws.*``, as on AWS)."""
    _eventbridge._dispatch_event(event)


# --- ministack: Organizations, and its IAM engine as a judge ----------------------------------------------------------


def organizations(operation: str, **parameters: Any) -> dict[str, Any]:
    """One call to ministack's Organizations in this process.

    Raises ``botocore.exceptions.ClientError`` as any AWS client does.
    """
    status, _, body = _organizations._DISPATCH[operation](parameters)
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        code = str(answer.get("__type", "")).rsplit("#", 1)[-1]
        raise ClientError({"Error": {"Code": code, "Message": answer.get("message", "")}}, operation)
    return answer


def denies(
    documents: Iterable[Mapping[str, Any]], action: str, principal: str | None, arn: str, keys: Mapping[str, Any]
) -> bool:
    """Whether a Deny of policies applies to one resource of a request, by ministack's IAM engine.

    Args:
        keys: the condition keys of the resource; a key that is not there is absent from the request.
    """
    context = _iam_evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account="111122223333",
        action=action,
        resource_arn=arn,
        region="",
        service_context={name.lower(): value for name, value in keys.items()},
    )
    parsed = [_iam_evaluator.parse_policy_document(dict(document)) for document in documents]
    decision: str = _iam_evaluator.evaluate(context, parsed).decision
    return decision == "Deny"


# --- ministack: SSM ---------------------------------------------------------------------------------------------------


class _PublicImages(dict[str, str]):
    """The public AMI parameters of the Region of the request, from the lists that moto ships: name -> image id."""

    def __init__(self) -> None:
        super().__init__()
        self._regions: dict[str, dict[str, str]] = {}
        self.windows: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        if name.startswith("/aws/service/ami-windows-latest/"):  # moto has no list of these: any id will do
            image_id = f"ami-{zlib.crc32(name.encode()):017x}"
            self.windows.add(image_id)
            return image_id
        return self.of(region()).get(name, default)

    def of(self, region_name: str) -> dict[str, str]:
        """All of one Region; none where moto has no list."""
        if region_name not in self._regions:
            try:
                items = load_resource(f"ssm/resources/ami-amazon-linux-latest/{region_name}.json")
            except FileNotFoundError:
                items = []
            self._regions[region_name] = {item["Name"]: item["Value"] for item in items}
        return self._regions[region_name]


_images = _PublicImages()


def publish_images() -> None:
    """Lets ``/aws/service/ami-amazon-linux-latest/...`` resolve as it does in each Region."""
    _ssm._PUBLIC_AMI_PARAMETERS = _images


def is_windows_image(image_id: str | None) -> bool:
    """Whether an image was named as one of Windows."""
    return image_id in _images.windows


def image_architecture(image_id: str | None) -> str | None:
    """``arm64`` or ``x86_64`` of a published image; None when it is another image."""
    names = [name for name, value in _images.of(region()).items() if value == image_id]
    return next((kind for kind in ("arm64", "x86_64") if names and names[0].endswith(kind)), None)


# --- moto -------------------------------------------------------------------------------------------------------------

# moto's models are not made for threads: one call at a time, those of this process included.
moto_lock = threading.RLock()

_moto_application = Client(DomainDispatcherApplication(create_backend_app))


async def moto_handler(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
    """Answers a request with moto's server application."""
    return await asyncio.to_thread(_call_moto, method, path, headers, body, query)


def _call_moto(method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, Any]) -> Answer:
    with moto_lock:
        response = _moto_application.open(
            quote(path),
            method=method,
            data=body,
            query_string=urlencode(query or {}, doseq=True),
            headers={name: value for name, value in headers.items() if name != "content-length"},
        )
    return response.status_code, dict(response.headers), response.get_data()


def start_moto() -> None:
    """Lets every boto3 client of this process reach moto instead of the network."""
    mock_aws(config={"core": {"mock_credentials": False, "reset_boto3_session": False}}).start()


def reset_moto() -> None:
    """Empties every service of moto."""
    _moto_api.reset()


def groups() -> Any:
    """moto's Auto Scaling of the account and Region of the request: groups, policies and hooks."""
    return autoscaling_backends[account_id()][region()]


def every_groups() -> Iterator[tuple[str, str, Any]]:
    """Account, Region and Auto Scaling backend of all that exist."""
    for account, regions in list(autoscaling_backends.items()):
        for region_name, backend in list(regions.items()):
            yield account, region_name, backend


def ec2_tags() -> Mapping[str, dict[str, str]]:
    """Resource id -> tags, of EC2 in the account and Region of the request."""
    tags: Mapping[str, dict[str, str]] = ec2_backends[account_id()][region()].tags
    return tags


def instance_type_catalogue() -> Mapping[str, dict[str, Any]]:
    """Instance type -> what DescribeInstanceTypes answers about it."""
    catalogue: Mapping[str, dict[str, Any]] = INSTANCE_TYPES
    return catalogue


def serve_action(service: str, name: str, answer: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Adds or replaces an API of moto's ``ec2`` or ``autoscaling``: *answer*(parameters) returns its output or None."""

    def action(response: Any) -> Any:
        with request_scope(response.current_account, response.region):
            result = answer(response._get_params())
        return ActionResult(result) if result is not None else EmptyResult()

    setattr({"ec2": EC2Response, "autoscaling": AutoScalingResponse}[service], name, action)


def client_error(code: str, message: str) -> Exception:
    """The exception that moto answers as an error with that code."""
    error: Exception = AutoscalingClientError(code, message)
    return error


def member_of(group: Any, instance_id: str, *, protected: bool) -> Any:
    """A new member for moto's list of a group's instances."""
    instance = ec2_backends[group.account_id][group.region].get_instance(instance_id)
    instance.autoscaling_group = group
    return InstanceState(instance, lifecycle_state="Pending", protected_from_scale_in=protected)


def register_target(group: Any, instance_id: str) -> None:
    """Registers an instance with the target groups of its group, which moto does at launches of its own only."""
    for arn in group.target_group_arns:
        target_group = group.autoscaling_backend.elbv2_backend.target_groups[arn]
        target_group.register([{"Id": instance_id, "Port": target_group.port}])


def deregister_target(group: Any, instance_id: str) -> None:
    """Deregisters an instance from the target groups of its group, where it is registered."""
    for arn in group.target_group_arns:
        target_group = group.autoscaling_backend.elbv2_backend.target_groups.get(arn)
        if target_group and instance_id in target_group.targets:
            target_group.deregister([{"Id": instance_id}])


def replace_group_capacity(set_capacity: Callable[[Any, int | None], None], launch: Callable[[Any, int], None]) -> None:
    """Replaces how a group of moto follows its desired capacity, and replaces instances that EC2 terminated."""
    FakeAutoScalingGroup.set_desired_capacity = set_capacity
    FakeAutoScalingGroup.replace_autoscaling_group_instances = lambda group, count, _tags: launch(group, count)


def keep_launch_settings_on_update() -> None:
    """UpdateAutoScalingGroup without a mixed instances policy keeps the one that is there; moto drops it."""
    update = FakeAutoScalingGroup.update

    def kept(group: Any, *args: Any, **kwargs: Any) -> None:
        if group.mixed_instances_policy and not (kwargs.get("mixed_instances_policy") or kwargs.get("launch_template")):
            policy = copy.deepcopy(group.mixed_instances_policy)
            # moto adds the name to what it stores, and refuses a policy that has both.
            policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
            kwargs["mixed_instances_policy"] = policy
        update(group, *args, **kwargs)

    FakeAutoScalingGroup.update = kept


def keep_warm_up() -> None:
    """Groups keep their DefaultInstanceWarmup, which moto forgets; -1 removes it."""

    def kept(result: Any, response: Any) -> None:
        parameters = response._get_params()
        if "DefaultInstanceWarmup" in parameters:
            group = response.autoscaling_backend.autoscaling_groups[parameters["AutoScalingGroupName"]]
            seconds = int(parameters["DefaultInstanceWarmup"])
            group.default_instance_warmup = seconds if seconds >= 0 else None

    for method in ("create_auto_scaling_group", "update_auto_scaling_group"):
        _after(AutoScalingResponse, method, kept)


def warm_up_of(group: Any) -> int | None:
    """A group's DefaultInstanceWarmup in seconds, None if it has none."""
    found: int | None = getattr(group, "default_instance_warmup", None)
    return found


def answer_policy_arns() -> None:
    """PutScalingPolicy answers ``PolicyARN``; moto misspells it, so that a client sees nothing."""
    put = AutoScalingResponse.put_scaling_policy

    def answered(response: Any) -> Any:
        return ActionResult({"PolicyARN": put(response).result["PolicyArn"]})

    AutoScalingResponse.put_scaling_policy = answered


def find_profiles_in_ministack() -> None:
    """moto's EC2 looks instance profiles up in moto's IAM, which nobody writes to here."""

    def found(
        account: str, partition: str, iam_instance_profile_arn: str | None, iam_instance_profile_name: str | None
    ) -> Any:
        with request_scope(account, region()):
            profile = instance_profile(iam_instance_profile_arn or iam_instance_profile_name)
        if profile is None:
            name = iam_instance_profile_arn or iam_instance_profile_name
            raise client_error("InvalidParameterValue", f"Value ({name}) for parameter iamInstanceProfile is invalid")
        return SimpleNamespace(arn=profile["Arn"], name=profile["InstanceProfileName"])

    def associated(result: Any, response: Any) -> None:
        profile = response._get_params().get("IamInstanceProfile")
        for instance in result.result.instances[1:] if profile else ():
            names = {"iam_instance_profile_name": profile.get("Name"), "iam_instance_profile_arn": profile.get("Arn")}
            response.ec2_backend.associate_iam_instance_profile(instance_id=instance.id, **names)

    _moto_profiles.filter_iam_instance_profiles = found
    _moto_instances.filter_iam_instance_profiles = found
    # moto gives the profile to the first instance of a launch only.
    _after(EC2Response, "run_instances", associated)


def remove_interfaces_with_instances() -> None:
    """A terminated instance of moto keeps what it held: interfaces, with them its subnet and groups, and volumes.

    The primary interface ends with its instance; interfaces and volumes that were attached later are free again
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ec2-instance-termination-works.html).
    """

    def removed(_: Any, instance: Any) -> None:
        interfaces = instance.ec2_backend.enis
        for interface in [item for item in interfaces.values() if item.instance is instance]:
            if interface.device_index in (0, None):
                del interfaces[interface.id]
            else:
                instance.detach_eni(interface)
        for device, block in list(instance.block_device_mapping.items()):
            volume = instance.ec2_backend.volumes.get(block.volume_id)
            if volume and volume.attachment and not block.delete_on_termination:
                instance.ec2_backend.detach_volume(volume.id, instance.id, device)

    _after(Instance, "terminate", removed)


def on_instance_state(tell: Callable[[str, str], None]) -> None:
    """Calls *tell*(instance id, state) when an instance of moto changes its state."""

    def launched(reservation: Any, *_: Any, **__: Any) -> None:
        for instance in reservation.instances:
            tell(instance.id, "pending")
            tell(instance.id, "running")

    _after(InstanceBackend, "run_instances", launched)
    for method, state in {"start": "running", "stop": "stopped", "terminate": "terminated"}.items():
        _after(Instance, method, lambda _, instance, *__, _state=state, **___: tell(instance.id, _state))


def on_ec2_tags(tell: Callable[[str, dict[str, str], dict[str, str]], None]) -> None:
    """Calls *tell*(resource id, tags before, tags after) for each resource whose tags an API call of EC2 names."""
    for name in ("create_tags", "delete_tags"):
        setattr(EC2Response, name, _telling(getattr(EC2Response, name), tell))


def _telling(original: Callable[[Any], Any], tell: Callable[[str, dict[str, str], dict[str, str]], None]) -> Any:
    def action(response: Any) -> Any:
        kept = response.ec2_backend.tags
        before = {name: dict(kept[name]) for name in response._get_param("Resources", [])}
        result = original(response)
        with request_scope(response.current_account, response.region):
            for name, tags in before.items():
                tell(name, tags, dict(kept[name]))
        return result

    return action


def show_instances_beside_groups(more: Callable[[Any], list[Any]]) -> None:
    """DescribeAutoScalingInstances also shows the members that *more*(group) returns."""
    describe = AutoScalingBackend.describe_auto_scaling_instances

    def described(backend: Any, instance_ids: list[str]) -> list[Any]:
        others = [member for group in backend.autoscaling_groups.values() for member in more(group)]
        wanted = [member for member in others if not instance_ids or member.instance_id in instance_ids]
        return [*describe(backend, instance_ids), *wanted]

    AutoScalingBackend.describe_auto_scaling_instances = described


# --- moto: volumes ----------------------------------------------------------------------------------------------------


class Volumes:
    """moto's EBS of one account and Region, as far as root volumes go.

    Attributes:
        tasks: replacement tasks by id; moto keeps them, so that a reset forgets them.
        instance: an instance of moto by its id; raises moto's error if there is none.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.instance = backend.get_instance
        self.tasks: dict[str, Any] = vars(backend).setdefault("replace_root_volume_tasks", {})
        self._previous: dict[str, list[str]] = vars(backend).setdefault("previous_root_volumes", {})

    @property
    def next_task_ends(self) -> str:
        """How the next task is to end."""
        return str(vars(self._backend).get("next_task_ends", "succeeded"))

    @next_task_ends.setter
    def next_task_ends(self, state: str) -> None:
        self._backend.next_task_ends = state

    def lineage(self, instance_id: str) -> set[str]:
        """The volumes that are or were an instance's root."""
        return {*self._previous.get(instance_id, []), self._root(instance_id)[1]}

    def volume_of_snapshot(self, snapshot_id: str) -> str:
        """The volume that a snapshot was taken from, whether it still exists or not."""
        return str(self._backend.get_snapshot(snapshot_id).volume.id)

    def replace_root(self, instance_id: str, snapshot_id: str | None, image_id: str | None) -> None:
        """Makes a volume of the old one's type and size, and attaches it in its place."""
        instance, (device, old_id) = self.instance(instance_id), self._root(instance_id)
        old, kept = self._backend.get_volume(old_id), instance.block_device_mapping[device].delete_on_termination
        new = self._backend.create_volume(
            size=old.size, zone_name=old.zone.name, snapshot_id=snapshot_id, volume_type=old.volume_type
        )
        self.detach_root(instance_id)
        self._backend.attach_volume(new.id, instance_id, device, kept)
        if image_id:
            instance.image_id = image_id

    def detach_root(self, instance_id: str) -> None:
        """Detaches it, and remembers it."""
        device, volume_id = self._root(instance_id)
        self._previous.setdefault(instance_id, []).append(volume_id)
        self._backend.detach_volume(volume_id, instance_id, device)

    def age_snapshots(self, seconds: float) -> int:
        """Moves every snapshot into the past, and counts them."""
        for snapshot in self._backend.snapshots.values():
            snapshot.start_time -= timedelta(seconds=seconds)
        return len(self._backend.snapshots)

    def _root(self, instance_id: str) -> tuple[str, str]:
        instance = self.instance(instance_id)
        device = str(instance.root_device_name)
        if device not in instance.block_device_mapping:
            return device, ""
        return device, str(instance.block_device_mapping[device].volume_id)


def volumes() -> Volumes:
    """Those of the account and Region of the request."""
    return Volumes(ec2_backends[account_id()][region()])


def every_volumes() -> Iterator[Volumes]:
    """Those of every account and Region that has been used."""
    for regions in list(ec2_backends.values()):
        yield from map(Volumes, list(regions.values()))


def on_volume_created(tell: Callable[[str], None]) -> None:
    """Calls *tell*(volume id) when moto has made a volume."""
    _after(EBSBackend, "create_volume", lambda volume, backend, *_, **__: _in_scope(backend, tell, volume.id))


def _in_scope(backend: Any, tell: Callable[[str], None], volume_id: str) -> None:
    with request_scope(backend.account_id, backend.region_name):
        tell(volume_id)


# --- ministack: Step Functions ----------------------------------------------------------------------------------------


def on_execution_status(tell: Callable[[str, str], None]) -> None:
    """Calls *tell*(ARN of the state machine, status) when an execution has begun or ended, a nested one too."""
    _after(
        _stepfunctions,
        "_emit_execution_status_event",
        lambda _, execution: tell(execution["stateMachineArn"], execution["status"]),
    )


def _after(owner: Any, name: str, then: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        then(result, *args, **kwargs)
        return result

    setattr(owner, name, wrapper)


# --- capacity reservations and resource groups ------------------------------------------------------------------------

# What CreateAutoScalingGroup and UpdateAutoScalingGroup take and moto does not keep.
GROUP_SETTINGS = (
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityReservationSpecification",
)


def on_group_settings(tell: Callable[[str, dict[str, Any]], None]) -> None:
    """Calls *tell*(name, parameters) before a group of moto is made or changed; Describe shows what was kept."""
    for action in ("create_auto_scaling_group", "update_auto_scaling_group"):
        original = getattr(AutoScalingResponse, action)

        def told(response: Any, _original: Callable[[Any], Any] = original) -> Any:
            parameters = response._get_params()
            name = parameters["AutoScalingGroupName"]
            with request_scope(response.current_account, response.region):
                tell(name, parameters)
                result = _original(response)
                group = groups().autoscaling_groups.get(name)
            for setting in GROUP_SETTINGS:
                if setting in parameters and group is not None:
                    setattr(group, setting, parameters[setting])
            return result

        setattr(AutoScalingResponse, action, told)


def after_group_update(then: Callable[[Any], None]) -> None:
    """Calls *then*(group of moto) after each UpdateAutoScalingGroup."""
    update = AutoScalingResponse.update_auto_scaling_group

    def told(response: Any) -> Any:
        result = update(response)
        with request_scope(response.current_account, response.region):
            then(groups().autoscaling_groups[response._get_param("AutoScalingGroupName")])
        return result

    AutoScalingResponse.update_auto_scaling_group = told


def on_launch(tell: Callable[[dict[str, Any], list[Any]], None]) -> None:
    """Calls *tell*(parameters, instances of moto) after each RunInstances."""
    run = EC2Response.run_instances

    def told(response: Any) -> Any:
        result = run(response)
        with request_scope(response.current_account, response.region):
            tell(response._get_params(), result.result.instances)
        return result

    EC2Response.run_instances = told


def age_launches(seconds: float) -> int:
    """Moves the launch of every instance of moto into the past, and counts them."""
    found = [instance for _, _, backend in ec2_backends.iter_backends() for instance in backend.all_instances()]
    for instance in found:
        instance.launch_time -= timedelta(seconds=seconds)
    return len(found)


def show_platform(instance_id: str, platform: str) -> None:
    """Lets DescribeInstances show the platform of an instance of moto."""
    ec2_backends[account_id()][region()].get_instance(instance_id).platform = platform


def profile_associations() -> Mapping[str, tuple[str, str]]:
    """Instance id -> association id and ARN of its instance profile, of moto in the account and Region of the request.

    moto asks for one association for an instance, as EC2 does.
    """
    found = ec2_backends[account_id()][region()].iam_instance_profile_associations
    return {instance_id: (item.association_id, item.iam_instance_profile.arn) for instance_id, item in found.items()}


def show_reservation(instance_id: str, reservation_id: str | None) -> None:
    """Lets DescribeInstances show the capacity reservation that an instance of moto runs in."""
    instance = ec2_backends[account_id()][region()].get_instance(instance_id)
    instance.capacity_reservation_id = reservation_id


def resource_groups(operation: str, **parameters: Any) -> dict[str, Any]:
    """Calls an API of ministack's Resource Groups in this process: ``create_group``, ``group_resources``, ...

    Raises the client error that it answers.
    """
    status, headers, body = getattr(_resource_groups, f"_{operation}")(parameters)
    answer: dict[str, Any] = json.loads(body)
    if status >= 400:
        raise client_error(headers["x-amzn-errortype"], answer["Message"])
    return answer


def group_members(arn: str) -> list[str]:
    """ARNs of the members of a resource group; none if there is no such group."""
    name = _resource_groups._resolve_arn_group(arn)
    return list(_resource_groups._group_members.get(name) or []) if name else []


def json_answer(status: int, value: dict[str, Any]) -> Answer:
    """An answer of one of our control endpoints."""
    return status, {"content-type": "application/json"}, json.dumps(value).encode()


# --- for EC2 Instance Connect Endpoints -------------------------------------------------------------------------------


def kept_in_ec2(name: str) -> dict[str, Any]:
    """A dictionary that lives and ends with moto's EC2 of the account and Region of the request."""
    kept: dict[str, Any] = vars(ec2_backends[account_id()][region()]).setdefault(name, {})
    return kept


def know_prefix(kind: str, prefix: str) -> None:
    """Lets CreateTags take the ids of a kind of resource that moto does not know."""
    _moto_prefixes[kind] = prefix


def let_events_reach_logs() -> None:
    """A rule's target may be a log group, as on AWS: each event becomes one log event in a stream of the target's.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    invoke = _eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        if ":logs:" not in target["Arn"]:
            invoke(target, event, rule, view)
            return
        view = view or _eventbridge._pattern_event_view(event)
        where = {"logGroupName": target["Arn"].split(":log-group:")[1], "logStreamName": "events"}
        _cloudwatch_logs._create_log_stream(where)
        message = {"timestamp": int(time.time() * 1000), "message": json.dumps(view.event_with_detail())}
        _cloudwatch_logs._put_log_events({**where, "logEvents": [message]})

    _eventbridge._invoke_target = invoked


def let_events_reach(service: str, deliver: Callable[[str], object]) -> None:
    """A rule's target may be of a *service*, as ``:codepipeline:`` in its ARN: *deliver* gets the target's ARN."""
    invoke = _eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], *more: Any, **named: Any) -> None:
        if service in target["Arn"]:
            deliver(target["Arn"])
        else:
            invoke(target, event, *more, **named)

    _eventbridge._invoke_target = invoked


def discover_json_fields() -> None:
    """Lets a query of Logs Insights use the fields of JSON events, by their paths with dots.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
    """
    collect = _cloudwatch_logs._collect_query_records

    def flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from flat(inner, f"{path}.{name}" if path else name)
        elif path and value is not None:
            yield path, value if isinstance(value, str) else json.dumps(value)

    def collected(*arguments: Any) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = collect(*arguments)
        for record in records:
            with contextlib.suppress(ValueError):
                record.update(flat(json.loads(record["@message"]), ""))
        return records

    _cloudwatch_logs._collect_query_records = collected


def simulate_with_context_keys() -> None:
    """Lets SimulatePrincipalPolicy judge with the ContextEntries of the request, which ministack leaves out.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    given: ContextVar[dict[str, Any]] = ContextVar("given")
    extract, build, evaluate = (
        _iam._extract_simulate_params,
        _iam._build_simulate_results_real,
        _iam_evaluator.evaluate,
    )

    def extracted(parameters: dict[str, Any]) -> Any:
        entries, number = {}, 1
        while name := _iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
            value = _iam._p(parameters, f"ContextEntries.member.{number}.ContextKeyValues.member.1")
            entries[name.lower()] = value
            number += 1
        given.set(entries)
        return extract(parameters)

    def built(*arguments: Any) -> Any:
        try:
            return build(*arguments)
        finally:
            given.set({})

    def evaluated(context: Any, *arguments: Any, **more: Any) -> Any:
        with contextlib.suppress(LookupError):
            context.service_context.update(given.get())
        return evaluate(context, *arguments, **more)

    _iam._extract_simulate_params = extracted
    _iam._build_simulate_results_real = built
    _iam_evaluator.evaluate = evaluated


# --- for EC2 Image Builder --------------------------------------------------------------------------------------------

# Deletes what a handler has replaced: in the clean-up of the update, and not where UpdateReplacePolicy keeps it.
delete_predecessor: Callable[..., None] = _provisioners._delete_predecessor


def everything_kept_in_ec2(name: str) -> Iterator[dict[str, Any]]:
    """What ``kept_in_ec2`` keeps under a name, of every account and Region."""
    for regions in list(ec2_backends.values()):
        for backend in list(regions.values()):
            if name in vars(backend):
                yield vars(backend)[name]


def serve_rest(service: str, handler: ServiceHandler, resource_of: Callable[[str, bytes, dict[str, Any]], str]) -> None:
    """Serves a service of the REST protocol that ministack does not know, after IAM has judged its requests.

    Args:
        resource_of: given path, body and query, the ARN that a request is judged on.
    """
    route(service, handler)
    _iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = service
    _iam_actions._BOTOCORE_SERVICE_MAP[service] = [service]
    extract = _iam_actions.extract_resource_arn

    def extracted(
        name: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        parameters: dict[str, Any],
        *scope: str,
    ) -> str:
        if name == service:
            return resource_of(path, body, parameters)
        found: str = extract(name, method, path, headers, body, parameters, *scope)
        return found

    _iam_actions.extract_resource_arn = extracted


def judge_parameters_by_name() -> None:
    """Judges GetParameters on the first name, not on ``*``, and a public parameter on its ARN, which has no account.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-finding-public-parameters.html
    """
    extract = _iam_actions.extract_resource_arn

    def extracted(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        parameters: dict[str, Any],
        *scope: str,
    ) -> str:
        found: str = extract(service, method, path, headers, body, parameters, *scope)
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParameters"):
            name = json.loads(body)["Names"][0]
            found = f"arn:aws:ssm:{region()}:{account_id()}:parameter/{name.lstrip('/')}"
        return found.replace(f":{account_id()}:parameter/aws/service/", "::parameter/aws/service/")

    _iam_actions.extract_resource_arn = extracted


def parameter_value(name: str) -> str | None:
    """Value of a parameter of ministack's SSM, a public one too; None if there is none."""
    status, _, body = _ssm._get_parameter({"Name": name})
    return str(json.loads(body)["Parameter"]["Value"]) if status < 400 else None


def write_parameter(name: str, value: str, data_type: str) -> None:
    """Creates or overwrites a parameter of ministack's SSM."""
    wanted = {"Name": name, "Value": value, "Type": "String", "DataType": data_type, "Overwrite": True}
    status, _, body = _ssm._put_parameter(wanted)
    if status >= 400:
        raise client_error("InternalError", body.decode())


def publish(topic_arn: str, message: str) -> None:
    """Publishes to a topic of ministack."""
    _sns.publish_internal(topic_arn, message)


def role_may(role_arn: str, action: str, resource: str) -> bool:
    """Whether a role's own policies allow an action, by ministack's IAM engine."""
    name = role_arn.rsplit("/", 1)[-1]
    context = _iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account_id(),
        action=action,
        resource_arn=resource,
        region=region(),
    )
    policies = _iam_evaluator._gather_role_policies(name, account_id())
    decision: str = _iam_evaluator.evaluate(context, policies).decision
    return decision == "Allow"


def let_events_run_pipelines(run: Callable[[str, str], None]) -> None:
    """Lets *run*(pipeline ARN, client token) answer a rule whose target is a pipeline of Image Builder."""
    invoke = _eventbridge._invoke_target

    def invoked(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        if ":imagebuilder:" in target["Arn"]:
            run(target["Arn"], str(event.get("EventId") or event.get("id")))
        else:
            invoke(target, event, rule, view)

    _eventbridge._invoke_target = invoked


# --- for local gateways -----------------------------------------------------------------------------------------------


def refine_action(
    name: str, before: Callable[[dict[str, Any]], None], after: Callable[[dict[str, Any], Any], None]
) -> None:
    """Looks at an EC2 API of moto: *before*(parameters) may refuse, *after*(parameters, answer) may change it."""
    original = getattr(EC2Response, name)

    def action(response: Any) -> Any:
        parameters = response._get_params()
        with request_scope(response.current_account, response.region):
            before(parameters)
        answer = original(response)
        with request_scope(response.current_account, response.region):
            after(parameters, answer.result)
        return answer

    setattr(EC2Response, name, action)


def tag_in_ec2(resource_id: str, tags: dict[str, str]) -> None:
    """Tags of a resource whose kind of id moto's CreateTags does not take: those with two parts before the number."""
    ec2_backends[account_id()][region()].tags[resource_id] = tags


def ec2_addresses() -> list[Any]:
    """All Elastic IPs of moto."""
    return list(ec2_backends[account_id()][region()].addresses)


def ec2_subnets() -> list[Any]:
    """All subnets of moto, each with its route table's routes as ``routes``."""
    backend = ec2_backends[account_id()][region()]
    found = [subnet for zone in backend.subnets.values() for subnet in zone.values()]
    tables = list(backend.route_tables.values())
    for subnet in found:
        own = [table for table in tables if subnet.id in table._associations.values()]
        subnet.routes = [route for table in own for route in table.routes]
    return found


def ec2_address(allocation_id: str) -> Any:
    """moto's Elastic IP; its Describe shows attributes by the snake-case names of the API's members."""
    return ec2_backends[account_id()][region()].address_by_allocation([allocation_id])[0]


def ec2_subnet(subnet_id: str) -> Any:
    """moto's subnet, the same."""
    return ec2_backends[account_id()][region()].get_subnet(subnet_id)


def ec2_routes(route_table_id: str) -> list[Any]:
    """The routes of a route table of moto, the same."""
    return list(ec2_backends[account_id()][region()].get_route_table(route_table_id).routes)


# --- Local Zones ------------------------------------------------------------------------------------------------------


def availability_zones() -> list[Any]:
    """moto's zones of the Region of the request."""
    return list(RegionsAndZonesBackend.zones.get(region(), []))


def add_zone(region_name: str, name: str, zone_id: str) -> None:
    """Lets subnets be made in one more zone."""
    RegionsAndZonesBackend.zones[region_name].append(Zone(name, region_name, zone_id, "local-zone"))


def remove_zones(region_name: str, names: Iterable[str]) -> None:
    """Takes zones away that were added."""
    zones = RegionsAndZonesBackend.zones[region_name]
    zones[:] = [zone for zone in zones if zone.name not in set(names)]


def offer_types(region_name: str, zone: str, types: Iterable[str]) -> None:
    """Adds a zone to what DescribeInstanceTypeOfferings answers."""
    known = _offerings["availability-zone"][region_name]
    known.extend({"InstanceType": name, "Location": zone} for name in types)
