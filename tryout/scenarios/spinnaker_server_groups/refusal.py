"""Why a job fails, and where Gate's answer says so.

A job fails in three ways, which Deck and the command tell apart:

- a service refuses it before doing anything: Orca keeps the answer as the variable ``exception``
  (SpinnakerServerExceptionHandler; DefaultExceptionHandler where Orca itself refuses);
- clouddriver fails while running it: the variable ``kato.tasks`` has its task (MonitorKatoTask), with the message
  of the exception (DefaultOrchestrationProcessor);
- Orca finds that the application is still in use (VerifyApplicationHasNoDependenciesTask).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """One reason.

    Attributes:
        by: "operation" where clouddriver failed while running the job, else Orca's name for the error.
        sentence: the text that Deck shows.
    """

    by: Literal["operation", "Bad Request", "Validation Failed.", "Unexpected Task Failure", "Application in use"]
    sentence: str


def invalid(*sentences: str) -> list[Refusal]:
    """A refusal by a validator of clouddriver (DescriptionValidationException): nothing was done."""
    return [Refusal("Bad Request", sentence) for sentence in sentences]


def failed(*sentences: str) -> list[Refusal]:
    """A failure of clouddriver while it runs the job, which may have begun."""
    return [Refusal("operation", sentence) for sentence in sentences]


def context_of(refusals: Sequence[Refusal]) -> Json:
    """The refusals in the stage's context."""
    if not refusals:
        return {}
    by = refusals[0].by
    sentences = [refusal.sentence for refusal in refusals if refusal.by == by]
    if by == "operation":
        exception = {"type": "EXCEPTION", "operation": "AtomicOperation", "message": sentences[0]}
        task = {
            "id": "01-kato",
            "status": {"completed": True, "failed": True, "retryable": False},
            "history": [{"phase": "ORCHESTRATION", "status": f"Orchestration failed: {sentences[0]}"}],
            "resultObjects": [exception],
            "exception": exception,
        }
        return {"kato.tasks": [task]}
    details: Json = {"error": by, "errors": sentences}
    if by == "Application in use":
        return {"exception": {"details": details | {"error": "Application has outstanding dependencies"}}}
    if by == "Unexpected Task Failure":
        return {"exception": {"exceptionType": "IllegalArgumentException", "shouldRetry": False, "details": details}}
    http = {"kind": "HTTP", "method": "POST", "status": 400}
    return {"exception": {"exceptionType": "SpinnakerHttpException", "shouldRetry": False, "details": details | http}}
