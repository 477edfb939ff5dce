"""Instances boot the image that ``common.linux_images`` names, in every solution; without one the newest."""

import json
import re

import pytest

from tests.conformance.updates.states import REGION, State, template
from tests.variants import DEFAULT, every
from tests.variants import template as kept

PINNED = {"arm64": "ami-0123456789abcdef0", "x86_64": "ami-0123456789abcdef1"}
NEWEST = re.compile(r"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-")
BUILDS = {"image_pipelines"}  # its parameters are the bases of images that it builds, and restart nothing
BOOTS = [
    slug
    for variant, slug in every()
    if variant == DEFAULT
    and slug not in BUILDS
    and NEWEST.search(json.dumps(kept(variant, slug).get("Parameters", {})))
]


def test_the_solutions_that_boot_amazon_linux_are_known() -> None:
    assert {"odcr_asg", "spot_asg", "sqs_target_scaling", "custom_health_checks", "local_zone_wordpress"} <= set(BOOTS)


@pytest.mark.parametrize("slug", BOOTS)
def test_no_deployment_restarts_instances_because_an_image_is_new(slug: str) -> None:
    body = json.dumps(template(State(slug, "pinned", {**REGION, "linux_images": PINNED}, {}).text))
    assert not NEWEST.search(body)
    assert any(image in body for image in PINNED.values())
