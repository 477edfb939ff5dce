"""Files with names between two @: what stands for a name is put in, in values too, and keeps its type in documents."""

import re
from pathlib import Path

from stacks.shared.filled import PARTS, filled, filled_document, shared_part


def test_each_name_is_replaced_wherever_it_stands(tmp_path: Path) -> None:
    script = tmp_path / "boot.sh"
    script.write_text("echo @PORT@ @PORT@ @HOST@ me@example.com\n", encoding="utf-8")
    assert filled(script, PORT="80", HOST="web") == "echo 80 80 web me@example.com\n"


def test_a_file_among_the_values_has_its_own_names_replaced(tmp_path: Path) -> None:
    script = tmp_path / "boot.sh"
    script.write_text("@COMMON@ @REGION@", encoding="utf-8")
    assert filled(script, REGION="eu-west-1", COMMON="set -e\nregion=@REGION@") == (
        "set -e\nregion=eu-west-1 eu-west-1"
    )


def test_parts_that_solutions_share_are_text_without_names_of_their_own() -> None:
    names = sorted(path.name for path in PARTS.iterdir())
    assert names == ["group_instance.sh", "metadata.sh", "retry.sh"]
    assert not [name for name in names if re.search("@[A-Z_]+@", shared_part(name))]


def test_a_document_keeps_the_types_of_its_values() -> None:
    document = {"steps": [{"count": "@COUNT@", "names": "@NAMES@", "text": "from @COUNT@ on"}], "version": 1}
    assert filled_document(document, {"COUNT": 3, "NAMES": ["a"]}) == {
        "steps": [{"count": 3, "names": ["a"], "text": "from @COUNT@ on"}],
        "version": 1,
    }
