"""A Gate on loopback: it accepts tasks as Gate does, without checking them, and reports later how they ended.

Written from gate-web's TaskController, ServerGroupController and ApiTokenAuthConfigurerAdapter, gate-basic's
BasicAuthConfig, and orca-web's TaskController of https://github.com/spinnaker/spinnaker, branch release-2026.2.x.
"""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tryout.scenarios.spinnaker_server_groups.clouddriver import GROUP, Spinnaker
from tryout.scenarios.spinnaker_server_groups.refusal import Refusal, context_of

Json = dict[str, Any]

LOGIN_PAGE = (
    "<html><head><title>Please sign in</title></head><body><form method='post' action='/login'></form></body></html>"
)
TOKEN_HEADER = "X-Spinnaker-Token"  # noqa: S105 - the header's name


class LoopbackGate:
    """A Gate with the Spinnaker behind it.

    Attributes:
        statuses: the statuses of a task before its end, one for each time it is read.
        posted: the bodies that have arrived.
        looks: requested paths with their method.
        tokens: API tokens that were sent.
        lose_answers: how many of the next posts arrive and are never answered.
        answer_with: statuses of the next answers, instead of the real ones.
        forgets_after: how many times the server groups are read before a destroyed one is forgotten.
    """

    def __init__(
        self, spinnaker: Spinnaker, *, path: str = "/api/v1", token: str | None = None, login: str = ""
    ) -> None:
        self.spinnaker, self._path, self._token, self._login = spinnaker, path, token, login
        self.statuses: list[str] = ["RUNNING"]
        self.posted: list[Json] = []
        self.looks: list[str] = []
        self.tokens: list[str | None] = []
        self.lose_answers = 0
        self.answer_with: list[int] = []
        self.forgets_after = 0
        self.ends: dict[str, Json] = {}
        self.left: dict[str, list[str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The value for gate_url."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    def accept(self, body: Json) -> Json:
        """Accepts a task without checking any field of its jobs."""
        self.posted.append(body)
        name = f"01{len(self.posted):024d}"
        self.left[name] = list(self.statuses)
        self.ends[name] = self._end(name, body)
        return {"ref": f"/tasks/{name}"}

    def _end(self, name: str, body: Json) -> Json:
        """Runs the jobs one after the other until one fails."""
        stages: list[Json] = []
        refusals: list[Refusal] = []
        for job in body["job"]:
            before = set(self.spinnaker.groups)
            refusals = self.spinnaker.done(job)
            context = job | context_of(refusals)
            if made := sorted(set(self.spinnaker.groups) - before):
                context["deploy.server.groups"] = {self.spinnaker.world.region: made}
            stages.append(_stage(job, context, "TERMINAL" if refusals else "SUCCEEDED"))
            if refusals:
                break
        return _task(name, body, "TERMINAL" if refusals else "SUCCEEDED", stages)

    def task(self, name: str) -> Json | None:
        """The present state of a task."""
        if name not in self.ends:
            return None
        end, left = self.ends[name], self.left[name]
        if not left:
            return end
        status, body = left.pop(0), self.posted[int(name[2:]) - 1]
        return _task(name, body, status, [_stage(job, job, status) for job in body["job"]])

    def tasks(self, application: str, query: Mapping[str, list[str]]) -> list[Json]:
        """The newest tasks of an application, of all statuses or of some; reading them does not advance them."""
        statuses = [status for text in query.get("statuses", []) for status in text.split(",")]
        found = []
        for name, end in reversed(self.ends.items()):
            status = self.left[name][0] if self.left[name] else end["status"]
            if end["application"] == application and (not statuses or status in statuses):
                found.append({**end, "status": status})
        return found[: int(query.get("limit", ["3500"])[0])]

    def server_groups(self, application: str) -> list[Json]:
        """The server groups in the cache."""
        if self.forgets_after:
            self.forgets_after -= 1
        else:
            self.spinnaker.remembered.clear()
        names = sorted({*self.spinnaker.groups, *self.spinnaker.remembered})
        world = self.spinnaker.world
        return [
            {"name": name, "account": world.account, "region": world.region, "cluster": name.rpartition("-v")[0]}
            for name in names
            if (parts := GROUP.match(name)) and parts[1] == application
        ]

    def answer(self, path: str) -> Any:
        """The answer to a GET; None: there is no such path."""
        match urlsplit(path.removeprefix(self._path)).path.strip("/").split("/"):
            case ["tasks", name]:
                return self.task(name)
            case ["applications", application, "tasks"]:
                return self.tasks(application, parse_qs(urlsplit(path).query))
            case ["applications", application, "serverGroups"]:
                return self.server_groups(application)
        return None

    def lets_in(self, headers: Any) -> bool:
        """Whether the token alone logs the caller in."""
        self.tokens.append(headers.get(TOKEN_HEADER))
        return self._token is None or headers.get(TOKEN_HEADER) == self._token

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if not self._is_let_in():
                    return
                if self.path != f"{gate._path}/tasks":
                    self._send(404, {"status": 404, "error": "Not Found", "message": "No static resource."})
                elif gate.answer_with:
                    self._send(status := gate.answer_with.pop(0), {"status": status, "error": "of its own"})
                else:
                    answer = gate.accept(json.loads(body))
                    if gate.lose_answers:
                        gate.lose_answers -= 1
                        self.close_connection = True
                        return
                    self._send(200, answer)

            def do_GET(self) -> None:
                if self.path.startswith(f"{gate._path}/login"):
                    self._send(200, LOGIN_PAGE)
                    return
                if not self._is_let_in():
                    return
                found = gate.answer(self.path) if self.path.startswith(gate._path) else None
                if gate.answer_with:
                    self._send(status := gate.answer_with.pop(0), {"status": status, "error": "of its own"})
                elif found is None:
                    self._send(404, {"status": 404, "error": "Not Found", "message": f"{self.path} not found"})
                else:
                    self._send(200, found)

            def _is_let_in(self) -> bool:
                gate.looks.append(f"{self.command} {self.path}")
                if gate.lets_in(self.headers):
                    return True
                if str(self.headers.get(TOKEN_HEADER)).startswith("spk_"):
                    self._send(401, "")  # HttpStatusEntryPoint: a status without a body
                elif gate._login == "page":  # like a proxy that has followed the redirect itself
                    self._send(200, LOGIN_PAGE)
                elif gate._login == "redirect":  # LoginUrlAuthenticationEntryPoint
                    self._send(302, "", {"Location": f"{gate.url}/login"})
                else:
                    self._send(401, {"status": 401, "error": "Unauthorized"})
                return False

            def _send(self, status: int, said: Any, headers: Mapping[str, str] | None = None) -> None:
                page = isinstance(said, str)
                content = said.encode() if page else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if page else "application/json;charset=UTF-8")
                self.send_header("Content-Length", str(len(content)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Logs nothing."""

        return Handler


def _stage(job: Json, context: Json, status: str) -> Json:
    """A stage of Orca, with the one step that does the job."""
    step = {"id": "1", "name": job["type"], "status": status, "startTime": 1, "endTime": None}
    return {"type": job["type"], "status": status, "context": context, "tasks": [step]}


def _task(name: str, body: Json, status: str, stages: list[Json]) -> Json:
    """OrchestrationViewModel: the variables are those of the stages' contexts, one value a key."""
    variables: Json = {}
    for stage in stages:
        variables |= {key: value for key, value in stage["context"].items() if value or key not in variables}
    return {
        "id": name,
        "name": body["description"],
        "application": body["application"],
        "status": status,
        "variables": [{"key": key, "value": value} for key, value in variables.items()],
        "steps": [step for stage in stages for step in stage["tasks"]],
        "buildTime": 1,
        "startTime": 1,
        "endTime": None,
        "execution": {"stages": stages, "status": status},
    }
