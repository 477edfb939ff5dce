"""A host without AWS, and games to deliver."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tryout.scenarios.game_streaming.offline import Host, made


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host before its first boot."""
    return made(tmp_path)


@pytest.fixture
def game(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the folder of a game."""

    def make(manifest: str = MANIFEST, *entries: str, apk: str = "app.apk") -> Path:
        folder = tmp_path_factory.mktemp("game")
        (folder / "manifest.yaml").write_text(manifest)
        with zipfile.ZipFile(folder / apk, "w") as archive:
            for entry in ("AndroidManifest.xml", *(entries or ("lib/arm64-v8a/libgame.so",))):
                archive.writestr(entry, "x")
        return folder

    return make


MANIFEST = """name: genshin
video-encoder: gpu
resources:
  cpus: 10
  memory: 25GB
  disk-size: 40GB
  gpu-slots: 15
features: [enable_virtual_keyboard]
"""
