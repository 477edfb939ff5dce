"""What ministack's IAM is told before it judges a call: each service says what its calls are about.

ministack asks for a call's action, the ARN that it is judged on and its condition keys; it does not know moto's
services and the condition keys of single services. Its functions are replaced here, once, and ask the services.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from botocore.parsers import RpcV2CBORParser
from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, tagging

from emulator.core.api import Json, first
from emulator.core.patch import patch, private
from emulator.core.service import IamRules, Need, Service, services
from emulator.core.store import account_id, region

_NEEDS = "needs"  # travels with the condition keys from the call to its judgement
Tagged = Iterator[tuple[str, list[dict[str, str]]]]

_action_of: Callable[[Json, bytes, str], str] = private(
    iam_actions, "_action_from_query", "query_params body content_type"
)
_collectors: dict[str, Any] = private(tagging, "_COLLECTORS")
_judged_tags: dict[str, Any] = private(tagging, "_RESOURCE_TAG_COLLECTORS")
_resource_tags: Callable[[str], Mapping[str, str] | None] = private(tagging, "resource_tags", "arn")
_Context: Any = private(iam_evaluator, "EvalContext")
_role_policies: Any = private(iam_evaluator, "_gather_role_policies", "role_name account_id")
_policy: Any = private(iam_evaluator, "parse_policy_document", "doc")
_boundary: Any = private(iam_evaluator, "_permissions_boundary", "store name account_id")
_resource_policy: Any = private(iam_evaluator, "_resource_policy", "service resource_arn")
_combined: Any = private(iam_evaluator, "combine_resource_policy", "identity ctx policy owner_account required limits")
_evaluate_resource_policy: Any = private(
    iam_evaluator, "evaluate_resource_policy", "doc ctx service named_only direct_only"
)


@dataclass(frozen=True)
class Call:
    """One call to a service, as it is judged.

    Attributes:
        action: the API's name.
        found: the ARN that ministack has found; empty while condition keys are asked for.
    """

    service: str
    action: str
    path: str
    body: bytes
    parameters: Json
    found: str = ""

    def first(self, name: str) -> Any:
        """A parameter of a query."""
        return first(self.parameters.get(name))

    @property
    def content(self) -> Json:
        """The parameters, whether they come as a form, as JSON or as CBOR."""
        form = {
            **{name: values[0] for name, values in parse_qs(self.body.decode("latin-1")).items()},
            **self.parameters,
        }
        more = json.loads(self.body) if self.body[:1] == b"{" else read_cbor(self.body)
        return {**{name: first(value) for name, value in form.items()}, **more}


def read_cbor(body: bytes) -> Json:
    """A CBOR map, read with botocore's own decoder; {} when it is something else."""
    try:
        parser = RpcV2CBORParser()
        value = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))
    except Exception:  # whatever a form or a JSON body looks like to a CBOR parser
        return {}
    return value if isinstance(value, dict) else {}


def _rules(service: str) -> Iterator[IamRules]:
    """Of a service by the name that its requests are signed for; several packages may speak for one."""
    yield from (item.iam for item in services() if item.name == service)


@patch(iam_actions, "extract_resource_arn", "service method path headers body query_params region account_id")
def _judged_on(
    original: Callable[..., str],
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    parameters: Json,
    *scope: str,
) -> str:
    """The ARN that a call is judged on."""
    found = original(service, method, path, headers, body, parameters, *scope)
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    action = target or _action_of(parameters, body, "") or ""
    for rules in _rules(service):
        found = rules.resource(Call(service, action, path, body, parameters, found)) or found
    return found


@patch(iam_actions, "request_tag_context", "service iam_action body params")
def _keys_of_call(original: Callable[..., Json], service: str, action: str, body: bytes, parameters: Json) -> Json:
    """The condition keys of a call."""
    keys = original(service, action, body, parameters)
    call = Call(service, action.rpartition(":")[2], "", body, parameters)
    needs: list[Need] = []
    for rules in _rules(service):
        keys = {**keys, **rules.keys(call)}
        needs += rules.needs(call)
    return {**keys, _NEEDS: needs} if needs else keys


@patch(iam_evaluator, "enforce", "access_key_id iam_action service region resource_arn service_context")
def _enforced(
    original: Callable[..., Any],
    key: str,
    action: str,
    service: str,
    region_name: str,
    resource_arn: str = "*",
    service_context: Json | None = None,
) -> Any:
    """Judges a call by the action that it needs, with the condition keys of its resource."""
    keys: Json = {}
    besides: list[str] = []
    for rules in _rules(service):
        keys |= rules.resource_keys(resource_arn)
        besides += rules.besides.get(action, ())
        action = rules.actions.get(action, action)
    keys |= service_context or {}
    needs: list[Need] = keys.pop(_NEEDS, [])
    denied = original(key, action, service, region_name, resource_arn=resource_arn, service_context=keys)
    for needed in besides:
        denied = denied or original(key, needed, needed.partition(":")[0], region_name)
    for need in needs:
        by = need.action.partition(":")[0]
        denied = denied or original(
            key, need.action, by, region_name, resource_arn=need.resource, service_context=need.keys
        )
    return denied


@patch(iam_evaluator, "evaluate_trust_policy", "trust_doc caller_arn ctx")
def _trusted(original: Callable[..., Any], trust: Any, caller: str, context: Any, *more: Any, **named: Any) -> Any:
    """Fills ``aws:SourceAccount`` when a trust policy is judged: here the account's root assumes a service's role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    context.service_context.setdefault("aws:sourceaccount", context.principal_account)
    return original(trust, caller, context, *more, **named)


def collect_tags(found: Iterable[Service]) -> None:
    """Shows the tags of services to the Resource Groups Tagging API and to aws:ResourceTag conditions."""
    for service in found:
        for name, collector in service.iam.tags.items():
            _collectors[name] = _judged_tags[name] = collector


def resource_tags(arn: str) -> dict[str, str]:
    """The tags of a resource that a collector knows."""
    return dict(_resource_tags(arn) or {})


def tag_pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as APIs list them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# --- ministack's engine as a judge ------------------------------------------------------------------------------------


def denies(
    documents: Iterable[Mapping[str, Any]], action: str, principal: str | None, arn: str, keys: Mapping[str, Any]
) -> bool:
    """Whether a Deny of policies applies to one resource of a request.

    Args:
        keys: the condition keys of the resource; a key that is not there is absent from the request.
    """
    context = _Context(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account="111122223333",
        action=action,
        resource_arn=arn,
        region="",
        service_context={name.lower(): value for name, value in keys.items()},
    )
    decision: str = iam_evaluator.evaluate(context, [_policy(dict(document)) for document in documents]).decision
    return decision == "Deny"


def role_may(role_arn: str, action: str, resource: str) -> bool:
    """Whether a role may do something: its policies within its boundary, and the resource's own policy."""
    return not role_denies(role_arn, action, resource)


def role_denies(role_arn: str, action: str, resource: str) -> bool:
    """The opposite of role_may.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    name, service = role_arn.rpartition("/")[2], action.partition(":")[0]
    context = _Context(
        principal_arn=f"arn:aws:sts::{account_id()}:assumed-role/{name}/{service}",
        principal_type="AssumedRole",
        principal_account=account_id(),
        action=action,
        resource_arn=resource,
        region=region(),
        secure_transport=True,  # services always use it, also where no request is being served
    )
    limits = _boundary(iam._roles, name, account_id())
    result = iam_evaluator.evaluate(context, _role_policies(name, account_id()), *limits)
    if (found := _resource_policy(service, resource)) is not None:
        result = _combined(result, context, *found, required=service == "kms", limits=limits)
    decision: str = result.decision
    return decision != "Allow"


def policy_of(resource: str) -> Json | str | None:
    """The policy of a resource, empty if it has none; None if there is no such resource."""
    found = _resource_policy(resource.split(":")[2], resource)
    return None if found is None else found[0]


def service_may(principal: str, policy: Json | str, action: str, resource: str, keys: Mapping[str, str]) -> bool:
    """Whether a policy of a resource, or the trust of a role, lets a service do something.

    The service is no principal of the account: a statement for the account does not let it in, one for everybody does.
    """
    document = json.loads(policy) if isinstance(policy, str) and policy else policy or {}
    if action == "sts:AssumeRole":  # a trust policy names no resource: it is the role's
        document = {"Statement": [{**statement, "Resource": "*"} for statement in _statements(document)]}
    context = _Context(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=region(),
        secure_transport=True,
        service_context={name.lower(): value for name, value in keys.items()},
    )
    decision: str = _evaluate_resource_policy(document, context, service=principal).decision
    return decision == "Allow"


def _statements(document: Any) -> list[Json]:
    found = document.get("Statement") or []
    return found if isinstance(found, list) else [found]
