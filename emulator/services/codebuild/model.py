"""Projects and builds of CodeBuild (our model): a build is in progress until somebody who ran its buildspec ends it.

ministack answers StartBuild with SUCCEEDED and runs nothing; a build here has done what a scenario has done, which then
says so by ``POST /_emulator/build-ends``. Everything that is told of a build is told as the service tells it.
"""

import time
import uuid

from emulator.core.api import Json, Operation, client_error
from emulator.core.store import Store, arn, request_scope
from emulator.services.codebuild.events import tell

RUNNING = "IN_PROGRESS"
ENDS = ("SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED")
TOKEN_SECONDS = 300
"""https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html: a token is valid for five minutes."""
TAKEN = frozenset({"projectName", "idempotencyToken", "sourceVersion", "environmentVariablesOverride"})
"""What StartBuild models; anything else is refused rather than ignored."""

_projects: Store[dict[str, Json]] = Store(dict)
_builds: Store[dict[str, Json]] = Store(dict)


# Projects


def create(definition: Json) -> str:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html."""
    name = str(definition["name"])
    if name in _projects.here():
        raise client_error("ResourceAlreadyExistsException", f"Project already exists: {arn('codebuild', name)}")
    _projects.here()[name] = _judged({**definition, "arn": arn("codebuild", f"project/{name}")})
    return name


def update(name: str, definition: Json) -> None:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html."""
    _project(name)
    _projects.here()[name] = _judged({**definition, "arn": arn("codebuild", f"project/{name}")})


def delete(name: str) -> None:
    """Deletes a project and its builds, as the service does."""
    _projects.here().pop(name, None)
    for build in [build for build in _builds.here().values() if build["projectName"] == name]:
        del _builds.here()[build["id"]]


def _judged(definition: Json) -> Json:
    """A definition that CodeBuild takes: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html."""
    sources = [definition["source"], *definition.get("secondarySources", [])]
    if definition["source"]["type"] == "NO_SOURCE" and not definition["source"].get("buildspec"):
        raise client_error("InvalidInputException", "A buildspec is required with source type NO_SOURCE")
    for source in sources:
        if source["type"] not in ("NO_SOURCE", "CODEPIPELINE") and not source.get("location"):
            raise client_error("InvalidInputException", f"Source location is required for type {source['type']}")
    identifiers = [source.get("sourceIdentifier", "") for source in sources[1:]]
    if not all(identifiers) or len(set(identifiers)) != len(identifiers) or len(identifiers) > 12:
        raise client_error("InvalidInputException", "Each of at most 12 secondary sources needs its own identifier")
    minutes = int(definition.get("timeoutInMinutes", 60))
    if not 5 <= minutes <= 2160:
        raise client_error("InvalidInputException", "Invalid timeout: it must be from 5 to 2160 minutes")
    return definition


def _project(name: str) -> Json:
    found = _projects.here().get(name.rpartition("/")[2])
    if found is None:
        raise client_error("ResourceNotFoundException", f"Project cannot be found: {arn('codebuild', name)}")
    return found


# Builds


def _start(request: Json) -> Json:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html."""
    if unknown := sorted(set(request) - TAKEN):
        raise client_error("InvalidInputException", f"the embedded CodeBuild does not model {', '.join(unknown)}")
    project = _project(request["projectName"])
    now = time.time()
    token = request.get("idempotencyToken")
    for known in _builds.here().values() if token else ():
        if known["token"] == token and now - known["startTime"] < TOKEN_SECONDS:
            if known["asked"] != request:
                raise client_error("InvalidInputException", "The idempotency token was used with other parameters")
            return {"build": _shown(known)}
    overrides = {item["name"]: item for item in request.get("environmentVariablesOverride", [])}
    own = {item["name"]: item for item in project["environment"].get("environmentVariables", [])}
    variables = [{"type": "PLAINTEXT", **item} for item in (own | overrides).values()]
    name = project["name"]
    identifier = f"{name}:{uuid.uuid4()}"
    number = 1 + sum(build["projectName"] == name for build in _builds.here().values())
    build = {
        "id": identifier,
        "arn": arn("codebuild", f"build/{identifier}"),
        "buildNumber": number,
        "projectName": name,
        "startTime": now,
        "currentPhase": "QUEUED",
        "buildStatus": RUNNING,
        "buildComplete": False,
        "phases": [{"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"}],
        "source": project["source"],
        "sourceVersion": request.get("sourceVersion", project.get("sourceVersion", "")),
        "environment": {**project["environment"], "environmentVariables": variables},
        "serviceRole": project["serviceRole"],
        "timeoutInMinutes": int(project.get("timeoutInMinutes", 60)),
        "initiator": "embedded",
        "logs": {"deepLink": f"https://console.aws.amazon.com/codesuite/codebuild/projects/{name}/build/{identifier}"},
        "token": token,
        "asked": dict(request),
    }
    _builds.here()[identifier] = build
    tell(build)
    return {"build": _shown(build)}


def _stop(request: Json) -> Json:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StopBuild.html: one that has ended stays."""
    build = _build(request["id"])
    if build["buildStatus"] == RUNNING:
        _end(build, "STOPPED", [{"phaseType": build["currentPhase"], "phaseStatus": "STOPPED"}], told=True)
    return {"build": _shown(build)}


def _get(request: Json) -> Json:
    known = [_builds.here()[each] for each in map(short_id, request["ids"]) if each in _builds.here()]
    missing = [each for each in request["ids"] if short_id(each) not in _builds.here()]
    return {"builds": [_shown(build) for build in known], "buildsNotFound": missing}


def _list(request: Json) -> Json:
    _project(request["projectName"])
    own = [build["id"] for build in _builds.here().values() if build["projectName"] == request["projectName"]]
    return {"ids": own if request.get("sortOrder") == "ASCENDING" else own[::-1]}


def _get_projects(request: Json) -> Json:
    found = [_projects.here().get(name.rpartition("/")[2]) for name in request["names"]]
    missing = [name for name, project in zip(request["names"], found, strict=True) if project is None]
    return {"projects": [project for project in found if project], "projectsNotFound": missing}


OPERATIONS: dict[str, Operation] = {
    "StartBuild": _start,
    "StopBuild": _stop,
    "BatchGetBuilds": _get,
    "ListBuildsForProject": _list,
    "BatchGetProjects": _get_projects,
    "ListProjects": lambda _: {"projects": sorted(_projects.here())},
}


# What a scenario says of a build that it runs


def begin_phase(request: Json) -> Json:
    """``build-phase {"account", "region", "build", "phase"}``: a phase begins; the one before has succeeded."""
    with request_scope(request["account"], request["region"]):
        build = _build(request["build"])
        build["phases"].append({"phaseType": build["currentPhase"], "phaseStatus": "SUCCEEDED"})
        build["currentPhase"] = request["phase"]
        return _shown(build)


def end_build(request: Json) -> Json:
    """``build-ends {"account", "region", "build", "status", "phases": [...], "told": true}``.

    With ``told`` false no event is sent: the service's are on a best effort.
    """
    if request["status"] not in ENDS:
        raise client_error("InvalidInputException", f"a build ends with one of {', '.join(ENDS)}")
    with request_scope(request["account"], request["region"]):
        build = _build(request["build"])
        if build["buildStatus"] == RUNNING:
            _end(build, request["status"], request.get("phases", []), told=request.get("told", True))
        return _shown(build)


def _end(build: Json, status: str, phases: list[Json], *, told: bool) -> None:
    build["buildStatus"], build["currentPhase"], build["buildComplete"] = status, "COMPLETED", True
    build["phases"] += [*phases, {"phaseType": "COMPLETED"}]
    build["endTime"] = time.time()
    if told:
        tell(build)


def _build(identifier: str) -> Json:
    found = _builds.here().get(short_id(identifier))
    if found is None:
        raise client_error("InvalidInputException", f"Invalid build ID provided: {identifier}")
    return found


def _shown(build: Json) -> Json:
    return {key: value for key, value in build.items() if key not in ("token", "asked")}


def short_id(identifier: str) -> str:
    """PROJECT:UUID, of itself or of the ARN of a build."""
    return identifier.rpartition(":build/")[2]
