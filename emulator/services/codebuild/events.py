"""The event of a build's state, as CodeBuild sends it."""

from datetime import UTC, datetime

from emulator.core.api import Json
from emulator.core.events import put_event


def tell(build: Json) -> None:
    """Sends it: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html."""
    environment = build["environment"]
    began = datetime.fromtimestamp(build["startTime"], UTC)
    detail: Json = {
        "build-status": build["buildStatus"],
        "project-name": build["projectName"],
        "build-id": build["arn"],
        "additional-information": {
            "environment": {
                "image": environment["image"],
                "privileged-mode": False,
                "compute-type": environment["computeType"],
                "type": environment["type"],
                "environment-variables": environment["environmentVariables"],
            },
            "timeout-in-minutes": build["timeoutInMinutes"],
            "build-complete": build["buildComplete"],
            "build-number": build["buildNumber"],
            "initiator": build["initiator"],
            "build-start-time": began.strftime("%b %-d, %Y %-I:%M:%S %p"),
            "source": {key: build["source"].get(key, "") for key in ("location", "type")},
            "logs": {"deep-link": build["logs"]["deepLink"]},
            "phases": [_phase(each) for each in build["phases"]],
        },
        "current-phase": build["currentPhase"],
        "current-phase-context": "[]",
        "version": "1",
    }
    put_event("aws.codebuild", "CodeBuild Build State Change", detail, build["arn"])


def _phase(phase: Json) -> Json:
    contexts = [": ".join([each.get("statusCode", ""), each.get("message", "")]) for each in phase.get("contexts", [])]
    shown = {"phase-type": phase["phaseType"], "phase-context": contexts or [": "]}
    return {**shown, **({"phase-status": phase["phaseStatus"]} if "phaseStatus" in phase else {})}
