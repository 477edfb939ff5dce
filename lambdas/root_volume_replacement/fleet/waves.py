"""Which instances are replaced together, and whether the next ones follow. No AWS in here."""

from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]
TARGETS = ("launch-state", "latest-snapshot", "image")
KEYS = {"to", "image_id", "tag", "wave_size"}


def requested(value: Any, wave_size: int) -> State:
    """Returns what the input of an execution asks for, with the wave size filled in.

    Raises:
        ValueError: naming the key, its value and what is allowed.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"the input must be an object with 'to', got {value!r:.200}")
    if unknown := sorted(set(value) - KEYS, key=str):
        raise ValueError(f"unknown key {unknown[0]!r}; allowed are {', '.join(map(repr, sorted(KEYS)))}")
    to, image, tag = value.get("to"), value.get("image_id"), value.get("tag")
    size = value.get("wave_size", wave_size)
    if to not in TARGETS:
        raise ValueError(f"to must be one of {', '.join(TARGETS)}, for a snapshot is of one instance; got {to!r}")
    if (to == "image") != isinstance(image, str):
        raise ValueError("image_id must be given with to image, and with nothing else")
    if tag is not None:
        texts = isinstance(tag, Mapping) and all(isinstance(part, str) for part in tag.values())
        if not texts or set(tag) != {"key", "value"}:
            raise ValueError(f"tag must be an object with the texts 'key' and 'value', got {tag!r}")
    if type(size) is not int or not 1 <= size <= 100:
        raise ValueError(f"wave_size must be a whole number from 1 to 100, got {size!r}")
    return {"to": to, "image_id": image, "tag": tag, "wave_size": size}


def waves(instance_ids: Sequence[str], size: int) -> list[list[str]]:
    """Returns every instance once, in the order of the ids, at most so many together."""
    ordered = sorted(set(instance_ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def items(request: Mapping[str, Any], wave: Sequence[str]) -> list[State]:
    """Returns the inputs of the replacements of a wave."""
    image = {"image_id": request["image_id"]} if request.get("image_id") else {}
    return [{"instance_id": instance_id, "to": request["to"], **image} for instance_id in wave]


def following(state: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> State:
    """Returns what follows a wave: the next one, the end, or a stop, after which nothing more is started."""
    done = [*state["done"], *(result["instance_id"] for result in results if result["ok"])]
    failed = [dict(result) for result in results if not result["ok"]]
    after = {**state, "done": done, "failed": failed}
    if failed:
        names = ", ".join(f"{item['instance_id']} ({item.get('error', 'Error')})" for item in failed)
        left = sum(len(wave) for wave in state["waves"])
        cause = f"{len(failed)} of {len(results)} in this wave failed: {names}; {left} instances were not started"
        return {**after, "status": "stopped", "error": "FleetStopped", "cause": cause, "wave": []}
    if not state["waves"]:
        return {**after, "status": "done", "wave": []}
    wave, *rest = state["waves"]
    return {**after, "status": "running", "wave": items(state["request"], wave), "waves": rest}
