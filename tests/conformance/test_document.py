"""docs/conformance.md is what the rules say of themselves."""

from tests.conformance.__main__ import DOCUMENT, rules, text


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run 'make docs'"


def test_every_rule_has_a_source_and_is_seen_to_catch_something() -> None:
    every = rules()
    assert len({(one.group, one.name) for one in every}) == len(every)
    for one in every:
        assert one.source.startswith("https://") and one.seen_to_catch, one
