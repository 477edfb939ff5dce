"""Private names of ministack's IAM: SimulatePrincipalPolicy judges with the ContextEntries of the request.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

import contextlib
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

from emulator.core.api import Json
from emulator.core.patch import patch, private
from emulator.services.iam import judged

_parameter: Any = private(iam, "_p", "params key default")
_given: ContextVar[Json] = ContextVar("given")


@patch(iam, "_extract_simulate_params", "p")
def _extracted(original: Any, parameters: Json) -> Any:
    entries, number = {}, 1
    while name := _parameter(parameters, f"ContextEntries.member.{number}.ContextKeyName"):
        value = _parameter(parameters, f"ContextEntries.member.{number}.ContextKeyValues.member.1")
        entries[name.lower()] = value
        number += 1
    _given.set(entries)
    return original(parameters)


@patch(iam, "_build_simulate_results_real", "actions resource_arn principal_arn account_id policies")
def _built(original: Any, *arguments: Any) -> Any:
    mark = judged.simulates.set(True)
    try:
        return original(*arguments)
    finally:
        judged.simulates.reset(mark)
        _given.set({})


@patch(iam_evaluator, "evaluate", "ctx policies limits")
def _evaluated(original: Any, context: Any, *arguments: Any, **more: Any) -> Any:
    with contextlib.suppress(LookupError):
        context.service_context.update(_given.get())
    judged.keep(context)
    return original(context, *arguments, **more)
