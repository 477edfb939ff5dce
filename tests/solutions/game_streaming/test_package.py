"""Games: which APKs and manifests are refused, and what is delivered."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.game_streaming.package import read_game, write_package
from stacks.game_streaming.settings import GameStreamingSettings
from tests.solutions.game_streaming.conftest import MANIFEST

SETTINGS = GameStreamingSettings()
Make = Callable[..., Path]


def said(folder: Path, settings: GameStreamingSettings = SETTINGS) -> tuple[bool, str]:
    game = read_game(folder, settings)
    return game.ok, " | ".join(remark.says for remark in game.remarks)


@pytest.mark.parametrize(
    ("entries", "ok", "why"),
    [
        (("lib/x86_64/libgame.so",), False, "only for x86_64; Graviton needs arm64-v8a"),
        (("lib/arm64-v8a/libgame.so",), True, ""),
        (("lib/arm64-v8a/libgame.so", "lib/x86_64/libgame.so"), True, ""),
        (("lib/armeabi-v7a/libgame.so",), True, "32-bit"),
        (("classes.dex",), True, ""),
    ],
)
def test_an_apk_must_have_code_for_arm_or_none(game: Make, entries: tuple[str, ...], ok: bool, why: str) -> None:
    found, says = said(game(MANIFEST, *entries))
    assert found is ok and why in says


def test_another_name_becomes_app_apk(game: Make, tmp_path: Path) -> None:
    folder = game(apk="game.apk")
    found = read_game(folder, SETTINGS)
    assert found.ok and "delivered as app.apk" in found.remarks[-1].says
    write_package(folder, found, tmp_path / "package.zip")
    assert sorted(zipfile.ZipFile(tmp_path / "package.zip").namelist()) == ["app.apk", "launch.env", "manifest.yaml"]


def test_the_same_files_make_the_same_digest(game: Make, tmp_path: Path) -> None:
    folder = game()
    found = read_game(folder, SETTINGS)
    (folder / "app.apk").touch()
    assert write_package(folder, found, tmp_path / "1") == write_package(folder, found, tmp_path / "2")


def test_what_is_no_zip_is_no_apk(game: Make) -> None:
    folder = game()
    (folder / "app.apk").write_text("no zip")
    assert said(folder) == (False, "app.apk is not an APK: File is not a zip file")


def test_two_apks_are_none(game: Make) -> None:
    folder = game()
    (folder / "other.apk").write_bytes((folder / "app.apk").read_bytes())
    assert "must hold one APK, got 2" in said(folder)[1]


@pytest.mark.parametrize(
    ("old", "new", "ok", "why"),
    [
        ("genshin", "genshin impact", False, "without a space"),
        ("genshin", "ab", False, "name must match"),
        ("video-encoder: gpu", "image: jammy:android13:arm64", False, "unsupported since 1.29"),
        ("video-encoder: gpu", "image: resolute:android16-cf:arm64", False, "/dev/kvm"),
        ("video-encoder: gpu", "image: jammy:android15:amd64", False, "x86"),
        ("video-encoder: gpu", "image: jammy:android15:arm64", True, "falling back to software"),
        ("video-encoder: gpu", "video-encoder: cpu", False, "video-encoder must be"),
        ("gpu-slots: 15", "gpu-slots: 0", False, "at least 1"),
        ("gpu-slots: 15", "gpu-slots: 40", False, "40 GPU slots > 32"),
        ("memory: 25GB", "memory: 2GB", False, "at least 3GB"),
        ("memory: 25GB", "memory: 25", False, "such as 25GB"),
        ("disk-size: 40GB", "disk-size: 50GB", True, "need 110"),
        ("disk-size: 40GB", "disk-size: 400GB", False, "400GB of disk"),
        ("resources:\n", "", False, "belong under resources"),
        ("name: genshin", "name: genshin\ninstance-type: g10.3", True, "deprecated"),
        ("name: genshin", "name: genshin\nversion: " + 51 * "1", False, "50 characters"),
    ],
)
def test_manifests(game: Make, old: str, new: str, ok: bool, why: str) -> None:
    text = MANIFEST.replace(old, new)
    if not new:
        text = text.replace("\n  ", "\n")
    found, says = said(game(text))
    assert found is ok, says
    assert why in says


def test_the_posts_manifest_is_refused_by_its_instance(game: Make) -> None:
    small = GameStreamingSettings(instance_type="g5g.xlarge", session={"memory_gb": 3})  # type: ignore[arg-type]
    found, says = said(game(), small)
    assert not found and "25GB > 16GB" in says and "g5g.2xlarge is large enough" in says


def test_an_image_has_a_name_that_a_container_may_have(game: Make) -> None:
    settings = GameStreamingSettings(deliver="image")
    assert said(game(), settings)[0]
    assert not said(game(MANIFEST.replace("genshin", "Genshin_1")), settings)[0]


@pytest.mark.parametrize("text", ["- a\n", "a: [\n"])
def test_a_manifest_is_a_mapping(game: Make, text: str) -> None:
    assert not said(game(text))[0]


def test_a_folder_without_manifest_says_so(tmp_path: Path) -> None:
    ok, says = said(tmp_path)
    assert not ok and "manifest.yaml does not exist" in says
