"""Gate over HTTP: one post, a task that is followed to its end, and every way in which that can go wrong."""

import re
import socket
from typing import Any

import pytest

from stacks.shared.command import CommandError
from stacks.spinnaker_server_groups import gate as client
from stacks.spinnaker_server_groups.gate import Gate, UnansweredError, task_id
from stacks.spinnaker_server_groups.posting import Posting
from stacks.spinnaker_server_groups.task import DONE, FAILED, GOES_ON, failure, made_server_groups
from tests.solutions.spinnaker_server_groups.conftest import bodies_of, spinnaker_for
from tryout.scenarios.spinnaker_server_groups.gate import LoopbackGate

Json = dict[str, Any]

TOKEN = "spk_0123456789"
BODIES = bodies_of()


def asking(gate: LoopbackGate, **arguments: Any) -> Gate:
    return Gate(gate.url, wait=lambda _: None, **arguments)


def posting(gate: LoopbackGate, said: list[str] | None = None) -> Posting:
    told = (said if said is not None else []).append
    return Posting(asking(gate), BODIES, seconds=3_600, told=told, wait=lambda _: None)


def test_a_task_is_posted_once_and_looked_at_until_its_end(gate: LoopbackGate) -> None:
    gate.statuses = ["RUNNING", "RUNNING"]
    said: list[str] = []
    (ended,) = posting(gate, said).one_after_the_other([BODIES.application()])
    assert len(gate.posted) == 1
    assert gate.looks == ["POST /api/v1/tasks", *[f"GET /api/v1/tasks/{ended.task_id}"] * 3]
    assert said == [f"Create Application: demoapp: task {ended.task_id}", "  RUNNING", "  SUCCEEDED"]


@pytest.mark.parametrize("path", ["", "/api/v1"])
def test_the_address_may_have_a_path(path: str) -> None:
    with LoopbackGate(spinnaker_for(BODIES), path=path) as gate:
        asking(gate).post(BODIES.application())
    assert gate.looks == [f"POST {path}/tasks"]


def test_another_path_than_gate_s_is_said_and_nothing_posted(gate: LoopbackGate) -> None:
    with pytest.raises(CommandError, match="nothing was posted; correct the path of gate_url"):
        Gate(gate.url.removesuffix("/api/v1")).post(BODIES.application())
    assert gate.posted == []


def test_statuses_are_all_of_orca_s_and_each_means_one_thing() -> None:
    assert len(GOES_ON | DONE | FAILED) == len(GOES_ON) + len(DONE) + len(FAILED) == 12


@pytest.mark.parametrize("status", sorted(GOES_ON))
def test_a_task_that_goes_on_is_waited_for(gate: LoopbackGate, status: str) -> None:
    gate.statuses = [status]
    assert list(posting(gate).one_after_the_other([BODIES.application()]))


@pytest.mark.parametrize("status", sorted(FAILED))
def test_a_task_that_failed_stops_what_comes_after_it(gate: LoopbackGate, status: str) -> None:
    gate.statuses = [status]
    with pytest.raises(CommandError, match=f"ended {status}"):
        list(posting(gate).one_after_the_other([BODIES.application(), BODIES.load_balancer()]))
    assert len(gate.posted) == 1


def test_why_a_task_failed_is_clouddriver_s_sentence(gate: LoopbackGate) -> None:
    gate.spinnaker.applications.add("demoapp")
    with pytest.raises(
        CommandError, match=r"ended TERMINAL: Unable to find target groups named \[demoapp-targetgroup\]"
    ):
        list(posting(gate).one_after_the_other([BODIES.server_group()]))


REFUSED = {
    "before anything is done": ({"spotInstancePools": 2}, "exception", "spotInstancePools.not.supported"),
    "while it is done": ({"targetGroups": ["x"]}, "kato.tasks", "Unable to find target groups named [x]"),
}


@pytest.mark.parametrize(("change", "variable", "says"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_stands_where_orca_keeps_it_and_is_found_there(
    gate: LoopbackGate, change: Json, variable: str, says: str
) -> None:
    """SpinnakerServerExceptionHandler and MonitorKatoTask of Orca."""
    body = BODIES.server_group()
    body["job"][0] |= change
    asked = asking(gate)
    name = asked.post(body)
    with pytest.raises(CommandError, match=re.escape(says)):
        asked.follow(name, seconds=60)
    found = {each["key"] for each in asked.get(f"/tasks/{name}")["variables"]}
    assert {"exception", "kato.tasks"} & found == {variable}


def test_a_status_that_nobody_has_is_no_success(gate: LoopbackGate) -> None:
    gate.statuses = ["DREAMING"]
    with pytest.raises(CommandError, match="DREAMING, which Orca does not define"):
        list(posting(gate).one_after_the_other([BODIES.application()]))


def test_a_task_that_does_not_end_is_followed_further_by_a_command(gate: LoopbackGate) -> None:
    gate.statuses = ["RUNNING"] * 10
    asked = asking(gate)
    name = asked.post(BODIES.application())
    with pytest.raises(CommandError, match=f"is RUNNING after 0.25 minutes.*follow {name}"):
        asked.follow(name, seconds=15)


# What may have arrived


def test_an_answer_that_is_lost_is_never_posted_again(gate: LoopbackGate) -> None:
    gate.lose_answers = 1
    with pytest.raises(CommandError, match=r"may have arrived.*spinnaker_server_groups tasks"):
        list(posting(gate).one_after_the_other([BODIES.server_group()]))
    assert len(gate.posted) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_of_a_server_is_never_posted_again(gate: LoopbackGate, status: str) -> None:
    gate.answer_with = [status]  # type: ignore[list-item]
    with pytest.raises(CommandError, match=f"answered {status}; the task may have arrived"):
        asking(gate).post(BODIES.server_group())
    assert gate.looks == ["POST /api/v1/tasks"]


def test_a_refused_request_has_not_arrived(gate: LoopbackGate) -> None:
    gate.answer_with = [400]
    with pytest.raises(CommandError, match="refused the request with 400: of its own"):
        asking(gate).post(BODIES.server_group())


def test_where_no_gate_is_nothing_was_posted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(CommandError, match=r"no Gate answers at .*; nothing was posted"):
        Gate(url).post(BODIES.application())


def test_questions_are_asked_again_until_patience_ends(gate: LoopbackGate) -> None:
    asked = asking(gate)
    name = asked.post(BODIES.application())
    gate.answer_with = [503, 500, 502]
    assert asked.follow(name, seconds=3_600)["status"] == "SUCCEEDED"
    gate.answer_with = [503] * client.PATIENCE
    with pytest.raises(CommandError, match=f"answers 503; it may still be running: .* follow {name}"):
        asked.follow(name, seconds=3_600)
    assert len(gate.posted) == 1


# Who may ask


def test_a_token_comes_along_as_a_header_and_in_no_message() -> None:
    with LoopbackGate(spinnaker_for(BODIES), token=TOKEN) as gate:
        name = asking(gate, token=TOKEN).post(BODIES.application())
        asking(gate, token=TOKEN).follow(name, seconds=60)
        assert set(gate.tokens) == {TOKEN}
        with pytest.raises(CommandError) as refused:
            asking(gate, token=f"{TOKEN}-wrong").post(BODIES.application())
    assert "401" in str(refused.value) and TOKEN not in str(refused.value)


@pytest.mark.parametrize("login", ["redirect", "page", ""])
def test_a_login_is_no_answer(login: str) -> None:
    with LoopbackGate(spinnaker_for(BODIES), token=TOKEN, login=login) as gate:
        with pytest.raises(CommandError, match="it asks for a login: set SPINNAKER_TOKEN"):
            asking(gate).post(BODIES.application())
        with pytest.raises(CommandError, match="it asks for a login") as refused:
            asking(gate).follow("01", seconds=60)
        assert not isinstance(refused.value, UnansweredError)
        assert gate.posted == [] and not [look for look in gate.looks if "/login" in look]


def test_a_token_goes_nowhere_in_the_clear() -> None:
    with pytest.raises(CommandError, match="would take the token unencrypted"):
        Gate("http://gate.example.com", TOKEN)
    with pytest.raises(CommandError, match="characters that a header cannot have"):
        Gate("http://localhost:1", "one\ntwo")


@pytest.mark.parametrize("text", ["", "../applications", "a b", "1?x"])
def test_what_is_no_id_of_a_task_is_never_asked_for(text: str) -> None:
    with pytest.raises(CommandError, match="is not the id of a task"):
        task_id(text)
    assert task_id("/tasks/01HX") == task_id("01HX") == "01HX"


# The clean-up


def deployed(gate: LoopbackGate) -> None:
    requests = [BODIES.application(), BODIES.load_balancer(), BODIES.server_group(), BODIES.server_group()]
    list(posting(gate).one_after_the_other(requests))
    gate.posted.clear()


def test_a_server_group_is_named_by_spinnaker(gate: LoopbackGate) -> None:
    requests = [BODIES.application(), BODIES.load_balancer(), BODIES.server_group()]
    *_, group = posting(gate).one_after_the_other(requests)
    assert group.server_groups == ("demoapp-v000",)


@pytest.mark.parametrize("lag", [0, 4])
def test_a_clean_up_is_in_order_and_waits_for_the_cache(gate: LoopbackGate, lag: int) -> None:
    deployed(gate)
    gate.forgets_after = lag
    list(posting(gate).clean_up())
    kinds = [body["job"][0]["type"] for body in gate.posted]
    assert kinds == ["destroyServerGroup", "destroyServerGroup", "deleteLoadBalancer", "deleteApplication"]
    assert all(len(body["job"]) == 1 for body in gate.posted)
    assert not gate.spinnaker.applications and not gate.spinnaker.balancers and not gate.spinnaker.groups


def test_a_cache_that_never_forgets_leaves_the_application_and_says_so(gate: LoopbackGate) -> None:
    deployed(gate)
    gate.forgets_after = 10_000
    with pytest.raises(CommandError, match="still knows demoapp-v000, demoapp-v001 after 10 minutes"):
        list(posting(gate).clean_up())
    assert gate.spinnaker.applications == {"demoapp"} and gate.spinnaker.balancers


def test_server_groups_elsewhere_stop_a_clean_up_before_it_begins(gate: LoopbackGate) -> None:
    deployed(gate)
    gate.spinnaker.world.region = "eu-west-1"
    with pytest.raises(CommandError, match=r"elsewhere: demoapp-v000 \(my-aws-account, eu-west-1\)"):
        list(posting(gate).clean_up())
    assert gate.posted == []


def test_a_task_that_has_not_ended_stops_a_clean_up_before_it_begins(gate: LoopbackGate) -> None:
    """It may make a server group that Spinnaker's cache does not know yet: nobody would destroy it."""
    deployed(gate)
    gate.statuses = ["RUNNING"] * 3
    name = asking(gate).post(BODIES.server_group())
    with pytest.raises(CommandError, match=rf"still running: {name} \(Create Server Group: demoapp, RUNNING\)"):
        list(posting(gate).clean_up())
    assert len(gate.posted) == 1
    assert "statuses=BUFFERED,NOT_STARTED,PAUSED,REDIRECT,RUNNING,SUSPENDED" in gate.looks[-1]


# Why a task failed, as Deck finds it


def variables(**values: Any) -> Json:
    return {"variables": [{"key": key.replace("__", "."), "value": value} for key, value in values.items()]}


FINE, BROKEN = {"status": {"failed": False}}, {"status": {"failed": True}}
SAID = {**BROKEN, "exception": {"message": "no target group x"}}
HISTORY = {**BROKEN, "history": [{"status": "first"}, {"status": "last"}]}
UNHEALTHY = {
    "steps": [{"name": "waitForUpInstances", "status": "TERMINAL"}],
    "execution": {
        "stages": [
            {"type": "createServerGroup", "context": {"deploy.server.groups": {"eu-central-1": ["demoapp-v003"]}}},
        ]
    },
}
STAGES = [{"context": {}}, {"context": {"exception": {"details": {"error": "in a stage"}}}}]


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (variables(exception={"details": {"errors": ["one", "two"]}}), "one; two"),
        (variables(exception={"details": {"error": "alone", "errors": []}}), "alone"),
        (variables(kato__tasks=[FINE, SAID]), "no target group x"),
        (variables(kato__tasks=[HISTORY]), "last"),
        ({"variables": [], "execution": {"stages": STAGES}}, "in a stage"),
        ({"steps": [{"name": "monitorDeploy", "status": "TERMINAL"}]}, "its step monitorDeploy ended TERMINAL"),
        ({**variables(exception="odd"), "execution": None}, "Spinnaker does not say why"),
        (UNHEALTHY, "waitForUpInstances ended TERMINAL; Deck may say more; demoapp-v003 was created and stays"),
    ],
)
def test_why_a_task_failed(task: Json, says: str) -> None:
    assert says in failure(task)


@pytest.mark.parametrize("action", ["disable", "destroy"])
def test_only_a_server_group_that_was_made_is_said_to_stay(action: str) -> None:
    """deploy.server.groups of the other jobs is what they were asked to change."""
    (job,) = getattr(BODIES, action)("demoapp-v003")["job"]
    stage = {"type": job["type"], "context": {"deploy.server.groups": {"eu-central-1": ["demoapp-v003"]}}}
    assert "stays" not in failure({"execution": {"stages": [stage]}})


def test_what_a_task_has_made() -> None:
    value = {"eu-central-1": ["demoapp-v003"]}
    assert made_server_groups({"variables": [{"key": "deploy.server.groups", "value": value}]}, "eu-central-1") == [
        "demoapp-v003"
    ]
    assert made_server_groups({"variables": []}, "eu-central-1") == []
