"""Every solution is synthesized for GovCloud, as it is for China by its variant, and says where it cannot be."""

import json
import re

import pytest

from stacks.series import SOLUTIONS
from tests.conformance.regions import DOCUMENT, PARTITIONS, missing, needed_settings, text
from tests.prepared import govcloud, template
from tests.variants import ROOT

SLUGS = [solution.slug for solution in SOLUTIONS]


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run 'make docs'"


@pytest.mark.parametrize("slug", SLUGS)
def test_it_is_synthesized_for_govcloud_and_names_no_other_partition(slug: str) -> None:
    found = json.dumps(template(govcloud(slug)))
    assert not re.findall(r"arn:aws(?:-cn)?:[^\"]*", re.sub(r"arn:\*", "", found))


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_readme_says_where_it_cannot_be(slug: str, partition: str) -> None:
    if missing(slug, partition) or needed_settings(slug, partition):
        name, _ = PARTITIONS[partition]
        assert name in (ROOT / "stacks" / slug / "README.md").read_text(encoding="utf-8")
