"""Calls to an AWS API in this process, and those of clients: answered by us first, then by moto or ministack.

CloudFormation handlers run on the server's event loop, so a call over HTTP to the server itself would wait for ever.
"""

import asyncio
import functools
import inspect
import json
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode

import boto3
import moto.core.responses
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from ministack import app
from ministack.core import iam_actions, lambda_runtime, router
from moto import mock_aws
from moto.autoscaling.responses import AutoScalingResponse
from moto.core import serialize
from moto.core.base_backend import AccountSpecificBackend
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.utils import MISSING, get_value
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from emulator.core import patch
from emulator.core.patch import private
from emulator.core.store import region, request_scope

Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
ServiceHandler = Callable[[str, str, dict[str, str], bytes, Json], Awaitable[Answer]]
Operation = Callable[[Json], Json | None]
"""One API: gets the parameters, and returns the members of its output."""

# The ASGI application: every request that is not one of our control endpoints goes to it.
gateway: Callable[..., Awaitable[None]] = private(app, "app", "scope receive send")
_handlers: dict[str, ServiceHandler] = private(app, "SERVICE_HANDLERS")
_patterns: dict[str, Any] = private(router, "SERVICE_PATTERNS")
_reset_ministack: Callable[[], None] = private(app, "_reset_all_state", "")
stop_functions: Callable[[], None] = private(lambda_runtime, "reset", "")
_reset_moto: Callable[[], None] = private(moto_api_backend, "reset", "")
_namespaces: dict[str, str] = private(iam_actions, "SERVICE_TO_IAM_NAMESPACE")
_modelled: dict[str, list[str]] = private(iam_actions, "_BOTOCORE_SERVICE_MAP")

IN_MOTO = {"ec2": EC2Response, "autoscaling": AutoScalingResponse}


def client_error(code: str, message: str) -> ClientError:
    """The error of a service, as any of its clients sees it."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "")


def json_answer(status: int, value: Json) -> Answer:
    """An answer of JSON; times are epoch seconds."""
    return status, {"content-type": "application/json"}, json.dumps(value, default=datetime.timestamp).encode()


def first(value: Any) -> Any:
    """A parameter of a query, which may come as a list."""
    return value[0] if isinstance(value, list) else value


# --- in this process --------------------------------------------------------------------------------------------------

# moto's models are not made for threads: one call at a time, those of this process included.
moto_lock = threading.RLock()


@functools.cache
def _client(service: str, region_name: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client(service, region_name=region_name, **keys)


def call(service: str, operation: str, properties: Json | None = None, **more: Any) -> Json:
    """Calls *operation* with those of *properties* that it takes, in the types that it wants, and with *more*.

    Raises ``botocore.exceptions.ClientError`` as any AWS client does.
    """
    client = _client(service, region())
    shape = client.meta.service_model.operation_model(operation).input_shape
    with moto_lock:
        answer: Json = client._make_api_call(operation, fitted(shape, {**(properties or {}), **more}))
    return answer


def fitted(shape: Any, value: Any) -> Any:
    """A CloudFormation value as the API wants it.

    CloudFormation accepts "true" and 1 where an API wants True and "1", ``Name`` where an API says ``name``, and a
    list of subnets where Auto Scaling wants them in one string.
    """
    kind = shape.type_name
    if kind == "structure":
        members = {name.lower(): name for name in shape.members}
        known = {members[name.lower()]: item for name, item in value.items() if name.lower() in members}
        return {name: fitted(shape.members[name], item) for name, item in known.items()}
    if kind == "list":
        return [fitted(shape.member, item) for item in (value if isinstance(value, list) else [value])]
    if kind == "map":
        return {name: fitted(shape.value, item) for name, item in value.items()}
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("double", "float"):
        return float(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind == "string" and isinstance(value, list):
        return ",".join(value)
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    return value


# --- moto -------------------------------------------------------------------------------------------------------------

_moto = Client(DomainDispatcherApplication(create_backend_app))


async def moto_handler(method: str, path: str, headers: dict[str, str], body: bytes, query: Json) -> Answer:
    """Answers a request with moto's server application."""
    return await asyncio.to_thread(call_moto, method, path, headers, body, query)


def call_moto(method: str, path: str, headers: dict[str, str], body: bytes, query: Mapping[str, Any]) -> Answer:
    """The same, in this thread."""
    with moto_lock:
        response = _moto.open(
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


def reset_services() -> None:
    """Empties every service of ministack and of moto; the default VPC comes with the first call to EC2."""
    _reset_ministack()
    stop_functions()
    ec2_backends.clear()  # moto would first make a new default VPC for each, only to forget it
    _reset_moto()


@patch.patch(AccountSpecificBackend, "_generate_regions", "self service_name")
def _regions(original: Any, backend: Any, service_name: str) -> list[str]:
    """moto looks them up for each account and after each reset, and they are always the same."""
    if service_name not in _known_regions:
        _known_regions[service_name] = original(backend, service_name)
    return _known_regions[service_name]


_known_regions: dict[str, list[str]] = {}


@patch.patch(serialize.AttributePicker, "__call__", "self context")
def _picked(_original: Any, picker: Any, context: Any) -> Any:
    """The value of a member of an answer.

    What moto may find it by is the same for every object of a class. To work that out anew takes longer than the rest
    of the answer, so it is kept with the member's shape.
    """
    kept = vars(context.shape).setdefault("_picked", {})
    kind = (type(context.obj), context.key)
    if kind not in kept:
        paths = [path for path in picker.response_transformers if path.endswith(kind[1]) or kind[1].endswith(path)]
        kept[kind] = tuple(dict.fromkeys(picker.get_possible_keys(context))), paths
    names, paths = kept[kind]
    value = next((found for name in names if (found := get_value(context.obj, name)) is not MISSING), None)
    where = f"{context.key_path}.{context.key}"
    transformed = next((path for path in paths if where.endswith(path)), None)
    return value if transformed is None else picker.response_transformers[transformed](value)


# Every element of every answer has one of some hundred names, of which each is looked at letter by letter.
patch.patch(serialize.xmltodict, "_validate_name", "value kind")(
    functools.cache(lambda original, *name: original(*name))
)


# What stands around every request to moto: each gets what answers it, and moto's response.
observers: list[Callable[[Callable[[Any], Any], Any], Any]] = []


@patch.patch(BaseResponse, "call_action", "self")
def _answer_client_errors(original: Any, response: Any) -> Any:
    """An error of ours is an answer of moto, wherever it was raised."""
    for observe in observers:
        original = functools.partial(observe, original)
    try:
        return original(response)
    except ClientError as error:
        said = error.response["Error"]
        # moto looks for the service of an error in the name of its module.
        kind = type("Error", (ServiceException,), {"__module__": type(response).__module__})
        status, headers, body = response.serialized(ActionResult(kind(said["Code"], said["Message"])))
        return status, *response._enrich_response(headers, body)


# moto lists its folders and tries two hundred patterns with every request, and the same host is the same service.
patch.patch(DomainDispatcherApplication, "get_backend_for_host", "self host")(
    functools.cache(lambda original, *asked: original(*asked))
)


class _Methods:
    """The names of a class's functions, for whoever asks whether one is among them."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def __contains__(self, name: str) -> bool:
        return inspect.isfunction(getattr(self._owner, name, None))


@patch.patch(moto.core.responses, "method_names_from_class", "clazz")
def _methods(_original: Any, owner: Any) -> Any:
    """moto asks for one name with every request, and EC2 has a thousand: to list them takes longer than to answer."""
    return _Methods(owner)


@dataclass(frozen=True)
class Around:
    """Looks at an API of moto: *before*(parameters) may refuse, *after*(parameters, answer) may change it."""

    before: Callable[[Json], None] = lambda _: None
    after: Callable[[Json, Any], None] = lambda *_: None


_originals: dict[tuple[str, str], Any] = {}


def serve(service: str, operations: Mapping[str, Operation | Around]) -> None:
    """Adds, replaces or surrounds APIs of moto's ``ec2`` or ``autoscaling``, by their names in snake case.

    Who serves one again surrounds moto's own, and not what surrounds it already.
    """
    patch.apply(__name__)
    for name, operation in operations.items():
        original = _originals.setdefault((service, name), getattr(IN_MOTO[service], name, None))
        setattr(IN_MOTO[service], name, _action(operation, original))


def _action(operation: Operation | Around, original: Any) -> Callable[[Any], Any]:
    def ours(response: Any) -> Any:
        with request_scope(response.current_account, response.region):
            result = operation(response._get_params())  # type: ignore[operator]
        return ActionResult(result) if result is not None else EmptyResult()

    def around(response: Any) -> Any:
        parameters = response._get_params()
        with request_scope(response.current_account, response.region):
            operation.before(parameters)  # type: ignore[union-attr]
            answer = original(response)
            operation.after(parameters, answer.result)  # type: ignore[union-attr]
        return answer

    return around if isinstance(operation, Around) else ours


# --- services of JSON, which neither half knows, or not enough of --------------------------------------------------


def handler_of(service: str) -> ServiceHandler:
    """The handler that a service has."""
    return _handlers[service]


def route(service: str, handler: ServiceHandler) -> None:
    """Sends the requests that are signed for *service* to *handler*, after IAM has judged them."""
    _patterns.setdefault(service, {})
    _handlers[service] = handler


def serve_json(service: str, operations: Mapping[str, Operation], beneath: ServiceHandler | None) -> None:
    """Answers APIs of a service of JSON, by their names; others are answered by what is *beneath*, or refused."""
    model = model_of(service)
    if service not in _namespaces:
        _namespaces[service] = service
        _modelled[service] = [service]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Json) -> Answer:
        name, parameters = request_of(model, method, path, headers, body, query)
        if name in operations:
            return await asyncio.to_thread(_answered, operations[name], parameters)
        if beneath is not None:
            return await beneath(method, path, headers, body, query)
        return _refused(client_error("NotImplementedException", f"{name or path} is not part of the embedded AWS"))

    route(service, handle)


def _answered(operation: Operation, parameters: Json) -> Answer:
    try:
        with moto_lock:
            return json_answer(200, operation(parameters) or {})
    except ClientError as error:
        return _refused(error)


def _refused(error: ClientError) -> Answer:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    missing = "NotFound" in code
    status, headers, body = json_answer(
        404 if missing else 400, {"__type": code, "message": message, "Message": message}
    )
    return status, {**headers, "x-amzn-errortype": code}, body


@functools.cache
def model_of(service: str) -> ServiceModel:
    """The model of a service, as botocore has it."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def request_of(
    model: ServiceModel, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> tuple[str, Json]:
    """Name and parameters of a request: by its target, or by its method and path as the service's model has them."""
    content: Json = json.loads(body) if body[:1] == b"{" else {}
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2], content
    for part in ("[^/]+", ".+"):  # an ARN in a path comes decoded, with slashes of its own
        for name in model.operation_names:
            operation = model.operation_model(name)
            if operation.http["method"] == method and (found := _path_of(operation, part).fullmatch(path)):
                return name, {**_named(operation, {**found.groupdict(), **query}), **content}
    return "", content


@functools.cache
def _path_of(operation: OperationModel, part: str) -> re.Pattern[str]:
    uri = operation.http["requestUri"].partition("?")[0]
    return re.compile(re.sub(r"\{(\w+)\+?\}", rf"(?P<\1>{part})", uri) + "/?")


def _named(operation: OperationModel, values: Mapping[str, Any]) -> Json:
    """Parameters of path and query by the names of their members."""
    shape = operation.input_shape
    members = shape.members if shape is not None else {}
    names = {member.serialization.get("name", name): name for name, member in members.items()}
    return {names[name]: unquote(str(first(value))) for name, value in values.items() if name in names}
