"""What the settings of root_volume_replacement derive: deleting takes two keys."""

import pytest

from stacks.root_volume_replacement.settings import RootVolumeReplacementSettings


@pytest.mark.parametrize(
    ("allowed", "old_volume", "mode", "deletes", "cleans"),
    [
        (False, "keep", "dry-run", False, False),
        (True, "keep", "dry-run", False, False),
        (True, "delete", "dry-run", True, False),
        (True, "keep", "delete", False, True),
    ],
)
def test_nothing_is_deleted_without_both_keys(
    allowed: bool, old_volume: str, mode: str, deletes: bool, cleans: bool
) -> None:
    settings = RootVolumeReplacementSettings.model_validate(
        {"allow_deletion": allowed, "old_volume": old_volume, "clean_up": {"mode": mode}}
    )
    assert (settings.deletes_old_volumes, settings.cleans_up) == (deletes, cleans)
