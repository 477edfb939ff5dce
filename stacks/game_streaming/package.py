"""A game for delivery: an APK for Arm and a manifest that the appliance accepts, checked before anything is sent.

https://documentation.ubuntu.com/anbox-cloud/reference/application-manifest/
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import yaml

from stacks.game_streaming.script import GAME_NAME, IMAGE_NAME
from stacks.game_streaming.settings import GameStreamingSettings
from stacks.game_streaming.sizes import Demand, fit, least_disk, smallest
from stacks.shared.files import UnreadableError, read_text

ABIS = ("arm64-v8a", "armeabi-v7a")
IMAGES = ("jammy:android14:arm64", "jammy:android15:arm64", "jammy:aaos14:arm64", "jammy:aaos15:arm64", "default")
KEYS = frozenset(
    {
        *("name", "version", "image", "instance-type", "resources", "video-encoder", "features", "tags"),
        *("boot-package", "boot-activity", "required-permissions", "addons", "services", "watchdog"),
        *("extra-data", "hooks", "bootstrap", "node-selector"),
    }
)
ENCODERS = ("gpu", "gpu-preferred", "software")
MOST_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class Remark:
    """A remark about a game: a problem, or only a note."""

    says: str
    problem: bool = True


@dataclass(frozen=True)
class Game:
    """A checked game.

    Attributes:
        name: the manifest's name.
        demand: what a session takes; None if the manifest leaves it to the appliance.
        remarks: problems and notes.
    """

    name: str
    demand: Demand | None
    remarks: tuple[Remark, ...]
    manifest: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether it can be delivered."""
        return not any(remark.problem for remark in self.remarks)


def read_game(folder: Path, settings: GameStreamingSettings) -> Game:
    """Checks manifest.yaml and the one .apk of a folder."""
    remarks: list[Remark] = []
    manifest: Mapping[str, Any] = {}
    try:
        loaded = yaml.safe_load(read_text(folder / "manifest.yaml"))
        if isinstance(loaded, dict):
            manifest = loaded
        else:
            remarks.append(Remark("manifest.yaml must be a mapping"))
    except UnreadableError as error:
        remarks.append(Remark(str(error)))
    except yaml.YAMLError as error:
        remarks.append(Remark(f"manifest.yaml is not valid YAML: {str(error).splitlines()[0]}"))
    demand = None
    if manifest:
        demand = demand_of(manifest)
        remarks += manifest_remarks(manifest, demand, settings)
    apks = sorted(folder.glob("*.apk"))
    if len(apks) == 1:
        remarks += apk_remarks(apks[0])
    else:
        remarks.append(Remark(f"{folder} must hold one APK, got {len(apks)}"))
    return Game(str(manifest.get("name", "")), demand, tuple(remarks), manifest)


def apk_remarks(apk: Path) -> Iterator[Remark]:
    """What is wrong with an APK, which must have Arm code or no native code."""
    try:
        with ZipFile(apk) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError) as error:
        yield Remark(f"{apk.name} is not an APK: {error}")
        return
    if "AndroidManifest.xml" not in names:
        yield Remark(f"{apk.name} has no AndroidManifest.xml: it is not an APK, or it is a bundle of several")
    abis = sorted({found[1] for name in names if (found := re.match(r"lib/([^/]+)/[^/]+\.so$", name))})
    if abis and not set(abis) & set(ABIS):
        yield Remark(f"{apk.name} has code only for {', '.join(abis)}; Graviton needs {ABIS[0]}")
    elif abis and ABIS[0] not in abis:
        yield Remark(f"{apk.name} has only 32-bit code; Graviton is faster with {ABIS[0]}", problem=False)
    if apk.stat().st_size > MOST_BYTES:
        yield Remark(f"{apk.name} has more than {MOST_BYTES // 1024**3} GiB")
    if apk.name != "app.apk":
        yield Remark(f"{apk.name} is delivered as app.apk", problem=False)


def demand_of(manifest: Mapping[str, Any]) -> Demand | None:
    """What a session takes; None if the resources are incomplete or invalid."""
    resources = manifest.get("resources")
    if not isinstance(resources, Mapping):
        return None
    cpus, slots = resources.get("cpus"), resources.get("gpu-slots", 0)
    memory, disk = gigabytes(resources.get("memory")), gigabytes(resources.get("disk-size"))
    if not _count(cpus, 1) or not _count(slots, 0) or memory is None or disk is None or min(memory, disk) < 3:
        return None
    return Demand(int(str(cpus)), memory, disk, int(str(slots)))


def gigabytes(text: object) -> float | None:
    """A size such as 25GB."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s?GB", str(text))
    return float(found[1]) if found else None


def _count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def manifest_remarks(
    manifest: Mapping[str, Any], demand: Demand | None, settings: GameStreamingSettings
) -> Iterator[Remark]:
    """What is wrong with a manifest: its keys, and whether it fits on the instance."""
    yield from _names(manifest, settings)
    if unknown := sorted(str(key) for key in manifest if key not in KEYS):
        hint = ""
        if {"cpus", "memory", "disk-size", "gpu-slots"} & set(unknown):
            hint = ": cpus, memory, disk-size and gpu-slots belong under resources"
        yield Remark(f"unknown keys {', '.join(unknown)}{hint}")
    yield from _image(manifest)
    if "instance-type" in manifest:
        yield Remark(
            "instance-type is deprecated and has no effect if all resources are given: remove it", problem=False
        )
    encoder = manifest.get("video-encoder", "gpu-preferred")
    if encoder not in ENCODERS:
        yield Remark(f"video-encoder must be one of {', '.join(ENCODERS)}, got {encoder}")
    elif encoder != "gpu":
        yield Remark("video-encoder: gpu keeps streams from silently falling back to software", problem=False)
    if demand is None:
        yield Remark("resources must have cpus, memory such as 25GB, and disk-size, the last two at least 3GB")
        return
    if encoder == "gpu" and not demand.gpu_slots:
        yield Remark("gpu-slots must be at least 1 with video-encoder: gpu")
    found = fit(settings.instance_type, demand, settings.data_gib)
    if not found.sessions:
        other = smallest(demand, settings.data_gib)
        way = f"; instance_type {other} is large enough" if other else ""
        yield Remark(f"no session fits on {settings.instance_type}: {'; '.join(found.short)}{way}")
    elif settings.data_gib < (least := least_disk(demand.disk_gb)):
        yield Remark(f"disk-size: bootstrap and a session need {least:g} of {settings.data_gib} GiB", problem=False)


def _names(manifest: Mapping[str, Any], settings: GameStreamingSettings) -> Iterator[Remark]:
    name = manifest.get("name")
    pattern = IMAGE_NAME if settings.deliver == "image" else GAME_NAME
    if not isinstance(name, str) or not re.fullmatch(pattern, name):
        yield Remark(f"name must match {pattern}, without a space, got {name!r}")
    if len(str(manifest.get("version", ""))) > 50:
        yield Remark("version must have at most 50 characters")


def _image(manifest: Mapping[str, Any]) -> Iterator[Remark]:
    image = manifest.get("image", "default")
    if "android13" in str(image):
        yield Remark(f"image {image}: Android 13 is unsupported since 1.29; use jammy:android15:arm64")
    elif "-cf" in str(image):
        yield Remark(f"image {image}: Cuttlefish images need /dev/kvm, which G5g lacks, and have no GPU")
    elif str(image).endswith(":amd64"):
        yield Remark(f"image {image} is for x86; use jammy:android15:arm64")
    elif image not in IMAGES:
        yield Remark(f"image {image} is not served by Canonical; is it yours?", problem=False)


def write_package(folder: Path, game: Game, target: Path) -> str:
    """Packs a game, with its APK as app.apk, and returns the digest. The same files give the same digest."""
    with ZipFile(target, "w", allowZip64=True) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = path.relative_to(folder).as_posix()
            named = "app.apk" if "/" not in name and name.endswith(".apk") else name
            info = ZipInfo(named, (1980, 1, 1, 0, 0, 0))
            info.compress_type = ZIP_STORED if named == "app.apk" else ZIP_DEFLATED
            info.external_attr = (0o755 if named.startswith("hooks/") else 0o644) << 16
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as copy:
                while block := source.read(1024**2):
                    copy.write(block)
        archive.writestr(ZipInfo("launch.env", (1980, 1, 1, 0, 0, 0)), _launch(game))
    digest = hashlib.sha256()
    with target.open("rb") as file:
        while block := file.read(1024**2):
            digest.update(block)
    return digest.hexdigest()


def _launch(game: Game) -> str:
    """Settings for building an image, for the shell."""
    demand, image = game.demand, str(game.manifest.get("image", "default"))
    lines = [f"image={'jammy:android15:arm64' if image == 'default' else image}"]
    if demand:
        lines += [f"cpus={demand.cpus}", f"memory={demand.memory_gb:g}GB", f"disk={demand.disk_gb:g}GB"]
        lines += [f"gpu_slots={demand.gpu_slots}"]
    return "".join(f"{line}\n" for line in lines)
