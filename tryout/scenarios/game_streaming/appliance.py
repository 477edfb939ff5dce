"""A strict model of the appliance, written from its command reference, for ``stand_in.py``."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
MEMORY_RATE = 2
PRESEED = {
    "network": {"listen-address", "public-address", "public-location"},
    "lxd": {"storage-disk", "storage-size", "storage-pool", "project"},
    "ams": {"api"},
    "oidc": {"issuer", "client_id", "audience"},
}


@dataclass(frozen=True)
class Caller:
    """The process that stands for one call: what a program would have found in its own."""

    process: int
    home: str
    user: str
    standard_input: Callable[[], bytes]

    def open_file(self, number: int) -> Path:
        """What the call was given as this file descriptor."""
        return Path(f"/proc/{self.process}/fd/{number}")


class Appliance:
    """Initialization, images, the node, applications, identities and accounts."""

    class Undocumented(Exception):  # noqa: N818
        """A command line that no page documents."""

    def __init__(self, root: Path, state: Json, caller: Caller) -> None:
        self.root, self.state, self.caller = root, state, caller

    def command(self, words: list[str]) -> int:
        """anbox-cloud-appliance."""
        if "anbox-cloud-appliance" not in self.state["snaps"]:
            return 127
        match words:
            case ["prepare-node-script"]:
                print(
                    "" if self.state["empty_script"] else "node-prepare",
                    end="\n" if not self.state["empty_script"] else "",
                )
                return 0
            case ["init", "--preseed"]:
                return self._init(yaml.safe_load(self.caller.standard_input()))
            case ["status", "--format", "json"]:
                return self._status()
            case ["dashboard", "register", email, "--validity", "1h"] if not self.state["preseed"].get("oidc"):
                print(f"https://192.0.2.1/?register={email.partition('@')[0]}-link")
                return 0
        raise self.Undocumented(str(words))

    def _init(self, preseed: Json) -> int:
        for key, value in preseed.items():
            if (
                key not in PRESEED
                or set(value) - PRESEED[key]
                or (key == "ams" and set(value["api"]) != {"allowed-uids"})
            ):
                raise self.Undocumented(f"the preseed has {key}: {value}")
        if "storage-disk" in preseed["lxd"] and "storage-size" in preseed["lxd"]:
            raise self.Undocumented("storage-disk excludes storage-size")
        ready = self.state["service"] == "enabled" and self.state["snaps"]["lxd"]["channel"] == "5.21/stable"
        if not ready or not self.state["driver"] or self.state["preseed"]:
            return 1
        if not Path(preseed["lxd"]["storage-disk"]).exists():
            return 1
        self.state["preseed"] = preseed
        return int(self.state["init_ends"])

    def _status(self) -> int:
        self.state["looks"] += 1
        well = self.state["preseed"] and not self.state["init_ends"] and self.state["looks"] > 1
        print(json.dumps({"status": "ready" if well else "initializing", "version": "1.30.1", "unheard-of": {}}))
        return 0

    def gateway(self, words: list[str]) -> int:
        """A name can be created once, and a token cannot be read again."""
        accounts: Json = self.state["accounts"]
        match words:
            case ["account", "create", name] if name not in accounts:
                self.state["tokens"] += 1
                accounts[name] = f"macaroon-{name}-{self.state['tokens']}"
                print(accounts[name])
                return 0
            case ["account", "delete", name] if name in accounts:
                del accounts[name]
                return 0
            case ["account", "create" | "delete", _]:
                return 1
        raise self.Undocumented(str(words))

    def amc(self, words: list[str]) -> int:
        """The client, as root: it sees only root's home."""
        if self.caller.user:
            print("/system.slice/ssm is not a snap cgroup for tag snap.anbox-cloud-appliance.amc", file=sys.stderr)
            return 1
        if self.caller.home != str(self.root / "root"):
            print("error: $HOME is not defined", file=sys.stderr)
            return 1
        match words:
            case ["image", "list", "--format", "json"]:
                print(json.dumps([{"id": "i0", "name": "jammy:android15:arm64", "status": self.state["image"]}]))
            case ["image", "sync", "i0"]:
                self.state["image"] = self.state["image_after_sync"]
            case ["image", "show", name, "--format", "json"]:
                print(json.dumps({"name": name, "status": self.state["images"].get(name, "error")}))
            case ["node", "show", "lxd0", "--format", "json"]:
                print(json.dumps({"status": "online", "config": {"gpu-slots": self.state["gpu_slots"]}}))
            case ["node", "set", "lxd0", "unschedulable", ("true" | "false") as value]:
                if not self.state["reachable"]:
                    return 1
                self.state["unschedulable"] = value == "true"
            case ["ls", "--filter", kind, "--format", "json"]:
                if not self.state["reachable"]:
                    return 1
                found = [one for one in self.state["instances"] if kind == f"type={one['type']}"]
                print(json.dumps(found or None))
            case ["application", *more]:
                return self._application(more)
            case ["auth", "identity", *more]:
                return self._identity(more)
            case _:
                return self._image_of_a_game(words)
        return 0

    def _application(self, words: list[str]) -> int:
        games: Json = self.state["games"]
        match words:
            case ["show", name, "--format", "json"] if name in games:
                versions: Json = games[name]["versions"]
                newest = versions[max(versions, key=int)]
                if newest["status"] == "initializing":
                    newest["status"] = self.state["bootstrap_ends"]
                print(json.dumps({"name": name, "status": "ready", "versions": versions}))
                return 0
            case ["show", _, "--format", "json"]:
                return 1
            case ["create", folder, "--timeout", "15m"]:
                name = self._manifest(folder)["name"]
                games[name] = {"versions": {}}
            case ["update", name, folder, "--timeout", "15m"]:
                if self._manifest(folder)["name"] != name:
                    return 1
            case _:
                raise self.Undocumented(str(words))
        versions = games[name]["versions"]
        versions[str(len(versions))] = {"status": "initializing", "error_message": "the package could not be installed"}
        return 0

    def _manifest(self, folder: str) -> Json:
        path = Path(folder)
        if not path.is_relative_to(self.root / "root"):
            raise self.Undocumented(f"{folder} is not below the home of the user, which is all that the snap sees")
        if not (path / "app.apk").exists():
            raise self.Undocumented(f"{folder} has no app.apk")
        manifest: Json = yaml.safe_load((path / "manifest.yaml").read_text(encoding="utf-8"))
        memory = float(str(manifest["resources"]["memory"]).removesuffix("GB"))
        if memory > MEMORY_RATE * self.state["memory_gib"]:
            raise self.Undocumented(f"{memory:g}GB do not fit on {self.state['memory_gib']} GiB")
        return manifest

    def _identity(self, words: list[str]) -> int:
        known: list[Json] = self.state["identities"]
        match words:
            case ["list", "--filter", "auth_type=oidc", "--format", "json"]:
                print(json.dumps(known or None))
            case ["create", name] if name.startswith("oidc/") and self.state["preseed"].get("oidc"):
                known.append({"id": f"id{len(known)}", "name": name.removeprefix("oidc/"), "groups": []})
            case ["group", "add", identity, "--groups", "admin"]:
                (found,) = [one for one in known if one["id"] == identity]
                found["groups"] = ["admin"]
            case _:
                raise self.Undocumented(str(words))
        return 0

    def _launched(self, image: str, flags: list[str]) -> str:
        """The instance's name, if the reference has all flags; an image needs no --raw since 1.26.

        https://documentation.ubuntu.com/anbox-cloud/reference/cmd-ref/amc/ams.amc_launch/ and release-notes/1.26.0
        """
        given: dict[str, str] = {}
        words = iter(flags)
        for word in words:
            if word in ("--enable-graphics", "--enable-streaming"):
                given[word] = ""
            elif word in ("--name", "--cpus", "--memory", "--disk-size", "--gpu-slots", "--timeout"):
                given[word] = next(words, "")
            else:
                raise self.Undocumented(f"launch {word}")
        name = given.get("--name", "")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{1,61}[A-Za-z0-9]", name):
            raise self.Undocumented(f"launch --name {name}")
        sizes = (given.get("--memory", "3GB"), given.get("--disk-size", "3GB"))
        if image.count(":") != 2 or not all(re.fullmatch(r"\d+GB", size) for size in sizes):
            raise self.Undocumented(f"launch {image} {flags}")
        return name

    def _image_of_a_game(self, words: list[str]) -> int:
        built: Json = self.state["built"]
        match words:
            case ["launch", image, *flags]:
                name = self._launched(image, flags)
                if self.state["unschedulable"]:
                    return 1
                built[name] = {"image": image, "apk": "", "installed": False}
            case ["exec", "--force-noninteractive", name, "--", "sh", "-c", "cat >/tmp/app.apk"] if name in built:
                built[name]["apk"] = self.caller.standard_input()[:2].decode()
            case ["exec", "--force-noninteractive", name, "--", "sh", "-c", line] if name in built:
                built[name]["installed"] = "pm install" in line and built[name]["apk"] == "PK"
            case ["publish", source, "--name", name, "--force", "--timeout", "15m"] if source in built:
                self.state["images"][name] = "active" if built[source]["installed"] else "error"
            case ["delete", name, "--force", "--yes"]:
                return 0 if built.pop(name, None) else 1
            case _:
                raise self.Undocumented(str(words))
        return 0
