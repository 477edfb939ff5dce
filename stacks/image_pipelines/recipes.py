"""Components and recipes: what is in an image, under versions that follow from it."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnResource, Duration, Stack
from aws_cdk import aws_imagebuilder as imagebuilder
from constructs import Construct

from stacks.image_pipelines.component import Platform, document
from stacks.image_pipelines.names import fingerprint
from stacks.shared.grants import allow_describing
from stacks.shared.lifecycle import LifecycleResource
from stacks.shared.python_function import PythonFunction
from stacks.shared.solution import SolutionStack

SECONDS = 60
LISTING = (
    "imagebuilder:ListComponents",
    "imagebuilder:ListContainerRecipes",
    "imagebuilder:ListImageRecipes",
    "imagebuilder:ListImages",
)


class Versions(Construct):
    """Says at deployment which version new content gets; see the README on why that is no matter of synthesis."""

    def __init__(self, scope: SolutionStack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._function = PythonFunction(
            scope,
            "VersionsFunction",
            handler="versions",
            description="Chooses the free version that new content gets",
            environment={},
            timeout_seconds=SECONDS,
        )
        allow_describing(self._function.own_role, *LISTING)

    def of(self, scope: Construct, *, kind: str, name: str, major_minor: str, content: str) -> str:
        """The version of a component or a recipe.

        Args:
            kind: ``component``, ``image-recipe`` or ``container-recipe``.
            content: SHA-256 of everything that an update cannot change.
        """
        chosen = LifecycleResource(
            scope,
            "Version",
            kind="ImageBuilderVersion",
            function=self._function,
            properties={"Kind": kind, "Name": name, "MajorMinor": major_minor, "Content": content},
            timeout=Duration.seconds(3 * SECONDS),
        )
        return chosen.ref


class Component(Construct):
    """A component of ours: a document at one version.

    Attributes:
        arn: of the very build of that version.
        identity: what decides that ARN, for the recipes that have it: another one makes another recipe.
    """

    def __init__(
        self,
        scope: SolutionStack,
        path: str,
        platform: Platform,
        *,
        name: str,
        version: str,
        versions: Versions,
        keep: bool,
    ) -> None:
        super().__init__(scope, f"Component-{name}")
        text = document(path, platform)
        key = scope.common.kms_key_arn
        content = fingerprint([text, platform, key])
        self.identity = [name, version, content]
        component = imagebuilder.CfnComponent(
            self,
            "Component",
            name=name,
            platform=platform,
            version=versions.of(self, kind="component", name=name, major_minor=version, content=content),
            data=text,
            kms_key_id=key,
        )
        keep_replaced(component, keep=keep)
        if keep:  # recipes that stay have it in them, and what is in use cannot be deleted
            component.add_override("DeletionPolicy", "Retain")
        self.arn = component.attr_arn


def recipe_content(stack: Stack, properties: Any, components: Sequence[Component]) -> str:
    """SHA-256 of a recipe: of its own properties, and of the components that these only refer to."""
    return fingerprint([stack.resolve(properties), [component.identity for component in components]])


def keep_replaced(resource: CfnResource, *, keep: bool) -> None:
    """Lets what a change has replaced stay; the stack's deletion still deletes the current one."""
    if keep:
        resource.add_override("UpdateReplacePolicy", "Retain")
