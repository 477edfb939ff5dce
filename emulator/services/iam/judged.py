"""What IAM has been asked of roles, kept as it was judged: ``make mutate`` asks the same again of smaller policies.

Questions of SimulatePrincipalPolicy are not calls, and are not kept.
"""

import json
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

from ministack.core import iam_evaluator

from emulator.core.api import Json
from emulator.core.patch import private
from emulator.core.store import Store, account_id

simulates: ContextVar[bool] = ContextVar("simulates", default=False)
"""Set while SimulatePrincipalPolicy judges."""

_resource_policy: Any = private(iam_evaluator, "_resource_policy", "service resource_arn")
_by_resource: Any = private(iam_evaluator, "evaluate_resource_policy", "doc ctx service named_only direct_only")
_calls: Store[dict[str, bool]] = Store(dict)
_looking: ContextVar[bool] = ContextVar("looking", default=False)


def keep(context: Any) -> None:
    """Keeps a call of a role, once however often it is made."""
    if context.principal_type != "AssumedRole" or simulates.get() or _looking.get():
        return
    told = asdict(context)
    told["principal_keys"].pop("aws:tokenissuetime", None)  # another one in each session
    text, kept = json.dumps(told, sort_keys=True, default=str), _calls.here()
    if text not in kept:
        kept[text] = _allowed_by_resource(context)


def show(_request: Json) -> Json:
    """``judged {}``: the calls of roles since it was asked last, and whether the resource alone lets the role in."""
    found = [(text, alone) for _, calls in _calls.everywhere() for text, alone in list(calls.items())]
    _calls.clear()
    return {"calls": [{**json.loads(text), "allowed_by_resource": alone} for text, alone in found]}


def _allowed_by_resource(context: Any) -> bool:
    """Whether the policy of the resource names the role, so that within an account the role needs none of its own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    mark = _looking.set(True)
    try:
        found = _resource_policy(context.action.partition(":")[0], context.resource_arn)
        if found is None or found[1] not in (None, account_id()):
            return False
        return bool(_by_resource(found[0], context, named_only=True).decision == "Allow")
    finally:
        _looking.reset(mark)
