"""What Image Builder keeps of an account and Region, and how it is named and found."""

from emulator.core.api import Json, client_error
from emulator.core.store import Ec2Store, arn
from emulator.services.ssm.patches import parameter_value

KINDS = {"image-recipe": "imageRecipe", "container-recipe": "containerRecipe"}

store: Ec2Store[dict[str, Json]] = Ec2Store("image_builder", dict)


def kept(kind: str) -> Json:
    """Resources of a kind by ARN, of the account and Region of the request."""
    return store.here().setdefault(kind, {})


def recipe_of(pipeline: Json) -> tuple[str, Json]:
    """Kind and recipe of a pipeline."""
    kind = "image-recipe" if pipeline.get("imageRecipeArn") else "container-recipe"
    return kind, one(kind, pipeline[f"{KINDS[kind]}Arn"])


def host_of(recipe: Json) -> str | None:
    """The image of the machine that builds a container; None for an AMI, and where the service chooses it."""
    image: str | None = (recipe.get("instanceConfiguration") or {}).get("image")
    return image


def resolved(parent: str) -> str:
    """The image that a recipe names, by a parameter or by itself; raises ClientError if there is no such parameter."""
    if not parent.startswith("ssm:"):
        return parent
    value = parameter_value(parent.removeprefix("ssm:"))
    if value is None:
        raise client_error("InvalidParameterValueException", f"The SSM parameter of '{parent}' does not exist.")
    return value


def one(kind: str, arn: str) -> Json:
    """A resource by its ARN; raises ClientError if there is none."""
    if arn not in kept(kind):
        raise client_error("ResourceNotFoundException", f"The resource '{arn}' does not exist.")
    found: Json = kept(kind)[arn]
    return found


def arn_of(kind: str, name: str, version: str | None = None) -> str:
    """The ARN of a resource: names are in lower case there."""
    plain = name.lower().replace(" ", "-").replace("_", "-")
    return arn("imagebuilder", f"{kind}/{plain}/{version}" if version else f"{kind}/{plain}")
