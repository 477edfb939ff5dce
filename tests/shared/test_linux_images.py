"""Instances boot the image that ``common.linux_images`` names, in every solution; without one the newest."""

import json
import re

import pytest

from tests.prepared import BOOT_AMAZON_LINUX, IMAGES, pinned, template
from tests.variants import DEFAULT, Json, templates

NEWEST = re.compile(r"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-")
BUILDS = {"image_pipelines"}  # its parameters are the bases of images that it builds, and restart nothing


def parameters(body: Json) -> str:
    return json.dumps(body.get("Parameters", {}))


def test_the_solutions_that_boot_amazon_linux_are_known() -> None:
    boots = {slug for slug, body in templates(DEFAULT).items() if NEWEST.search(parameters(body))}
    assert boots - BUILDS == set(BOOT_AMAZON_LINUX), "name it in tests/prepared.py, so that it is tried"


@pytest.mark.parametrize("slug", BOOT_AMAZON_LINUX)
def test_no_deployment_restarts_instances_because_an_image_is_new(slug: str) -> None:
    body = json.dumps(template(pinned(slug)))
    assert not NEWEST.search(body)
    assert any(image in body for image in IMAGES.values())
