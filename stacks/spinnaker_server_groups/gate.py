"""Gate, Spinnaker's API: posts a task once, and follows it to its end.

``POST /tasks`` is not idempotent: posting a server group again creates the next one. So nothing that may have arrived
is posted again, and no redirect is followed, because it would lead to a login page.
https://github.com/spinnaker/spinnaker/blob/main/gate/gate-web/src/main/groovy/com/netflix/spinnaker/gate/controllers/TaskController.groovy
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from stacks.shared.command import CommandError
from stacks.spinnaker_server_groups.settings.spinnaker import sends_in_the_clear
from stacks.spinnaker_server_groups.task import DONE, FAILED, GOES_ON, failure

Json = dict[str, Any]

TOKEN_HEADER = "X-Spinnaker-Token"  # noqa: S105 - the header's name
ANSWER_SECONDS = 60.0
POLL_SECONDS = 5.0
PATIENCE = 12  # polls in a row that may fail, for example while Gate restarts
LOGIN = "it asks for a login: set SPINNAKER_TOKEN or token_secret_arn to an API token of Gate"
TASK_ID = re.compile(r"^[\w-]{1,64}$")


class UnansweredError(CommandError):
    """A request that may be repeated has no answer now."""


class Gate:
    """One Gate.

    Args:
        url: its address, with the path before ``/tasks``.
        token: an API token; None for a Gate without login, which is its default.
        wait: sleeps; tests pass their own.
    """

    def __init__(self, url: str, token: str | None = None, *, wait: Callable[[float], None] = time.sleep) -> None:
        if token and sends_in_the_clear(url):
            raise CommandError(f"{url} would take the token unencrypted; set gate_url to an https address")
        if token and not (token.isascii() and token.isprintable()):
            raise CommandError("the token of Gate has characters that a header cannot have; correct it")
        self._url = urlsplit(url)
        self._path = self._url.path.rstrip("/")
        self._token, self._wait = token, wait
        self.address = url.rstrip("/")

    def post(self, body: Mapping[str, Any]) -> str:
        """Posts a task, once.

        Returns:
            The task's id. Spinnaker has checked nothing in the task yet.

        Raises:
            CommandError: it was not accepted, or that is not known.
        """
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise CommandError(f"no Gate answers at {self.address}: {error}; nothing was posted") from None
        doubt = (
            f"the task may have arrived all the same. Before you post again, look: python -m stacks "
            f"spinnaker_server_groups tasks, which lists those of {body['application']}"
        )
        try:
            status, answer = self._ask(connection, "POST", "/tasks", json.dumps(body).encode())
        except (OSError, HTTPException) as error:
            raise CommandError(f"{self.address} did not answer ({_words(error)}); {doubt}") from None
        if status == 404:
            raise CommandError(
                f"{self.address} has no tasks (404) and nothing was posted; correct the path of gate_url"
            )
        if status >= 500:
            raise CommandError(f"{self.address} answered {status}; {doubt}")
        reference = answer.get("ref") if isinstance(answer, dict) else None
        if not isinstance(reference, str) or not reference.startswith("/tasks/"):
            raise CommandError(f"{self.address} answered without the id of a task; {doubt}")
        return reference.rsplit("/", 1)[-1]

    def follow(self, task_id: str, *, seconds: float, told: Callable[[str], None] = lambda _: None) -> Json:
        """Waits for the end of a task.

        Args:
            seconds: longest wait; a single step of clouddriver may take an hour.
            told: called with each new status.

        Raises:
            CommandError: it failed, with the reason; or it is still running, with the command that follows it.
        """
        again = f"it may still be running: python -m stacks spinnaker_server_groups follow {task_id}"
        left, failed, last = seconds, 0, ""
        while True:
            try:
                task = self.get(f"/tasks/{quote(task_id, safe='')}")
                if not isinstance(task, dict):
                    raise UnansweredError(f"{self.address} answers with something that is not a task")
                failed = 0
            except UnansweredError as error:
                failed += 1
                if failed >= PATIENCE:
                    raise CommandError(f"{error}; {again}") from None
                task = {"status": last}
            status = str(task.get("status"))
            if status != last:
                told(status)
            last = status
            if status in DONE:
                return task
            if status in FAILED:
                raise CommandError(f"task {task_id} of Spinnaker ended {status}: {failure(task)}")
            if status and status not in GOES_ON:
                raise CommandError(f"task {task_id} has the status {status}, which Orca does not define; {again}")
            if left <= 0:
                raise CommandError(f"task {task_id} is {status or 'unknown'} after {seconds / 60:g} minutes; {again}")
            self._wait(POLL_SECONDS)
            left -= POLL_SECONDS

    def get(self, path: str) -> Any:
        """Reads from Gate.

        Raises:
            UnansweredError: Gate may answer later.
            CommandError: Gate refuses.
        """
        connection = self._connection()
        try:
            status, answer = self._ask(connection, "GET", path)
        except (OSError, HTTPException) as error:
            raise UnansweredError(f"{self.address} does not answer: {_words(error)}") from None
        # A task that was just accepted may be unknown to a replica for a moment.
        if status >= 500 or status == 404:
            raise UnansweredError(f"{self.address}{path} answers {status}")
        return answer

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        try:
            return kind(self._url.hostname or "", self._url.port, timeout=ANSWER_SECONDS)
        except ValueError as error:
            raise CommandError(f"gate_url must be an address, got {self.address}: {error}; correct it") from None

    def _ask(self, connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json;charset=utf-8"
        if self._token:
            headers[TOKEN_HEADER] = self._token
        try:
            connection.request(method, self._path + path, body, headers)
            response = connection.getresponse()
            return self._answer(response, response.read())
        finally:
            connection.close()

    def _answer(self, response: HTTPResponse, content: bytes) -> tuple[int, Any]:
        """Status and JSON of an answer; an answer that means that nothing was done is raised."""
        status = response.status
        kind = response.headers.get_content_type()
        if status in (401, 403) or 300 <= status < 400 or (status == 200 and kind == "text/html"):
            where = response.headers.get("Location", "")
            raise CommandError(f"{self.address} answered {status}{f' to {where}' if where else ''}; {LOGIN}")
        if 400 <= status < 500 and status != 404:
            raise CommandError(f"{self.address} refused the request with {status}: {_message(content)}")
        try:
            return status, json.loads(content)
        except ValueError:
            return status, None


def task_id(text: str) -> str:
    """The id of a task, also from a reference as Gate returns it.

    Raises:
        CommandError: it is not an id.
    """
    found = text.removeprefix("/tasks/")
    if not TASK_ID.match(found):
        raise CommandError(f"{text!r} is not the id of a task; use one that 'tasks' lists")
    return found


def _message(content: bytes) -> str:
    """What Spring says about an error (its fields ``message`` and ``error``)."""
    try:
        answer = json.loads(content)
    except ValueError:
        return "no reason was given"
    said = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    return str(said or "no reason was given")


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
