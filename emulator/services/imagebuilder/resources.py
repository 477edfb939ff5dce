"""Components, recipes, configurations and pipelines: what is made, changed and deleted.

What exists under which version follows https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateComponent.html
and API_CreateImageRecipe.html there.
"""

import json
from collections.abc import Iterator

from emulator.core.api import Json, client_error
from emulator.core.iam import tag_pairs
from emulator.services.imagebuilder.kept import arn_of, host_of, kept, one, resolved, store


def create_component(wanted: Json) -> str:
    """A new build of the version; with identical content "the request fails because the component already exists"."""
    components, version = kept("component"), arn_of("component", wanted["name"], wanted["version"])
    builds = [component for arn, component in components.items() if arn.startswith(f"{version}/")]
    if any(build["data"] == wanted["data"] for build in builds):
        raise client_error("ResourceAlreadyExistsException", f"The following resource '{version}' already exists.")
    arn = f"{version}/{len(builds) + 1}"
    components[arn] = {"arn": arn, **wanted}
    return arn


def create_recipe(kind: str, wanted: Json) -> str:
    """A recipe; "the recipe name, combined with the semantic version, must be unique"."""
    recipes, arn = kept(kind), arn_of(kind, wanted["name"], wanted["version"])
    if arn in recipes:
        raise client_error("ResourceAlreadyExistsException", f"The following resource '{arn}' already exists.")
    for component in wanted.get("components", []):
        named = component["componentArn"]
        if ":aws:component/" not in named and named not in kept("component"):
            raise client_error("InvalidParameterValueException", f"The component '{named}' does not exist.")
    resolved(host_of(wanted) or wanted["parentImage"])
    recipes[arn] = {"arn": arn, **wanted}
    return arn


def delete(kind: str, arn: str) -> None:
    """Deletes what nothing refers to, as DeleteComponent and DeleteImageRecipe do."""
    text = json.dumps([kept(user) for user in ("image-recipe", "container-recipe", "image-pipeline") if user != kind])
    if f'"{arn}"' in text and kind != "image-pipeline":
        raise client_error("ResourceDependencyException", f"Resource '{arn}' is still in use.")
    kept(kind).pop(arn, None)


def create_plain(kind: str, wanted: Json) -> str:
    """An infrastructure or distribution configuration, or a lifecycle policy: a name, once."""
    arn = arn_of(kind, wanted["name"])
    if arn in kept(kind):
        raise client_error("ResourceAlreadyExistsException", f"The following resource '{arn}' already exists.")
    kept(kind)[arn] = {"arn": arn, **wanted}
    return arn


def create_pipeline(wanted: Json) -> str:
    """Enabled unless it is to be otherwise."""
    return create_plain("image-pipeline", {"status": "ENABLED", "consecutiveFailures": 0, **wanted})


def update_pipeline(arn: str, wanted: Json) -> None:
    """ "creating or updating the pipeline [...] resets it to zero"; the status is ENABLED unless it is given."""
    old = one("image-pipeline", arn)
    memory = {name: old[name] for name in ("name", "lastDependencies", "lastRunStatus", "tags") if name in old}
    new = {name: value for name, value in wanted.items() if name not in ("clientToken", "imagePipelineArn")}
    kept("image-pipeline")[arn] = {"arn": arn, "status": "ENABLED", "consecutiveFailures": 0, **memory, **new}


def tags() -> Iterator[tuple[str, list[Json]]]:
    """ARN and tags of everything here that may have some."""
    for items in store.here().values():
        for item in items.values():
            if isinstance(item, dict) and "tags" in item:
                yield item["arn"], tag_pairs(item["tags"])
