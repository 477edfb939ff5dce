"""Names and versions that several modules must agree on."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from stacks.image_pipelines.component import Platform

IMAGE_CHANGED = "EC2 Image Builder Image State Change"
"""Detail type of the events of images; https://docs.aws.amazon.com/imagebuilder/latest/userguide/integ-eventbridge.html."""
CONTAINER = "-container"
"""Ending of the names of a container's recipe and pipeline: neither may change its kind under one name."""


def image_name(stack: str, pipeline: str, *, is_container: bool) -> str:
    """Name of a pipeline, of its recipe and of its images."""
    return f"{stack}-{pipeline}{CONTAINER if is_container else ''}"


def lineage_files(platform: Platform) -> tuple[str, str]:
    """The components that mark an image as a pipeline's, and that refuse a parent without that mark."""
    documents = "stacks/image_pipelines/documents"
    return f"{documents}/mark-{platform.lower()}.yaml", f"{documents}/parent-{platform.lower()}.yaml"


def fingerprint(content: Any) -> str:
    """SHA-256 of content, in hexadecimal."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def component_names(stack: str, paths: Sequence[str]) -> dict[str, str]:
    """A name for each file: its own where no other file has it, else its path."""
    stems = [PurePosixPath(path).stem for path in paths]
    return {
        path: f"{stack}-{_plain(stem if stems.count(stem) == 1 else path.rsplit('.', 1)[0])}"
        for path, stem in zip(paths, stems, strict=True)
    }


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text.lower()).strip("-")
